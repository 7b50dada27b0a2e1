import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { leb128 } from './av1-obu.ts'
import { av1Payloader } from './av1-payloader.ts'
import { codecs } from './codec.ts'
import { type EncodedFrame, frameReader, streamFormatOf } from './frame-reader.ts'

const hex = (text: string) => Buffer.from(text.replaceAll(' ', ''), 'hex')

/** An RTP packet; `first` is its first byte, where it is not that of a plain one. */
function rtp(payload: string, { time = 90, marker = false, first = '80', extra = '' } = {}): Buffer {
  const head = Buffer.alloc(12)
  hex(first).copy(head)
  head[1] = 96 | (marker ? 0x80 : 0)
  head.writeUInt32BE(time, 4)
  return Buffer.concat([head, hex(extra), hex(payload)])
}

function read(codec: keyof typeof codecs, packets: readonly Buffer[]): (Omit<EncodedFrame, 'data'> & { data: string })[] {
  const reader = frameReader(codecs[codec])
  return packets.flatMap((packet) => {
    const frame = reader(packet)
    return frame ? [{ ...frame, data: frame.data.toString('hex') }] : []
  })
}

describe('VP8', () => {
  it('[CAP-1330] a frame is put together from its packets; its first bit tells a key frame', () => {
    const frames = read('vp8', [rtp('10 00aa'), rtp('00 bb', { marker: true }), rtp('10 01cc', { time: 180, marker: true })])
    expect(frames).toEqual([
      { isKey: true, time: 90, data: '00aabb' },
      { isKey: false, time: 180, data: '01cc' },
    ])
  })

  it('[CAP-1331] every form of the descriptor is taken off, and what RTP puts around the payload', () => {
    const one = (payload: string) => read('vp8', [rtp(payload, { marker: true })])[0]?.data
    // Picture id of 7 and of 15 bits, TL0PICIDX, TID and KEYIDX (RFC 7741 §4.2).
    expect([one('90 80 11 00aa'), one('90 80 8111 00aa'), one('90 f0 8111 22 33 00aa'), one('90 40 22 00aa')]).toEqual(
      Array(4).fill('00aa'),
    )
    const dressed = rtp('10 00aa 0003', { first: 'b1', extra: '00000001 bede0001 00000000', marker: true })
    dressed[dressed.length - 1] = 2
    expect(read('vp8', [dressed])[0]?.data).toBe('00aa')
  })

  it('[CAP-1332] a frame whose beginning is missing is not given, and the next one is', () => {
    const frames = read('vp8', [
      rtp('00 bb', { marker: true }),
      rtp('00 cc', { time: 180, marker: true }),
      rtp('10 01dd', { time: 270, marker: true }),
    ])
    expect(frames.map(({ data }) => data)).toEqual(['01dd'])
  })
})

describe('VP9', () => {
  it('[CAP-1333] the descriptor is taken off with its layers, references and structure; the frame itself tells a key frame', () => {
    const one = (payload: string) => read('vp9', [rtp(payload, { marker: true })])[0]
    expect(one('88 8111 82aa')).toEqual({ isKey: true, time: 90, data: '82aa' })
    expect(one('88 11 86aa')).toEqual({ isKey: false, time: 90, data: '86aa' })
    // I, L (with TL0PICIDX) and B; then flexible with two references.
    expect(one('a8 11 0000 82aa')?.data).toBe('82aa')
    expect(one('d8 11 03 04 86aa')?.data).toBe('86aa')
    // A structure with one size and a group of two pictures, the second with one reference.
    expect(one('8a 11 18 0500 02d0 02 00 04 01 82aa')?.data).toBe('82aa')
  })
})

describe('H.264', () => {
  it('[CAP-1334] single units, aggregates and fragments become a byte stream; an IDR slice makes a key frame', () => {
    const frames = read('h264', [
      rtp('78 0003 6742e0 0002 68ce'),
      rtp('7c 85 aabb'),
      rtp('7c 05 cc'),
      rtp('7c 45 dd', { marker: true }),
      rtp('41 9a', { time: 180, marker: true }),
    ])
    expect(frames).toEqual([
      { isKey: true, time: 90, data: `${'00000001'}6742e0${'00000001'}68ce${'00000001'}65aabbccdd` },
      { isKey: false, time: 180, data: '00000001419a' },
    ])
  })

  it('[CAP-1335] an aggregate that is cut short harms nobody', () => {
    expect(read('h264', [rtp('78 0009 6742e0', { marker: true })])).toEqual([{ isKey: false, time: 90, data: '000000016742e0' }])
    expect(read('h264', [rtp('78 00', { marker: true })])).toEqual([])
  })
})

describe('AV1', () => {
  it('[CAP-1338] what our payloader sends comes back as it was, unit by unit, but for what is not sent', () => {
    fc.assert(
      fc.property(
        fc.array(fc.uint8Array({ minLength: 1, maxLength: 4_000 }), { minLength: 1, maxLength: 4 }),
        fc.boolean(),
        (payloads, isKey) => {
          const obu = (type: number, body: Uint8Array | readonly number[]) =>
            Buffer.concat([Buffer.of((type << 3) | 2), leb128(body.length), Buffer.from(body)])
          const frames = payloads.map((body) => obu(6, [isKey ? 0x10 : 0x30, ...body]))
          const sent = Buffer.concat([...(isKey ? [obu(1, [0, 0, 0, 4])] : []), ...frames])
          const wrapped = rtp('', { marker: true })
          const packets = av1Payloader(1200)(Buffer.concat([wrapped, Buffer.alloc(8), obu(2, []), sent]))
          expect(read('av1', packets)).toEqual([{ isKey, time: 90, data: sent.toString('hex') }])
        },
      ),
    )
  })
})

describe('sound', () => {
  it('[CAP-1336] each packet is a frame', () => {
    expect(read('opus', [rtp('fcaa'), rtp('fcbb', { time: 1050 }), rtp('', { time: 2010 })])).toEqual([
      { isKey: true, time: 90, data: 'fcaa' },
      { isKey: true, time: 1050, data: 'fcbb' },
    ])
  })
})

it('[CAP-1337] a codec that browsers do not decode there has no place on the thin line', () => {
  const places = Object.values(codecs).map((codec) => [codec.name, streamFormatOf(codec)])
  expect(places.filter(([, format]) => format === undefined).map(([name]) => name)).toEqual(['g722'])
  expect(places.every(([name, format]) => format === undefined || format === name)).toBe(true)
})
