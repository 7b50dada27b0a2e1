import { z } from 'zod'
import { ControlInput } from './bus.ts'

/*
 * What nodes ask of each other about a room whose picture goes over relays. A room has one origin, the capture node that runs it; it decides who takes
 * the room from whom, and every call of a control plane goes to it, also those about viewers of a relay.
 */

const room = z.string()
const node = z.string()

/** One end of a pipe: where it is reached, and the key of what it sends. */
const end = z.object({ ip: z.string(), port: z.int(), srtp: z.object({ cryptoSuite: z.string(), keyBase64: z.string() }) })

const fingerprint = z.string().regex(/^([0-9A-F]{2}:){31}[0-9A-F]{2}$/i, 'is not a SHA-256 fingerprint')

/** Where a relay waits for a node that nobody can reach, and by which certificate it is known. */
const uplinkEnd = z.object({
  ice: z.object({ usernameFragment: z.string().min(1), password: z.string().min(1) }),
  candidates: z
    .array(z.object({ foundation: z.string(), priority: z.int(), ip: z.string(), port: z.int().min(1).max(65_535) }))
    .min(1)
    .max(64),
  fingerprint,
})

const streams = z.array(z.object({ kind: z.enum(['audio', 'video']), ids: z.array(z.string()), rtp: z.unknown() }))

/** What a room shows, by the names of its streams. */
export const RelayedMedia = z.object({
  videoCodec: z.string(),
  audioCodec: z.string(),
  /** The quality ladder, best first. */
  rungs: z.array(z.string()).min(1),
  cursorVideo: z.string(),
  audio: z.string(),
  /** Whether V2 clients are served. */
  legacy: z.boolean(),
  setup: z.enum(['active', 'actpass']),
})
export type RelayedMedia = z.infer<typeof RelayedMedia>

export const relayCalls = {
  /** To a relay: take the room from `parent`. Where the origin is uplinked nobody can reach it, and it comes by itself to who takes the room from it. */
  'relay.open': z.object({ room, origin: node, parent: node, media: RelayedMedia, isUplinked: z.boolean().default(false) }),
  /** To a relay: take it from another one from now on, or anew from the same. */
  'relay.feed': z.object({ room, parent: node }),
  'relay.close': z.object({ room, origin: node }),
  /** To a relay: how many packets its media workers have refused. */
  'relay.refused': z.object({ room }),
  /** To a relay: is the room still there? Silence ends it. */
  'relay.beat': z.object({ room, origin: node, bitrates: z.record(z.string(), z.number()) }),
  /** To a relay: what a control plane asked about one of its viewers. */
  'relay.peer': z.object({ room, call: z.string(), args: z.unknown() }),
  /** To a relay: this viewer is elsewhere now. */
  'relay.release': z.object({ room, session: z.string() }),
  /** To the node that one takes the room from. */
  'pipe.open': z.object({ room, name: node, end }),
  'pipe.close': z.object({ room, name: node }),
  /** To an origin that is uplinked: come to this end. */
  'uplink.open': z.object({ room, name: node, end: uplinkEnd }),
  /** To the origin, or to the relay before this one where that is uplinked: what viewers do, those at the controls with the fence of their turn. */
  'relay.input': z.object({
    room,
    session: z.string(),
    fence: z.number().optional(),
    dialect: z.enum(['v3', 'v2']),
    input: ControlInput,
  }),
  /** To the origin: the streams that somebody wants to see there. */
  'relay.held': z.object({ room, relay: node, ids: z.array(z.string()) }),
  'relay.left': z.object({ room, session: z.string(), peer: z.string() }),
  /** To the origin: the relay stops, its viewers are to be sent elsewhere. */
  'relay.leaving': z.object({ room, relay: node }),
} as const satisfies Record<string, z.ZodType>

export type RelayCall = keyof typeof relayCalls
export type RelayArgs<C extends RelayCall> = z.infer<(typeof relayCalls)[C]>

/** The reply to `pipe.open`: the end that sends, and what it sends. */
export const PipeReply = end.extend({
  streams,
})
export type PipeReply = z.infer<typeof PipeReply>

/** The reply to `uplink.open`: by which certificate the node is known that comes, and what it sends. */
export const UplinkReply = z.object({ fingerprint, streams })
export type UplinkReply = z.infer<typeof UplinkReply>

/** The reply to `relay.beat`. */
export const RelayState = z.object({ viewers: z.number(), isFull: z.boolean(), ids: z.array(z.string()) })
export type RelayState = z.infer<typeof RelayState>

/** The reply to `relay.refused`; null where they do not count. */
export const RefusedPackets = z.number().nullable()

/** What each of these calls gives, where it gives anything. */
export interface RelayReplies {
  'pipe.open': PipeReply
  'uplink.open': UplinkReply
  'relay.beat': RelayState
  'relay.peer': unknown
  'relay.refused': number | null
}

/** A message for the data channels of all viewers of a room's relays but one, in base64. */
const RelayedMessage = z.object({ data: z.string(), except: z.string() })

const json = z.string().transform((text, context): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    context.addIssue({ code: 'custom', message: 'is not JSON' })
    return z.NEVER
  }
})

/** The same as it is published, and as it goes down an uplink: JSON. */
export const RelayedMessageText = json.pipe(RelayedMessage)

/** What goes up an uplink. */
export const RelayedInputText = json.pipe(relayCalls['relay.input'])
