import { FakeClock } from '@neko-edge/testing'
import { expect, it } from 'vitest'
import type { RtpSource } from '../capture/rtp-source.ts'
import { KeyFrameGate } from './key-frame-gate.ts'

function world(viewers: number) {
  const clock = new FakeClock()
  const gate = new KeyFrameGate(clock, () => viewers)
  const asked: number[] = []
  // The gate asks for nothing else of a source.
  const source = { requestKeyFrame: () => asked.push(clock.now()) } as unknown as RtpSource
  return { clock, gate, asked, source }
}

it('[SFU-1703] in a crowd at most one request a second reaches the encoder, the first at once and none lost', () => {
  const { clock, gate, asked, source } = world(500)
  for (let index = 0; index < 500; index++) {
    gate.request(source)
    clock.advance(20)
  }
  clock.advance(2_000)
  expect(asked).toHaveLength(11)
  expect(asked.slice(1).every((at, index) => at - (asked[index] ?? 0) >= 1_000)).toBe(true)
  expect(clock.pending).toBe(0)
})

it('[SFU-1704] among few, four a second; another stream does not wait; nothing is asked after the end', () => {
  const { clock, gate, asked, source } = world(3)
  const other = world(3)
  gate.request(source)
  gate.request(other.source)
  clock.advance(100)
  gate.request(source)
  clock.advance(150)
  expect(asked).toHaveLength(2)
  expect(other.asked).toHaveLength(1)
  gate.request(source)
  gate.close()
  clock.advance(1_000)
  expect(asked).toHaveLength(2)
})
