import { z } from 'zod'
import { ScreenSize } from './room.ts'
import { decodeStreamFrame, encodeStreamFrame, type StreamFrame, streamHead } from './stream.ts'
import type { PeerAudio, PeerVideo } from './v3/wire.ts'

/*
 * What a control plane asks of the capture node that has a room. Arguments are parsed on arrival: Redis is a network,
 * and a process of another version may be at the other end.
 */

const session = z.string()
const selector = z.object({ id: z.string(), type: z.enum(['exact', 'nearest', 'lower', 'higher']), bitrate: z.number() })
const video = z.object({ disabled: z.boolean().optional(), selector: selector.optional(), auto: z.boolean().optional() })
const audio = z.object({ disabled: z.boolean().optional() })
const modifiers = z.partialRecord(z.enum(['shift', 'capslock', 'control', 'alt', 'numlock', 'meta', 'super', 'altgr']), z.boolean())
const point = z.object({ x: z.number(), y: z.number() })

/** One thing that the host does; `at` moves the pointer there first. */
export const ControlInput = z.discriminatedUnion('is', [
  z.object({ is: z.literal('move'), x: z.number(), y: z.number() }),
  z.object({ is: z.literal('scroll'), deltaX: z.number(), deltaY: z.number(), control: z.boolean() }),
  z.object({ is: z.literal('button'), code: z.number(), down: z.boolean(), at: point.optional() }),
  z.object({ is: z.literal('key'), keysym: z.number(), down: z.boolean(), at: point.optional() }),
  z.object({ is: z.literal('press-button'), code: z.number(), at: point.optional() }),
  /** Everything that is held is released, the keys go down in order, and up again. */
  z.object({ is: z.literal('press-keys'), keysyms: z.array(z.number()), at: point.optional() }),
  z.object({
    is: z.literal('touch'),
    phase: z.enum(['begin', 'update', 'end']),
    id: z.number(),
    x: z.number(),
    y: z.number(),
    pressure: z.number(),
  }),
])
export type ControlInput = z.infer<typeof ControlInput>

/** What of a room can be fed: one of its videos (`''`: the best), its sound, its screencast, or what the data channel of V3 tells everybody. */
export const FeedSource = z.discriminatedUnion('is', [
  z.object({ is: z.literal('video'), id: z.string() }),
  z.object({ is: z.enum(['sound', 'jpeg', 'channel']) }),
])
export type FeedSource = z.infer<typeof FeedSource>

/** The calls of a capture node, by name. */
export const nodeCalls = {
  'peer.open': z.object({ session, kind: z.enum(['v3', 'v2']), video, audio }),
  'peer.answer': z.object({ session, peer: z.string(), sdp: z.string() }),
  'peer.offer': z.object({ session, peer: z.string(), sdp: z.string() }),
  'peer.restart': z.object({ session, peer: z.string() }),
  'peer.candidate': z.object({ session, peer: z.string(), candidate: z.string() }),
  'peer.video': z.object({ session, peer: z.string(), video }),
  'peer.audio': z.object({ session, peer: z.string(), audio }),
  'peer.close': z.object({ session, peer: z.string() }),
  input: z.object({ session, fence: z.number(), input: ControlInput }),
  'screen.set': z.object({ actor: session, size: ScreenSize }),
  'screen.list': z.object({}),
  'screen.shot': z.object({ quality: z.number() }),
  'screen.cast': z.object({ frozen: z.boolean() }),
  'keyboard.map': z.object({}),
  'keyboard.map.set': z.object({ layout: z.string(), variant: z.string() }),
  'keyboard.modifiers': z.object({}),
  'keyboard.modifiers.set': z.object({ modifiers }),
  'clipboard.get': z.object({}),
  'clipboard.set': z.object({ text: z.string().optional(), html: z.string().optional() }),
  'clipboard.image': z.object({}),
  'broadcast.start': z.object({ actor: session, url: z.string() }),
  'broadcast.stop': z.object({ actor: session }),
  'dialog.close': z.object({}),
  /** More of an answer that was too long for one message. */
  'blob.read': z.object({ blob: z.string(), offset: z.number() }),
  /** Makes room for files: `desktop` to be dropped or chosen there, `transfer` for the transfer directory. */
  'upload.open': z.object({ to: z.enum(['desktop', 'transfer']) }),
  /** The writes that follow are of a new file with this name. */
  'upload.file': z.object({ upload: z.string(), name: z.string() }),
  'upload.write': z.object({ upload: z.string(), data: z.string().max(64 * 1024) }),
  'upload.drop': z.object({ upload: z.string(), x: z.number(), y: z.number() }),
  'upload.choose': z.object({ upload: z.string() }),
  /** Puts the files into the transfer directory, each in one step. */
  'upload.keep': z.object({ upload: z.string() }),
  'upload.cancel': z.object({ upload: z.string() }),
  'files.find': z.object({ name: z.string() }),
  'files.read': z.object({ name: z.string(), version: z.string(), offset: z.number(), length: z.number() }),
  'files.delete': z.object({ name: z.string() }),
  /** Looks into the transfer directory now. */
  'files.refresh': z.object({}),
  /** Begins to send one source of the room to a feed's channel, frame by frame. */
  'feed.open': z.object({ feed: z.string(), source: FeedSource }),
  /** So many bytes of it have arrived in all; said at least once a second, or the feed ends. */
  'feed.seen': z.object({ feed: z.string(), bytes: z.number() }),
  /** Somebody needs a key frame. */
  'feed.key': z.object({ feed: z.string() }),
  'feed.close': z.object({ feed: z.string() }),
  /** Where somebody without the controls points, who has no data channel to say it over. */
  pointer: z.object({ session, x: z.number(), y: z.number() }),
  'link.open': z.object({ url: z.string() }),
  /** The application again, or the whole room where its configuration has changed since it started. */
  'room.restart': z.object({}),
  metrics: z.object({}),
  status: z.object({}),
} as const satisfies Record<string, z.ZodType>

export type NodeCall = keyof typeof nodeCalls
export type NodeArgs<C extends NodeCall> = z.infer<(typeof nodeCalls)[C]>

/** The most bytes that one message carries: 48 KiB as base64. */
export const chunkBytes = 36 * 1024

/** Bytes of any length: the first of them in base64, and the name under which the rest is read soon (`blob.read`). */
export interface Blob {
  size: number
  data: string
  blob?: string
}

/** A file of the transfer directory; `version` is another one when its content is. `modified` in milliseconds since 1970. */
export interface FoundFile {
  version: string
  size: number
  modified: number
}

/** One family of numbers as Prometheus names them. */
export interface MetricFamily {
  name: string
  help: string
  type: 'counter' | 'gauge' | 'summary'
  /** `suffix` is for the two numbers of a summary, `_sum` and `_count`. */
  samples: { labels: Record<string, string>; value: number; suffix?: string }[]
}

interface OpenedPeer {
  peer: string
  sdp: string
  video: PeerVideo
  audio: PeerAudio
}

/** What each call gives. Our own node writes these: the control plane trusts their form. */
export interface NodeReplies {
  'peer.open': OpenedPeer
  'peer.answer': null
  'peer.offer': { sdp: string }
  'peer.restart': { sdp: string }
  'peer.candidate': null
  /** The state after the change, and whether there was one. */
  'peer.video': { video: PeerVideo; changed: boolean }
  'peer.audio': { audio: PeerAudio; changed: boolean }
  'peer.close': null
  input: null
  'screen.set': ScreenSize
  'screen.list': ScreenSize[]
  'screen.shot': Blob
  'screen.cast': Blob
  'keyboard.map': { layout: string; variant: string }
  'keyboard.map.set': null
  'keyboard.modifiers': Record<'shift' | 'capslock' | 'control' | 'alt' | 'numlock' | 'meta' | 'super' | 'altgr', boolean>
  'keyboard.modifiers.set': null
  'clipboard.get': { text?: string; html?: string }
  'clipboard.set': null
  'clipboard.image': Blob
  'broadcast.start': null
  'broadcast.stop': null
  'dialog.close': null
  'blob.read': { data: string }
  'upload.open': { upload: string }
  'upload.file': null
  'upload.write': null
  'upload.drop': null
  'upload.choose': null
  'upload.keep': null
  'upload.cancel': null
  'files.find': FoundFile
  'files.read': { data: string }
  'files.delete': null
  'files.refresh': null
  'feed.open': null
  'feed.seen': null
  'feed.key': null
  'feed.close': null
  pointer: null
  'link.open': null
  'room.restart': { restarted: 'application' | 'room' }
  metrics: { families: MetricFamily[] }
  status: { instance: string; epoch: number; processes: { name: string; pid: number }[] }
}

const offsetBytes = 4
/** Offsets are told in so many bits. */
export const offsetModulus = 2 ** 32

/** What stands in front of each piece of a feed, in bytes. */
export const pieceHead = offsetBytes + streamHead

/** One piece of a feed: how many bytes of the feed came before it (so that a loss shows), and a frame or a part of one. */
export function encodePiece(offset: number, frame: StreamFrame): Uint8Array {
  const bytes = new Uint8Array(pieceHead + frame.data.length)
  new DataView(bytes.buffer).setUint32(0, offset % offsetModulus)
  bytes.set(encodeStreamFrame(frame), offsetBytes)
  return bytes
}

/** Reads one; `offset` is counted modulo 2³². `undefined` for what is none. */
export function decodePiece(bytes: Uint8Array): { offset: number; frame: StreamFrame } | undefined {
  const frame = decodeStreamFrame(bytes.subarray(offsetBytes))
  return frame && { offset: new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(0), frame }
}

/** The data of a `channel` frame on its way from the node: the session that is not to hear it (`''`: everybody is), and the message. */
export function addressed(except: string, message: Uint8Array): Uint8Array {
  const name = new TextEncoder().encode(except)
  const data = new Uint8Array(2 + name.length + message.length)
  new DataView(data.buffer).setUint16(0, name.length)
  data.set(name, 2)
  data.set(message, 2 + name.length)
  return data
}

export function readAddressed(data: Uint8Array): { except: string; message: Uint8Array } {
  const length = new DataView(data.buffer, data.byteOffset, data.byteLength).getUint16(0)
  return { except: new TextDecoder().decode(data.subarray(2, 2 + length)), message: data.subarray(2 + length) }
}
