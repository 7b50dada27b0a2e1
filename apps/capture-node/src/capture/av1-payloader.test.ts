import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { AV1RtpPayload } from 'werift'
import { leb128, readTemporalUnit } from './av1-obu.ts'
import { av1Payloader } from './av1-payloader.ts'

const mtu = 1200
const keyFrame = [0x10]
const interFrame = [0x30]

/** A unit of the bitstream with its size field: type, payload, and the byte of layers where `layers` is given. */
function obu(type: number, payload: Buffer | readonly number[], layers?: number): Buffer {
  const header = layers === undefined ? [(type << 3) | 2] : [(type << 3) | 6, layers]
  return Buffer.concat([Buffer.from(header), leb128(payload.length), Buffer.from(payload)])
}

const delimiter = obu(2, [])
const sequenceHeader = obu(1, [0, 0, 0, 4])

/** `data` as `rtpgstpay` sends it, in fragments of at most `size` bytes. */
function wrapped(data: Buffer, { size = 1180, timestamp = 9_000, flags = 0, event = 0, sequence = 100 } = {}): Buffer[] {
  const count = Math.max(1, Math.ceil(data.length / size))
  return Array.from({ length: count }, (_, index) => {
    const header = Buffer.alloc(20)
    header.set([0x80, (index === count - 1 ? 0x80 : 0) | 96])
    header.writeUInt16BE((sequence + index) & 0xffff, 2)
    header.writeUInt32BE(timestamp, 4)
    header.writeUInt32BE(1234, 8)
    header.set([flags, event], 12)
    header.writeUInt32BE(index * size, 16)
    return Buffer.concat([header, data.subarray(index * size, (index + 1) * size)])
  })
}

/** What stands behind the RTP header and its extension. */
function payloadOf(packet: Buffer): Buffer {
  return packet.subarray((packet[0]! & 0x10) === 0 ? 12 : 16 + 4 * packet.readUInt16BE(14))
}

/** What a payloader makes of arbitrary bytes; they may be a picture that it refuses. */
function takenBy(payloader: (packet: Buffer) => Buffer[], packet: Buffer): Buffer[] {
  try {
    return payloader(packet)
  } catch (error) {
    expect(error).toMatchObject({ code: 'invalid' })
    return []
  }
}

/** The elements of packets, joined where they were cut, by the aggregation header alone. */
function joined(packets: readonly Buffer[]): Buffer[] {
  const all: Buffer[] = []
  let isOpen = false
  for (const packet of packets) {
    const payload = payloadOf(packet)
    expect((payload[0]! & 0x80) !== 0).toBe(isOpen)
    for (let at = 1, isFirst = true; at < payload.length; isFirst = false) {
      const long = (payload[at]! & 0x80) !== 0
      const length = (payload[at]! & 0x7f) + (long ? payload[at + 1]! * 128 : 0)
      at += long ? 2 : 1
      expect(length).toBeGreaterThan(0)
      const element = payload.subarray(at, at + length)
      expect(element.length).toBe(length)
      all.push(isFirst && isOpen ? Buffer.concat([all.pop()!, element]) : element)
      at += length
    }
    isOpen = (payload[0]! & 0x40) !== 0
  }
  expect(isOpen).toBe(false)
  return all
}

describe('AV1 in RTP', () => {
  test('[CAP-1000] a temporal unit comes out as it went in, without its delimiter and sizes, in packets that are full and no larger', () => {
    const payload = fc
      .record({ size: fc.oneof(fc.integer({ min: 1, max: 200 }), fc.integer({ min: 1_000, max: 9_000 })), fill: fc.nat(255) })
      .map(({ size, fill }) => Buffer.alloc(size, fill))
    const unit = fc.array(fc.record({ type: fc.constantFrom(3, 4, 5, 6), payload, hasLayers: fc.boolean() }), {
      minLength: 1,
      maxLength: 6,
    })
    fc.assert(
      fc.property(fc.array(unit, { minLength: 1, maxLength: 4 }), fc.integer({ min: 0, max: 0xffff }), (units, sequence) => {
        const payloader = av1Payloader(mtu)
        let expected: number | undefined
        for (const [index, obus] of units.entries()) {
          const timestamp = index * 3_600
          const data = Buffer.concat([delimiter, ...obus.map((one) => obu(one.type, one.payload, one.hasLayers ? 8 : undefined))])
          const packets = wrapped(data, { timestamp, sequence }).flatMap(payloader)
          const bare = obus.map((one) =>
            Buffer.concat([Buffer.from(one.hasLayers ? [(one.type << 3) | 4, 8] : [one.type << 3]), one.payload]),
          )
          expect(joined(packets)).toEqual(bare)
          for (const [at, packet] of packets.entries()) {
            expect(packet.readUInt16BE(2)).toBe(expected ?? packet.readUInt16BE(2))
            expected = (packet.readUInt16BE(2) + 1) & 0xffff
            expect([packet[0], packet[1]]).toEqual([0x80, at === packets.length - 1 ? 0xe0 : 0x60])
            expect([packet.readUInt32BE(4), packet.readUInt32BE(8)]).toEqual([timestamp, 1234])
            expect(packet.length).toBeLessThanOrEqual(mtu)
            expect(packet.length > mtu - 4 || at === packets.length - 1).toBe(true)
          }
        }
      }),
    )
  })

  test('[CAP-1001] another reader of the format sees the same units, and where it can begin', () => {
    const payloader = av1Payloader(mtu)
    const unit = Buffer.concat([delimiter, sequenceHeader, obu(6, Buffer.concat([Buffer.from(keyFrame), Buffer.alloc(4_000, 7)]))])
    const packets = wrapped(unit).flatMap(payloader)
    const read = packets.map((packet) => AV1RtpPayload.deSerialize(payloadOf(packet)))
    expect(read.map((one) => one.isKeyframe)).toEqual([true, false, false, false])
    expect(read.map(({ zBit_RtpStartsWithFragment: z, yBit_RtpEndsWithFragment: y }) => [z, y])).toEqual([
      [0, 1],
      [1, 1],
      [1, 1],
      [1, 0],
    ])
    const frame = readTemporalUnit(Buffer.concat([delimiter, AV1RtpPayload.getFrame(read)]))
    expect(frame).toEqual(readTemporalUnit(unit))
  })

  test('[CAP-1002] only a key frame behind its sequence header is a place to begin; the SFU is told by the dependency descriptor', () => {
    const payloader = av1Payloader(mtu)
    const begins = (...obus: Buffer[]) => {
      const [packet] = wrapped(Buffer.concat([delimiter, ...obus])).flatMap(payloader)
      return [(payloadOf(packet!)[0]! & 0x08) !== 0, (packet![0]! & 0x10) !== 0]
    }
    expect(begins(sequenceHeader, obu(6, keyFrame))).toEqual([true, true])
    expect(begins(sequenceHeader, obu(3, keyFrame), obu(4, [1]))).toEqual([true, true])
    expect(begins(obu(6, keyFrame))).toEqual([false, false])
    expect(begins(sequenceHeader, obu(6, interFrame))).toEqual([false, false])
    expect(begins(sequenceHeader, obu(3, [0x80]))).toEqual([false, false])
    const [packet] = wrapped(Buffer.concat([sequenceHeader, obu(6, keyFrame)])).flatMap(payloader)
    expect(packet!.subarray(12, 24).toString('hex')).toBe('bede0002' + '25' + '8000008000e0' + '00')
  })

  test('[CAP-1003] new caps in front of the data are taken off; events, padding and what is no AV1 are not sent', () => {
    const payloader = av1Payloader(mtu)
    const unit = Buffer.concat([delimiter, obu(6, interFrame), obu(15, [0, 0]), obu(8, [1])])
    const caps = Buffer.from(`${'video/x-av1, '.repeat(20)}\0`)
    const withCaps = Buffer.concat([Buffer.from([0x80 | (caps.length >> 7), caps.length & 0x7f]), caps, unit])
    expect(joined(wrapped(withCaps, { flags: 0x90, size: 50 }).flatMap(payloader))).toEqual([Buffer.from([0x30, 0x30])])
    for (const [data, options] of [
      [Buffer.from('\x0astream-start'), { event: 4 }],
      [Buffer.from([0x80, 0]), {}],
      [Buffer.from([0x32, 0x7f, 1]), {}],
      [Buffer.from([0x32, 0xff]), {}],
      [Buffer.from([0x34]), {}],
      [Buffer.from([0xff, 0xff, 0xff]), { flags: 0x80 }],
      [Buffer.alloc(0), {}],
    ] as const) {
      expect(wrapped(data, options).flatMap(payloader)).toEqual([])
    }
    expect(payloader(Buffer.alloc(19, 0x80))).toEqual([])
    expect(joined(wrapped(unit).flatMap(payloader))).toEqual([Buffer.from([0x30, 0x30])])
  })

  test('[V2-1951] another profile than that of the offer is no packet but an error that says what to do: 4:4:4 crashes Firefox', () => {
    const units = [0, 1, 2].map((profile) => Buffer.concat([delimiter, obu(1, [profile << 5, 0, 0, 4]), obu(6, keyFrame)]))
    const [main = [], ...others] = units.map((unit) => wrapped(unit))
    for (const packets of others) {
      expect(() => packets.flatMap(av1Payloader(mtu))).toThrow('put "video/x-raw,format=I420 !" in front of the encoder')
    }
    expect(main.flatMap(av1Payloader(mtu)).length).toBe(1)
  })

  test('[CAP-1004] no bytes make it fail otherwise', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 80 })), (packets) => {
        const payloader = av1Payloader(mtu)
        for (const packet of packets) {
          for (const sent of takenBy(payloader, Buffer.from(packet))) {
            expect(sent.length).toBeLessThanOrEqual(mtu)
          }
        }
      }),
    )
  })
})
