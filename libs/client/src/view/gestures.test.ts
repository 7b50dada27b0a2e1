import { FakeClock } from '@neko-edge/testing'
import { describe, expect, it } from 'vitest'
import type { Finger } from './fingers.ts'
import { Gestures } from './gestures.ts'

const at = (x: number, y: number): Finger => ({ x, y, pressure: 0.5 })

function setUp() {
  const clock = new FakeClock()
  const said: string[] = []
  const gestures = new Gestures(clock, {
    move: ({ x, y }) => said.push(`@${x},${y}`),
    moveBy: () => said.push('by'),
    pinch: ({ factor, at, by }) => said.push(`*${factor.toFixed(1)}@${at.x},${at.y}>${by.x},${by.y}`),
    button: (code, down) => said.push(`${down ? '+' : '-'}${code}`),
    touch: () => said.push('touch'),
    scroll: ({ deltaX, deltaY }) => said.push(`~${deltaX},${deltaY}`),
  })
  return { clock, gestures, said: () => said.splice(0).join(' ') }
}

describe('Gestures', () => {
  it('[WEB-90] a tap is a click where the finger came down', () => {
    const { clock, gestures, said } = setUp()
    gestures.down(1, at(10, 20))
    gestures.move(1, at(14, 22))
    clock.advance(200)
    gestures.up(1)
    expect(said()).toBe('@10,20 +1 -1')
    expect(clock.pending).toBe(0)
  })

  it('[WEB-91] a finger that moves drags with the button held', () => {
    const { clock, gestures, said } = setUp()
    gestures.down(1, at(0, 0))
    gestures.move(1, at(20, 0))
    gestures.move(1, at(30, 5))
    clock.advance(5_000)
    gestures.up(1)
    expect(said()).toBe('@0,0 +1 @20,0 @30,5 -1')
  })

  it('[WEB-92] a finger that stays presses the right button, and lifting it does nothing more', () => {
    const { clock, gestures, said } = setUp()
    gestures.down(1, at(7, 8))
    clock.advance(500)
    expect(said()).toBe('@7,8 +3 -3')
    gestures.move(1, at(90, 8))
    gestures.up(1)
    expect(said()).toBe('')
  })

  it('[WEB-93] two fingers scroll, the content following them; a tap of two is the right button', () => {
    const { gestures, said } = setUp()
    gestures.down(1, at(0, 0))
    gestures.down(2, at(20, 0))
    gestures.move(1, at(0, 50))
    gestures.move(2, at(20, 50))
    gestures.up(1)
    gestures.up(2)
    expect(said()).toBe('@10,0 ~0,1 ~0,1')
    gestures.down(1, at(0, 0))
    gestures.down(2, at(20, 0))
    gestures.up(2)
    gestures.up(1)
    expect(said()).toBe('@10,0 +3 -3')
  })

  it('[WEB-94] fingers taken away by the system leave no button held', () => {
    const { clock, gestures, said } = setUp()
    gestures.down(1, at(0, 0))
    gestures.move(1, at(50, 0))
    gestures.cancel()
    expect(said()).toBe('@0,0 +1 @50,0 -1')
    gestures.down(1, at(0, 0))
    gestures.cancel()
    expect(clock.pending).toBe(0)
  })

  it('[WEB-155] two fingers that go apart magnify the view, and scroll or click nothing', () => {
    const { gestures, said } = setUp()
    gestures.down(1, at(100, 100))
    gestures.down(2, at(200, 100))
    gestures.move(2, at(240, 100))
    gestures.move(2, at(380, 100))
    gestures.up(1)
    gestures.up(2)
    expect(said()).toBe('*2.0@170,100>70,0')
  })
})
