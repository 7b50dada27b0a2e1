import { FakeClock } from '@neko-edge/testing'
import { describe, expect, it } from 'vitest'
import type { Finger } from './fingers.ts'
import { Trackpad } from './trackpad.ts'

const at = (x: number, y: number): Finger => ({ x, y, pressure: 0.5 })

function setUp() {
  const clock = new FakeClock()
  const said: string[] = []
  const trackpad = new Trackpad(clock, {
    move: () => said.push('move'),
    moveBy: ({ x, y }) => said.push(`>${x.toFixed(0)},${y.toFixed(0)}`),
    button: (code, down) => said.push(`${down ? '+' : '-'}${code}`),
    scroll: ({ deltaX, deltaY }) => said.push(`~${deltaX},${deltaY}`),
    pinch: ({ factor }) => said.push(`*${factor.toFixed(1)}`),
    touch: () => said.push('touch'),
  })
  return { clock, trackpad, said: () => said.splice(0).join(' ') }
}

describe('Trackpad', () => {
  it('[WEB-152] a finger moves the pointer from where it is, a tap clicks there', () => {
    const { clock, trackpad, said } = setUp()
    trackpad.down(1, at(100, 100))
    trackpad.move(1, at(110, 100))
    trackpad.move(1, at(111, 100))
    trackpad.move(1, at(141, 100))
    trackpad.up(1)
    expect(said()).toBe('>1,0 >90,0')
    trackpad.down(1, at(5, 5))
    trackpad.up(1)
    expect([said(), clock.pending]).toEqual(['+1 -1', 0])
  })

  it('[WEB-153] a finger that rests and then moves drags', () => {
    const { clock, trackpad, said } = setUp()
    trackpad.down(1, at(0, 0))
    clock.advance(400)
    trackpad.move(1, at(1, 0))
    trackpad.up(1)
    expect(said()).toBe('+1 >1,0 -1')
    trackpad.down(1, at(0, 0))
    clock.advance(400)
    trackpad.cancel()
    expect(said()).toBe('+1 -1')
  })

  it('[WEB-154] two fingers scroll, a tap of two is the right button', () => {
    const { trackpad, said } = setUp()
    trackpad.down(1, at(0, 0))
    trackpad.down(2, at(30, 0))
    trackpad.move(1, at(0, 50))
    trackpad.move(2, at(30, 50))
    trackpad.up(1)
    trackpad.up(2)
    expect(said()).toBe('~0,1 ~0,1')
    trackpad.down(1, at(0, 0))
    trackpad.down(2, at(30, 0))
    trackpad.up(2)
    trackpad.up(1)
    expect(said()).toBe('+3 -3')
  })

  it('[WEB-1401] two fingers that go apart magnify the view, as they do without the trackpad', () => {
    const { trackpad, said } = setUp()
    trackpad.down(1, at(100, 100))
    trackpad.down(2, at(200, 100))
    trackpad.move(2, at(240, 100))
    trackpad.move(2, at(380, 100))
    trackpad.up(1)
    trackpad.up(2)
    expect(said()).toBe('*2.0')
  })
})
