import { expect, test } from 'vitest'
import { EarlyInput } from './early-input.ts'

test('[DSK-1000] what the new host did a moment before the news of it is not lost; nothing older, and nothing of anybody else', () => {
  const early = new EarlyInput<string>()
  early.keep('anna', 'long ago', 0)
  early.keep('anna', 'down', 1_000)
  early.keep('bob', 'other', 1_001)
  early.keep('anna', 'up', 1_002)
  expect(early.take('anna', 1_010)).toEqual(['down', 'up'])
  expect(early.take('bob', 1_010)).toEqual([])
  early.keep('anna', 'down', 2_000)
  expect(early.take(undefined, 2_001)).toEqual([])
  expect(early.take('anna', 2_001)).toEqual([])
})

test('[DSK-1001] of many inputs of those who have not got the controls only the newest are kept', () => {
  const early = new EarlyInput<number>()
  for (let count = 0; count < 1_000; count += 1) {
    early.keep('anna', count, 0)
  }
  expect(early.take('anna', 0)).toEqual(Array.from({ length: 256 }, (_, index) => 744 + index))
})
