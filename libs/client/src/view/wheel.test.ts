import { describe, expect, it } from 'vitest'
import { Wheel, type WheelLike } from './wheel.ts'

const turn = (wheel: Wheel, deltaY: number, more: Partial<WheelLike> = {}) =>
  wheel.turn({ deltaX: 0, deltaY, deltaMode: 0, timeStamp: 1000, ...more })

describe('Wheel', () => {
  it('[WEB-30] one notch is one click, in pixels, lines and pages; down is negative', () => {
    expect(turn(new Wheel(), 100)).toEqual({ deltaX: 0, deltaY: -1 })
    expect(turn(new Wheel(), -120)).toEqual({ deltaX: 0, deltaY: 1 })
    expect(turn(new Wheel(), 3, { deltaMode: 1 })).toEqual({ deltaX: 0, deltaY: -1 })
    expect(turn(new Wheel(), 1, { deltaMode: 2 })).toEqual({ deltaX: 0, deltaY: -3 })
    expect(turn(new Wheel(), 0, { deltaX: -100 })).toEqual({ deltaX: 1, deltaY: 0 })
  })

  it('[WEB-31] the small steps of a trackpad add up, and nothing is lost between them', () => {
    const wheel = new Wheel()
    const clicks = Array.from({ length: 50 }, () => turn(wheel, 7).deltaY)
    expect(clicks.reduce((sum, click) => sum + click, 0)).toBe(-7)
  })

  it('[WEB-32] a turn back or a pause starts anew', () => {
    const wheel = new Wheel()
    turn(wheel, 45)
    expect(turn(wheel, -10).deltaY).toBe(0)
    expect(turn(wheel, -40).deltaY).toBe(1)
    turn(wheel, 45)
    expect(turn(wheel, 10, { timeStamp: 2000 }).deltaY).toBe(0)
  })

  it('[WEB-33] no event scrolls further than ten clicks, and leaves no debt', () => {
    const wheel = new Wheel()
    expect(turn(wheel, 1e6)).toEqual({ deltaX: 0, deltaY: -10 })
    expect(turn(wheel, 10)).toEqual({ deltaX: 0, deltaY: 0 })
  })

  it('[WEB-156] is as fast as somebody likes it, and as turned', () => {
    const notch = { deltaX: 0, deltaY: 100, deltaMode: 0, timeStamp: 1000 }
    expect(new Wheel().turn(notch, 3).deltaY).toBe(-3)
    expect(new Wheel().turn(notch, -1).deltaY).toBe(1)
    const slow = new Wheel()
    expect([1, 2, 3, 4].map(() => slow.turn(notch, 0.5).deltaY)).toEqual([0, -1, 0, -1])
  })
})
