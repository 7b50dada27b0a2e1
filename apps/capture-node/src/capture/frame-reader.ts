/**
 * Whole frames out of the encoder's RTP, for the thin line. The packets come over a pipe, in order and without loss: a frame is what lies
 * between two ends of a frame, and one that misses its beginning is never given.
 */
import type { StreamFormat } from '@neko-edge/protocol'
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

/** What one packet adds to its frame: a part that `begins` it may only come first. */
interface Part {
  readonly begins: boolean
  readonly data: readonly Buffer[]
}

const rtpHeaderLength = 12

/** The format that a codec has on the thin line; `undefined` for those that browsers can not decode there, or that we can not take apart. */
export function streamFormatOf({ name }: Codec): StreamFormat | undefined {
  return name === 'av1' || name === 'g722' ? undefined : name
}

/** Reads the frames of a codec; for sound, each packet is one. The codec must have a format on the thin line. */
export function frameReader({ kind, name }: Codec): FrameReader {
  if (kind === 'audio') {
    return (packet) => {
      const { time, payload } = rtp(packet)
      return payload.length === 0 ? undefined : { isKey: true, time, data: payload }
    }
  }
  switch (name) {
    case 'vp9':
      return videoReader(vp9Part, ([first]) => first !== undefined && isVp9Key(first))
    case 'h264':
      // A unit of type 5 is a slice of an IDR picture; what a fragment goes on with never looks like a start code.
      return videoReader(h264Part, (parts) => parts.some((part) => part.subarray(0, 4).equals(startCode) && ((part[4] ?? 0) & 0x1f) === 5))
    default:
      // RFC 6386 §9.1: the lowest bit of the first byte is 0 in a key frame.
      return videoReader(vp8Part, ([first]) => first !== undefined && ((first[0] ?? 1) & 1) === 0)
  }
}

function videoReader(partOf: (payload: Buffer) => Part | undefined, isKey: (parts: readonly Buffer[]) => boolean): FrameReader {
  let parts: Buffer[] | undefined
  let frameTime: number | undefined
  return (packet) => {
    const { time, marker, payload } = rtp(packet)
    const part = partOf(payload)
    if (time !== frameTime) {
      frameTime = time
      parts = part?.begins ? [] : undefined
    }
    if (part) {
      parts?.push(...part.data)
    }
    if (!marker || !parts || parts.length === 0) {
      return undefined
    }
    const frame = { isKey: isKey(parts), time, data: Buffer.concat(parts) }
    parts = undefined
    return frame
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
  return length < payload.length ? { begins: (first & 0x10) !== 0 && (first & 0x07) === 0, data: [payload.subarray(length)] } : undefined
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
  return at < payload.length ? { begins: begins === true, data: [payload.subarray(at)] } : undefined
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

/** RFC 6184 §5, as the byte stream of annex B: each unit behind a start code. */
function h264Part(payload: Buffer): Part | undefined {
  const first = payload[0] ?? 0
  const type = first & 0x1f
  if (type === stapA) {
    const data: Buffer[] = []
    for (let at = 1; at + 2 < payload.length; at += 2 + payload.readUInt16BE(at)) {
      data.push(unit(payload.subarray(at + 2, at + 2 + payload.readUInt16BE(at))))
    }
    return { begins: true, data }
  }
  if (type === fuA) {
    const head = payload[1] ?? 0
    const begins = (head & 0x80) !== 0
    const rest = payload.subarray(2)
    return { begins, data: [begins ? unit(Buffer.from([(first & 0xe0) | (head & 0x1f)]), rest) : rest] }
  }
  return payload.length > 0 && type < stapA ? { begins: true, data: [unit(payload)] } : undefined
}
