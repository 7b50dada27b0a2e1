import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { framed, RtpUnframer } from './rtp-framing.ts'

describe('RTP framing', () => {
  test('[CAP-10] packets survive any cutting of the stream', () => {
    const packets = fc.array(fc.uint8Array({ maxLength: 60 }), { maxLength: 12 })
    fc.assert(
      fc.property(packets, fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1 }), (sent, cuts) => {
        const stream = Buffer.concat(sent.map((packet) => framed(Buffer.from(packet))))
        const unframer = new RtpUnframer()
        const got: Buffer[] = []
        for (let at = 0, cut = 0; at < stream.length; cut += 1) {
          const length = cuts[cut % cuts.length] ?? 1
          got.push(...unframer.push(stream.subarray(at, at + length)))
          at += length
        }
        expect(got.map((packet) => [...packet])).toEqual(sent.map((packet) => [...packet]))
      }),
    )
  })
})
