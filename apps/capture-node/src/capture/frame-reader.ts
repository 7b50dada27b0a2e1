/**
 * Whole frames out of the encoder's RTP, for the thin line. The packets come over a pipe, in order and without loss: a frame is what lies
 * between two ends of a frame, and one that misses its beginning is never given.
 */
import type { StreamFormat } from '@neko-edge/protocol'
import { leb128, readLeb128 } from './av1-obu.ts'
import type { Codec } from './codec.ts'

export interface EncodedFrame {
  /** Decodable without anything before it. */
  readonly isKey: boolean
  /** RTP time, on the clock of the codec. */
  readonly time: number
  readonly data: Buffer
}

/** Takes packets one by one, and gives the frame that each completes. */
export type FrameReader = (packet: Buffer) => EncodedFrame | undefined

/** What one packet adds to its frame: with a part that `begins` it a frame may start, one that `isKey` makes a key frame of it. */
interface Part {
  readonly begins: boolean
  readonly isKey?: boolean
  readonly data: readonly Buffer[]
}
type PartReader = (payload: Buffer) => Part | undefined

const rtpHeaderLength = 12

/** The format that a codec has on the thin line; `undefined` for the one that browsers do not decode there. */
export function streamFormatOf({ name }: Codec): StreamFormat | undefined {
  return name === 'g722' ? undefined : name
}

/** Reads the frames of a codec; for sound, each packet is one. */
export function frameReader({ name }: Codec): FrameReader {
  switch (name) {
    case 'vp8':
      return videoReader(vp8Part)
    case 'vp9':
      return videoReader(vp9Part)
    case 'h264':
      return videoReader(h264Part)
    case 'av1':
      return videoReader(av1Parts())
    case 'opus':
    case 'g722':
    case 'pcmu':
    case 'pcma':
      return (packet) => {
        const { time, payload } = rtp(packet)
        return payload.length === 0 ? undefined : { isKey: true, time, data: payload }
      }
    default:
      return name satisfies never
  }
}

function videoReader(partOf: PartReader): FrameReader {
  let frame: { time: number; isKey: boolean; data: Buffer[] } | undefined
  let lastTime: number | undefined
  return (packet) => {
    const { time, marker, payload } = rtp(packet)
    const part = partOf(payload)
    if (time !== lastTime) {
      lastTime = time
      frame = part?.begins ? { time, isKey: false, data: [] } : undefined
    }
    if (frame && part) {
      frame.isKey ||= part.isKey === true
      frame.data.push(...part.data)
    }
    if (!marker || !frame || frame.data.length === 0) {
      return undefined
    }
    const whole = { ...frame, data: Buffer.concat(frame.data) }
    frame = undefined
    return whole
  }
}

/** RFC 3550 §5.1, with CSRCs, extension and padding taken off. */
function rtp(packet: Buffer): { time: number; marker: boolean; payload: Buffer } {
  const first = packet[0] ?? 0
  let start = rtpHeaderLength + 4 * (first & 0x0f)
  if (first & 0x10) {
    start += 4 + 4 * (start + 4 <= packet.length ? packet.readUInt16BE(start + 2) : 0)
  }
  const end = packet.length - (first & 0x20 ? (packet.at(-1) ?? 0) : 0)
  return { time: packet.readUInt32BE(4), marker: ((packet[1] ?? 0) & 0x80) !== 0, payload: packet.subarray(start, Math.max(start, end)) }
}

/** RFC 7741 §4.2. */
function vp8Part(payload: Buffer): Part | undefined {
  const first = payload[0] ?? 0
  let length = 1
  if (first & 0x80) {
    const extension = payload[1] ?? 0
    length = 2
    if (extension & 0x80) {
      length += (payload[length] ?? 0) & 0x80 ? 2 : 1
    }
    length += extension & 0x40 ? 1 : 0
    length += extension & 0x30 ? 1 : 0
  }
  if (length >= payload.length) {
    return undefined
  }
  const begins = (first & 0x10) !== 0 && (first & 0x07) === 0
  // RFC 6386 §9.1: the lowest bit of a frame is 0 in a key frame.
  return { begins, isKey: begins && ((payload[length] ?? 1) & 1) === 0, data: [payload.subarray(length)] }
}

/** RFC 9628 §4.2; what is sent here has one layer, so that a frame is one picture. */
function vp9Part(payload: Buffer): Part | undefined {
  const first = payload[0] ?? 0
  const [hasId, isPredicted, hasLayers, isFlexible, begins, hasStructure] = [0x80, 0x40, 0x20, 0x10, 0x08, 0x02].map(
    (bit) => (first & bit) !== 0,
  )
  let at = 1
  if (hasId) {
    at += (payload[at] ?? 0) & 0x80 ? 2 : 1
  }
  if (hasLayers) {
    at += isFlexible ? 1 : 2
  }
  if (isFlexible && isPredicted) {
    let more = true
    for (let count = 0; more && count < 3; count++, at++) {
      more = ((payload[at] ?? 0) & 1) !== 0
    }
  }
  if (hasStructure) {
    at = afterStructure(payload, at)
  }
  if (at >= payload.length) {
    return undefined
  }
  const data = payload.subarray(at)
  return { begins: begins === true, isKey: begins === true && isVp9Key(data), data: [data] }
}

/** Behind the scalability structure: sizes of the layers, and a picture group with its references. */
function afterStructure(payload: Buffer, start: number): number {
  const head = payload[start] ?? 0
  let at = start + 1 + (head & 0x10 ? 4 * ((head >> 5) + 1) : 0)
  if (head & 0x08) {
    const pictures = payload[at] ?? 0
    at += 1
    for (let index = 0; index < pictures; index++) {
      at += 1 + (((payload[at] ?? 0) >> 2) & 0x03)
    }
  }
  return at
}

/** VP9 bitstream §6.2: marker, profile, `show_existing_frame`, then `frame_type`, which is 0 in a key frame. */
function isVp9Key(frame: Buffer): boolean {
  const first = frame[0] ?? 0
  // In profile 3 one more bit is reserved.
  const shift = (first & 0x30) === 0x30 ? 1 : 0
  return (first & (0x08 >> shift)) === 0 && (first & (0x04 >> shift)) === 0
}

const startCode = Buffer.from([0, 0, 0, 1])
const unit = (...bytes: readonly Buffer[]) => Buffer.concat([startCode, ...bytes])
const stapA = 24
const fuA = 28

/** The type of a slice of an IDR picture. */
const idr = 5

/** RFC 6184 §5, as the byte stream of annex B: each unit behind a start code. */
function h264Part(payload: Buffer): Part | undefined {
  const first = payload[0] ?? 0
  const type = first & 0x1f
  if (type === stapA) {
    const units: Buffer[] = []
    for (let at = 1; at + 2 < payload.length; at += 2 + payload.readUInt16BE(at)) {
      units.push(payload.subarray(at + 2, at + 2 + payload.readUInt16BE(at)))
    }
    return { begins: true, isKey: units.some((bytes) => ((bytes[0] ?? 0) & 0x1f) === idr), data: units.map((bytes) => unit(bytes)) }
  }
  if (type === fuA) {
    const head = payload[1] ?? 0
    const begins = (head & 0x80) !== 0
    const rest = payload.subarray(2)
    const data = begins ? unit(Buffer.from([(first & 0xe0) | (head & 0x1f)]), rest) : rest
    return { begins, isKey: begins && (head & 0x1f) === idr, data: [data] }
  }
  return payload.length > 0 && type < stapA ? { begins: true, isKey: type === idr, data: [unit(payload)] } : undefined
}

/** The aggregation header of AV1: goes on from the packet before, goes on in the next, a viewer can begin here. */
const continuedBit = 0x80
const unfinishedBit = 0x40
const beginsSequenceBit = 0x08
const hasSizeBit = 0x02
const av1ExtensionBit = 0x04

/** Our own payloader's packets (`av1-payloader.ts`), back in the low-overhead format: each unit with its size, as decoders want it. */
function av1Parts(): PartReader {
  let open: Buffer | undefined
  return (payload) => {
    const flags = payload[0] ?? 0
    const isContinued = (flags & continuedBit) !== 0
    const elements: Buffer[] = []
    for (let at = 1; at < payload.length; ) {
      const size = readLeb128(payload, at)
      if (size === undefined) {
        return undefined
      }
      at += size.length
      elements.push(payload.subarray(at, at + size.value))
      at += size.value
    }
    if (isContinued && elements[0]) {
      elements[0] = open ? Buffer.concat([open, elements[0]]) : elements[0]
    }
    open = (flags & unfinishedBit) === 0 ? undefined : elements.pop()
    return { begins: !isContinued, isKey: (flags & beginsSequenceBit) !== 0, data: elements.map(withSize) }
  }
}

function withSize(obu: Buffer): Buffer {
  const first = obu[0] ?? 0
  const headLength = (first & av1ExtensionBit) === 0 ? 1 : 2
  const body = obu.subarray(headLength)
  return Buffer.concat([Buffer.of(first | hasSizeBit), obu.subarray(1, headLength), leb128(body.length), body])
}
