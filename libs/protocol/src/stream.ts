/*
 * The thin line, `/api/stream`: pictures and sound over a WebSocket, for viewers whom WebRTC does not reach. What the server sends is binary,
 * one message a frame behind a head of six bytes, big endian: format (u8), flags (u8), time (u32, on the clock of the format). The viewer
 * answers in JSON. On its way from the capture node a frame comes in pieces, each behind the same head.
 */

/** What a frame holds, with its number on the wire and the rate of its clock in Hz. `channel`: a message as on the data channel of V3. */
export const streamFormats = {
  vp8: { number: 1, clockRate: 90_000 },
  vp9: { number: 2, clockRate: 90_000 },
  h264: { number: 3, clockRate: 90_000 },
  av1: { number: 4, clockRate: 90_000 },
  jpeg: { number: 16, clockRate: 1_000 },
  opus: { number: 32, clockRate: 48_000 },
  pcmu: { number: 33, clockRate: 8_000 },
  pcma: { number: 34, clockRate: 8_000 },
  channel: { number: 48, clockRate: 1_000 },
} as const
export type StreamFormat = keyof typeof streamFormats

export interface StreamFrame {
  readonly format: StreamFormat
  /** It needs nothing that came before it. */
  readonly isKey: boolean
  /** More of the same frame follows; never from the server to a viewer. */
  readonly isPartial: boolean
  readonly time: number
  readonly data: Uint8Array
}

/** What a viewer wants, or reports, in JSON. */
export type StreamWord =
  /** Pictures and sound from now on: `id` names one of the room's videos, none the best. */
  | { readonly is: 'wish'; readonly picture: 'video' | 'jpeg' | 'none'; readonly id?: string | undefined; readonly sound: boolean }
  /** So many pictures have arrived in all: what is under way is the rest. */
  | { readonly is: 'seen'; readonly pictures: number }
  /** The decoder lost its place. */
  | { readonly is: 'key' }
  /** Answered by a `pong` of the data channel. */
  | { readonly is: 'ping'; readonly time: number }
  /** Where somebody without the controls points. */
  | { readonly is: 'move'; readonly x: number; readonly y: number }

/** What the server says in JSON: something that was wished for can not be given, for as long as the room is as it is. */
export interface StreamRefusal {
  readonly is: 'refused'
  readonly what: 'video' | 'jpeg' | 'sound'
  readonly reason: string
}

export const streamHead = 6
const keyFlag = 1
const partialFlag = 2

const formatOf = new Map<number, StreamFormat>(
  Object.entries(streamFormats).map(([format, { number }]) => [number, format as StreamFormat]),
)

/** One message of frame or piece of a frame. `time` wraps at 2³². */
export function encodeStreamFrame({ format, isKey, isPartial, time, data }: StreamFrame): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(streamHead + data.length)
  bytes[0] = streamFormats[format].number
  bytes[1] = (isKey ? keyFlag : 0) | (isPartial ? partialFlag : 0)
  new DataView(bytes.buffer).setUint32(2, time >>> 0)
  bytes.set(data, streamHead)
  return bytes
}

/** Reads one message; its `data` is a view of it. `undefined` for what is too short or of an unknown format. */
export function decodeStreamFrame(bytes: Uint8Array): StreamFrame | undefined {
  const format = formatOf.get(bytes[0] ?? 0)
  const flags = bytes[1] ?? 0
  if (format === undefined || bytes.length < streamHead) {
    return undefined
  }
  return {
    format,
    isKey: (flags & keyFlag) !== 0,
    isPartial: (flags & partialFlag) !== 0,
    time: new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(2),
    data: bytes.subarray(streamHead),
  }
}
