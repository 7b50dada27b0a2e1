import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ControlGuard } from './control-guard.ts'

describe('who may move the pointer', () => {
  it('[CTL-1] takes input of the session that the newest fence names, and of nobody else', () => {
    const guard = new ControlGuard()
    guard.note(4, 'ann')
    expect(guard.admits('ann', 4)).toBe(true)
    expect(guard.admits('bob', 4)).toBe(false)
    guard.note(5, undefined)
    expect(guard.admits('ann', 4)).toBe(false)
    expect(guard.isHost('ann')).toBe(false)
  })

  it('[CTL-2] believes a newer fence that comes with input before the event does, and ignores the late event', () => {
    const guard = new ControlGuard()
    guard.note(4, 'ann')
    expect(guard.admits('bob', 6)).toBe(true)
    expect(guard.note(5, 'ann')).toBe(false)
    expect(guard.admits('ann', 5)).toBe(false)
    expect(guard.isHost('bob')).toBe(true)
  })

  it('[CTL-3] never admits two sessions one after the other without a newer fence between them', () => {
    const message = fc.record({ session: fc.constantFrom('a', 'b', 'c'), fence: fc.nat(20) })
    fc.assert(
      fc.property(fc.array(message, { maxLength: 60 }), (messages) => {
        // The scripts give a fence to one session only.
        const owner = new Map<number, string>()
        const guard = new ControlGuard()
        let newest = -1
        for (const { session, fence } of messages) {
          const host = owner.get(fence) ?? session
          owner.set(fence, host)
          if (guard.admits(host, fence)) {
            expect(fence).toBeGreaterThanOrEqual(newest)
            newest = fence
          }
        }
      }),
    )
  })
})
