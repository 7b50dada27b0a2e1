import { describe, expect, it } from 'vitest'
import { boundPlayout } from './playout-delay.ts'

/** An RTP packet of one stream: version 2, no extension, and some payload. */
function packet({ marker = false, flags = 0x80 }: { marker?: boolean; flags?: number } = {}): Buffer {
  const bytes = Buffer.alloc(20, 7)
  bytes[0] = flags
  bytes[1] = (marker ? 0x80 : 0) | 96
  return bytes
}

describe('how long a picture may be held back', () => {
  it('[SFU-40] is said twice a second, in the first packet of a frame', () => {
    const bounded = boundPlayout()
    const frame = [packet(), packet(), packet({ marker: true })]
    const lengths = (nowMs: number) => frame.map((one) => bounded(one, nowMs).length)
    expect([0, 40, 499, 500, 540, 1_200].map(lengths)).toEqual([
      [28, 20, 20],
      [20, 20, 20],
      [20, 20, 20],
      [28, 20, 20],
      [20, 20, 20],
      [28, 20, 20],
    ])
  })

  it('[SFU-41] stands behind the header as RFC 8285 has it, and leaves the rest as it was', () => {
    const before = packet()
    const after = boundPlayout()(before, 0)
    expect(after[0]).toBe(0x90)
    expect(after.subarray(1, 12)).toEqual(before.subarray(1, 12))
    expect([...after.subarray(12, 20)]).toEqual([0xbe, 0xde, 0x00, 0x01, 0x12, 0, 0, 0])
    expect(after.subarray(20)).toEqual(before.subarray(12))
    expect(before[0]).toBe(0x80)
  })

  it('[SFU-1000] stands before the extensions that a payloader of ours has written', () => {
    const before = packet({ flags: 0x90 })
    before.set([0xbe, 0xde, 0, 1, 0x22, 1, 2, 3], 12)
    const after = boundPlayout()(before, 0)
    expect([...after.subarray(12)]).toEqual([0xbe, 0xde, 0, 2, 0x12, 0, 0, 0, 0x22, 1, 2, 3])
    expect(after.subarray(0, 12)).toEqual(before.subarray(0, 12))
  })

  it('[SFU-42] leaves packets alone that are not of our payloaders: with other extensions, with sources, too short', () => {
    for (const strange of [packet({ flags: 0x90 }), packet({ flags: 0x82 }), Buffer.alloc(4, 0x80), Buffer.alloc(12, 0x90)]) {
      expect(boundPlayout()(strange, 0)).toBe(strange)
    }
  })
})
