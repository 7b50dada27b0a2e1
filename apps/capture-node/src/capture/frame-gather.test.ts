import { FakeClock } from '@neko-edge/testing'
import { expect, it } from 'vitest'
import { FrameGather } from './frame-gather.ts'

/** A packet with a number to know it by; `!` marks the last of a frame. */
const packet = (name: string) => Buffer.from([0x80, name.endsWith('!') ? 0xe0 : 0x60, name.charCodeAt(0)])

function gathering() {
  const clock = new FakeClock()
  const frames: string[] = []
  const gather = new FrameGather(clock, (packets) => frames.push(packets.map((one) => String.fromCharCode(one[2]!)).join('')))
  const push = (...names: string[]) => gather.push(names.map(packet))
  return { clock, frames, gather, push }
}

it('[CAP-1200] packets of a frame come together, however they were read', () => {
  const { frames, push } = gathering()
  push('a')
  push('b', 'c')
  push('d!')
  push('e!', 'f', 'g!', 'h')
  push('i!')
  expect(frames).toEqual(['abcd', 'efg', 'hi'])
})

it('[CAP-1201] a frame that does not end within 3 ms is sent on as far as it came', () => {
  const { clock, frames, push } = gathering()
  push('a')
  clock.advance(2)
  push('b')
  expect(frames).toEqual([])
  clock.advance(1)
  expect(frames).toEqual(['ab'])
  push('c!')
  clock.advance(10)
  expect(frames).toEqual(['ab', 'c'])
})

it('[CAP-1202] what waits when the encoder ends goes out, so that no number is missing', () => {
  const { clock, frames, gather, push } = gathering()
  gather.end()
  push('a')
  gather.end()
  clock.advance(10)
  push('b!')
  expect(frames).toEqual(['a', 'b'])
})
