import { expect, test } from 'vitest'
import { EarlyInput } from './early-input.ts'

test('[DSK-1000] what the new host did a moment before the news of it is not lost; nothing older, and nothing of anybody else', () => {
  const early = new EarlyInput<string>()
  early.keep('anna', 'long ago', 0)
  early.keep('anna', 'before she had them', 999)
  early.keep('anna', 'down', 1_000)
  early.keep('bob', 'other', 1_001)
  early.keep('anna', 'up', 1_002)
  expect(early.take('anna', { since: 1_000, now: 1_010 })).toEqual(['down', 'up'])
  expect(early.take('bob', { since: 1_000, now: 1_010 })).toEqual([])
  early.keep('anna', 'down', 2_000)
  expect(early.take(undefined, { since: 2_000, now: 2_001 })).toEqual([])
  expect(early.take('anna', { since: 2_000, now: 2_001 })).toEqual([])
})

test('[DSK-1002] what was kept for too long is nobody’s news, whatever the clocks say', () => {
  const early = new EarlyInput<string>()
  early.keep('anna', 'down', 1_000)
  expect(early.take('anna', { since: 0, now: 1_501 })).toEqual([])
})

test('[DSK-1001] of many inputs of those who have not got the controls only the newest are kept', () => {
  const early = new EarlyInput<number>()
  for (let count = 0; count < 1_000; count += 1) {
    early.keep('anna', count, 0)
  }
  expect(early.take('anna', { since: 0, now: 0 })).toEqual(Array.from({ length: 256 }, (_, index) => 744 + index))
})
