import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Life, next, type Tick } from './life.ts'

const at = fc.nat()
const tick: fc.Arbitrary<Tick> = fc.oneof(
  fc.record({ on: fc.constant('ready' as const), at, pid: fc.nat() }),
  fc.record({ on: fc.constant('ended' as const), at, delayMs: fc.nat(), failures: fc.nat() }),
  fc.record({ on: fc.constant('retry' as const), at }),
  fc.record({ on: fc.constant('stop' as const) }),
)

describe('next', () => {
  it('[PRC-10] comes up only from starting, starts only from the beginning or a wait, and never leaves stopped', () => {
    fc.assert(
      fc.property(fc.array(tick), (ticks) => {
        let life: Life = { is: 'starting', since: 0 }
        for (const each of ticks) {
          const before: Life = life
          life = next(before, each)
          if (before.is === 'stopped') {
            expect(life).toBe(before)
          } else if (each.on === 'stop') {
            expect(life).toEqual({ is: 'stopped' })
          } else if (life !== before) {
            const step = `${before.is} ${each.on} ${life.is}`
            expect(['starting ready up', 'starting ended waiting', 'up ended waiting', 'waiting retry starting']).toContain(step)
          }
        }
      }),
    )
  })

  it('[PRC-11] waits for as long as it was told from when the run ended', () => {
    expect(next({ is: 'up', since: 1, pid: 9 }, { on: 'ended', at: 50, delayMs: 100, failures: 1 })).toEqual({
      is: 'waiting',
      until: 150,
      failures: 1,
    })
  })
})
