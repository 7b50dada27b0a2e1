import { FakeClock } from '@neko-edge/testing'
import { expect, it } from 'vitest'
import { PauseWatch } from './pause-watch.ts'

it('[MOV-1977] a break of the process is known at once, before any timer has run, and what came before it is older', () => {
  const clock = new FakeClock()
  using watch = new PauseWatch(clock)
  clock.advance(10_000)
  expect(watch.wokeAt).toBe(Number.NEGATIVE_INFINITY)
  const before = clock.now()
  clock.leap(3_000)
  expect(watch.wokeAt).toBe(before + 3_000)
  clock.advance(10_000)
  expect(watch.wokeAt).toBe(before + 3_000)
})
