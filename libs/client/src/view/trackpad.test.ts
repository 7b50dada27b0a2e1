import { FakeClock } from '@neko-edge/testing'
import { describe, expect, it } from 'vitest'
import { Trackpad } from './trackpad.ts'

function setUp() {
  const clock = new FakeClock()
  const said: string[] = []
  const trackpad = new Trackpad(clock, {
    move: () => said.push('move'),
    moveBy: ({ x, y }) => said.push(`>${x.toFixed(0)},${y.toFixed(0)}`),
    button: (code, down) => said.push(`${down ? '+' : '-'}${code}`),
    scroll: ({ deltaX, deltaY }) => said.push(`~${deltaX},${deltaY}`),
    pinch: () => said.push('pinch'),
  })
  return { clock, trackpad, said: () => said.splice(0).join(' ') }
}

describe('Trackpad', () => {
  it('[WEB-152] a finger moves the pointer from where it is, a tap clicks there', () => {
    const { clock, trackpad, said } = setUp()
    trackpad.down(1, { x: 100, y: 100 })
    trackpad.move(1, { x: 110, y: 100 })
    trackpad.move(1, { x: 111, y: 100 })
    trackpad.move(1, { x: 141, y: 100 })
    trackpad.up(1)
    expect(said()).toBe('>1,0 >90,0')
    trackpad.down(1, { x: 5, y: 5 })
    trackpad.up(1)
    expect([said(), clock.pending]).toEqual(['+1 -1', 0])
  })

  it('[WEB-153] a finger that rests and then moves drags', () => {
    const { clock, trackpad, said } = setUp()
    trackpad.down(1, { x: 0, y: 0 })
    clock.advance(400)
    trackpad.move(1, { x: 1, y: 0 })
    trackpad.up(1)
    expect(said()).toBe('+1 >1,0 -1')
    trackpad.down(1, { x: 0, y: 0 })
    clock.advance(400)
    trackpad.cancel()
    expect(said()).toBe('+1 -1')
  })

  it('[WEB-154] two fingers scroll, a tap of two is the right button', () => {
    const { trackpad, said } = setUp()
    trackpad.down(1, { x: 0, y: 0 })
    trackpad.down(2, { x: 30, y: 0 })
    trackpad.move(1, { x: 0, y: 50 })
    trackpad.move(2, { x: 30, y: 50 })
    trackpad.up(1)
    trackpad.up(2)
    expect(said()).toBe('~0,1 ~0,1')
    trackpad.down(1, { x: 0, y: 0 })
    trackpad.down(2, { x: 30, y: 0 })
    trackpad.up(2)
    trackpad.up(1)
    expect(said()).toBe('+3 -3')
  })
})
