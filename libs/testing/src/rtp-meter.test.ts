import { expect, test } from 'vitest'
import { RtpMeter } from './rtp-meter.ts'

const packet = (sequence: number, timestamp = 0, ssrc = 1) => ({ ssrc, sequence, timestamp, marker: false, payload: new Uint8Array(100) })

test('[TST-3] skipped sequence numbers are missing until they come late, also over the wrap', () => {
  const meter = new RtpMeter()
  for (const sequence of [65_534, 65_535, 2]) {
    meter.count(packet(sequence), false)
  }
  expect(meter.missing).toBe(2)
  meter.count(packet(0), false)
  expect(meter.missing).toBe(1)
})

test('[TST-3] a repeated packet makes nothing missing and nothing found', () => {
  const meter = new RtpMeter()
  for (const sequence of [1, 2, 2, 4]) {
    meter.count(packet(sequence), false)
  }
  expect(meter.missing).toBe(1)
})

test('[TST-3] packets, bytes, key frames and frames are counted', () => {
  const meter = new RtpMeter()
  meter.count(packet(1, 90), true)
  meter.count(packet(2, 90), false)
  meter.count(packet(3, 180), false)
  expect(meter).toMatchObject({ packets: 3, bytes: 300, keyFrames: 1, frames: 2 })
})

test('[TST-3] another source begins its own numbers, and none are missing between', () => {
  const meter = new RtpMeter()
  meter.count(packet(10, 0, 1), false)
  meter.count(packet(9_000, 0, 2), false)
  meter.count(packet(9_002, 0, 2), false)
  expect(meter.missing).toBe(1)
})
