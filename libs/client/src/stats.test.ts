import { describe, expect, it } from 'vitest'
import { ratesBetween, readStats } from './stats.ts'

const report = (more: Record<string, unknown> = {}) => [
  {
    id: 'v',
    type: 'inbound-rtp',
    kind: 'video',
    timestamp: 1000,
    bytesReceived: 1000,
    packetsReceived: 90,
    packetsLost: 0,
    codecId: 'c',
    ...more,
  },
  { id: 'a', type: 'inbound-rtp', kind: 'audio', timestamp: 1000, bytesReceived: 500, packetsReceived: 50, packetsLost: 0 },
  { id: 'c', type: 'codec', mimeType: 'video/VP8' },
  { id: 't', type: 'transport', selectedCandidatePairId: 'p' },
  { id: 'p', type: 'candidate-pair', localCandidateId: 'l' },
  { id: 'l', type: 'local-candidate', protocol: 'udp', candidateType: 'relay' },
]

describe('statistics', () => {
  it('[WEB-120] reads codec, path and counters, and takes what is missing as nothing', () => {
    expect(readStats(report(), 12)).toMatchObject({
      codec: 'VP8',
      path: 'udp over relay',
      videoBytes: 1000,
      audioBytes: 500,
      roundTripMs: 12,
    })
    expect(readStats([], undefined)).toMatchObject({ codec: '', path: '', framesPerSecond: 0, bufferMs: 0 })
  })

  it('[WEB-121] rates come from two moments, and never below nothing', () => {
    const before = readStats(report(), undefined)
    const after = readStats(report({ timestamp: 2000, bytesReceived: 126_000, packetsReceived: 180, packetsLost: 10 }), undefined)
    expect(ratesBetween(before, after)).toEqual({ bitsPerSecond: 1_000_000, lossShare: 0.1 })
    expect(ratesBetween(after, before)).toEqual({ bitsPerSecond: 0, lossShare: expect.any(Number) })
    expect(ratesBetween(before, before)).toEqual({ bitsPerSecond: 0, lossShare: 0 })
  })
})
