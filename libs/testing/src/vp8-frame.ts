/** VP8 out of RTP (RFC 7741): frames from packets, and what a frame's first bytes tell (RFC 6386 §9.1). */
import type { RtpPacketView } from './rtp-meter.ts'

export interface Vp8Frame {
  /** RTP time, 90 kHz. */
  timestamp: number
  /** When its last packet came, `performance.now()` milliseconds. */
  at: number
  keyFrame: boolean
  bytes: Uint8Array
}

interface Piece {
  start: boolean
  marker: boolean
  data: Uint8Array
}

/** Length of the payload descriptor, and whether the packet begins a frame (RFC 7741 §4.2); undefined when it is cut short. */
export function vp8Descriptor(payload: Uint8Array): { length: number; start: boolean } | undefined {
  const first = payload[0]
  if (first === undefined) {
    return undefined
  }
  const start = (first & 0x10) !== 0 && (first & 0x07) === 0
  if ((first & 0x80) === 0) {
    return { length: 1, start }
  }
  const extension = payload[1] ?? 0
  let length = 2
  if (extension & 0x80) {
    length += (payload[length] ?? 0) & 0x80 ? 2 : 1
  }
  length += extension & 0x40 ? 1 : 0
  length += extension & 0x30 ? 1 : 0
  return length < payload.length ? { length, start } : undefined
}

/** Whether a payload is the first of a key frame: start of partition 0, and the inverse key frame bit of its first byte is 0. */
export function beginsVp8KeyFrame(payload: Uint8Array): boolean {
  const descriptor = vp8Descriptor(payload)
  return descriptor?.start === true && ((payload[descriptor.length] ?? 1) & 1) === 0
}

/** Width and height in pixels of a key frame; undefined for any other frame. */
export function vp8Size(frame: Uint8Array): { width: number; height: number } | undefined {
  const [tag = 1, , , a, b, c, w0 = 0, w1 = 0, h0 = 0, h1 = 0] = frame
  if ((tag & 1) !== 0 || a !== 0x9d || b !== 0x01 || c !== 0x2a) {
    return undefined
  }
  return { width: (w0 | (w1 << 8)) & 0x3fff, height: (h0 | (h1 << 8)) & 0x3fff }
}

/** Puts packets together to frames, whatever order they come in within one frame. A frame that misses a packet is never given. */
export class Vp8Assembler {
  #timestamp: number | undefined
  #pieces = new Map<number, Piece>()

  /** Takes a packet; gives the frame that it completes. */
  push(packet: RtpPacketView): Vp8Frame | undefined {
    const descriptor = vp8Descriptor(packet.payload)
    if (!descriptor) {
      return undefined
    }
    if (packet.timestamp !== this.#timestamp) {
      this.#timestamp = packet.timestamp
      this.#pieces = new Map()
    }
    const data = packet.payload.subarray(descriptor.length)
    this.#pieces.set(packet.sequence, { start: descriptor.start, marker: packet.marker, data })
    const bytes = this.#whole()
    if (!bytes) {
      return undefined
    }
    this.#pieces = new Map()
    return { timestamp: packet.timestamp, at: performance.now(), keyFrame: ((bytes[0] ?? 1) & 1) === 0, bytes }
  }

  #whole(): Uint8Array | undefined {
    const first = [...this.#pieces].find(([, piece]) => piece.start)
    if (!first) {
      return undefined
    }
    const parts: Uint8Array[] = []
    for (let sequence = first[0]; ; sequence = (sequence + 1) & 0xffff) {
      const piece = this.#pieces.get(sequence)
      if (!piece) {
        return undefined
      }
      parts.push(piece.data)
      if (piece.marker) {
        return Buffer.concat(parts)
      }
    }
  }
}
