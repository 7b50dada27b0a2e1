import { expect, test } from 'vitest'
import { FakeClock } from './fake-clock.ts'

test('[TST-2] what is due runs in order of its time, and sees its own time', () => {
  const clock = new FakeClock(1_000)
  const seen: string[] = []
  const note = (name: string) => () => void seen.push(`${name}@${clock.now()}`)
  clock.after(30, note('late'))
  clock.after(10, () => {
    note('early')()
    clock.after(5, note('nested'))
  })
  const stop = clock.every(12, note('tick'))
  clock.advance(29)
  expect(seen).toEqual(['early@1010', 'tick@1012', 'nested@1015', 'tick@1024'])
  stop()
  clock.advance(100)
  expect(seen.slice(4)).toEqual(['late@1030'])
  expect(clock.now()).toBe(1_129)
  expect(clock.pending).toBe(0)
})
