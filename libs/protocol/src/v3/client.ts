import { z } from 'zod'
import { anyJson, field, flag, int, lenientObject, optional, text, uint, whole } from '../lenient.ts'

/** How a viewer chooses a rung of the quality ladder; an unknown type makes the whole event invalid. */
export const StreamSelector = lenientObject({
  id: text,
  type: field(z.string(), '').transform((type, context) => {
    const known = type === '' ? 'exact' : type.toLowerCase()
    if (known === 'exact' || known === 'nearest' || known === 'lower' || known === 'higher') {
      return known
    }
    context.addIssue({ code: 'custom', message: `invalid stream selector type "${type}": use exact, nearest, lower or higher` })
    return z.NEVER
  }),
  bitrate: field(whole.min(0), 0),
})
export type StreamSelector = z.infer<typeof StreamSelector>

export const PeerVideoRequest = lenientObject({
  disabled: optional(z.boolean()),
  selector: optional(StreamSelector),
  auto: optional(z.boolean()),
})
export type PeerVideoRequest = z.infer<typeof PeerVideoRequest>

export const PeerAudioRequest = lenientObject({ disabled: optional(z.boolean()) })
export type PeerAudioRequest = z.infer<typeof PeerAudioRequest>

export const PeerRequest = lenientObject({
  video: optional(PeerVideoRequest),
  audio: optional(PeerAudioRequest),
  auto: optional(z.boolean()),
})
export type PeerRequest = z.infer<typeof PeerRequest>

export const Modifiers = lenientObject({
  shift: optional(z.boolean()),
  capslock: optional(z.boolean()),
  control: optional(z.boolean()),
  alt: optional(z.boolean()),
  numlock: optional(z.boolean()),
  meta: optional(z.boolean()),
  super: optional(z.boolean()),
  altgr: optional(z.boolean()),
})
export type Modifiers = z.infer<typeof Modifiers>

export const KeyboardMap = lenientObject({ layout: text, variant: text })
export type KeyboardMap = z.infer<typeof KeyboardMap>

const coordinate = int(32)
/** A position that may be absent; where only one of the two is given, the other is 0. */
const place = { x: optional(coordinate), y: optional(coordinate) }
const button = lenientObject({ code: field(uint(32), 0), ...place })
const key = lenientObject({ keysym: field(uint(32), 0), ...place })
// Upstream's read loop dies of a touch without a place: here it is an invalid message.
const touch = lenientObject({ touch_id: field(uint(32), 0), x: coordinate, y: coordinate, pressure: field(uint(8), 0) })
const sdp = lenientObject({ sdp: text })

/** The events of a V3 client that carry a payload: without the `payload` key they are ignored. */
export const payloadSchemas = {
  'system/logs': z.array(lenientObject({ level: text, fields: optional(z.record(z.string(), z.unknown())), message: text })).nullable(),
  'signal/request': PeerRequest,
  'signal/answer': sdp,
  'signal/offer': sdp,
  'signal/candidate': lenientObject({
    candidate: text,
    sdpMid: optional(z.string()),
    sdpMLineIndex: optional(whole),
    usernameFragment: optional(z.string()),
  }),
  'signal/video': PeerVideoRequest,
  'signal/audio': PeerAudioRequest,
  'control/move': lenientObject({ x: field(coordinate, 0), y: field(coordinate, 0) }),
  'control/scroll': lenientObject({
    delta_x: field(coordinate, 0),
    delta_y: field(coordinate, 0),
    control_key: flag,
    // Old clients write their deltas here.
    x: field(coordinate, 0),
    y: field(coordinate, 0),
  }),
  'control/buttonpress': button,
  'control/buttondown': button,
  'control/buttonup': button,
  'control/keypress': key,
  'control/keydown': key,
  'control/keyup': key,
  'control/touchbegin': touch,
  'control/touchupdate': touch,
  'control/touchend': touch,
  'control/paste': lenientObject({ text }),
  'screen/set': lenientObject({ width: field(whole, 0), height: field(whole, 0), rate: field(int(16), 0) }),
  'clipboard/set': lenientObject({ text }),
  'keyboard/map': KeyboardMap,
  'keyboard/modifiers': Modifiers,
  'send/unicast': lenientObject({ receiver: text, subject: text, body: anyJson.optional() }),
  'send/broadcast': lenientObject({ subject: text, body: anyJson.optional() }),
  'chat/message': lenientObject({ text }),
} as const satisfies Record<string, z.ZodType>

/** The events of a V3 client that ignore whatever payload they come with. */
export const bareEvents = [
  'client/heartbeat',
  'signal/restart',
  'control/request',
  'control/release',
  'control/cut',
  'control/copy',
  'control/select_all',
  'filetransfer/update',
] as const

export type PayloadEvent = keyof typeof payloadSchemas
export type BareEvent = (typeof bareEvents)[number]
export type ClientEvent = PayloadEvent | BareEvent
export type ClientPayload<E extends ClientEvent> = E extends PayloadEvent ? z.output<(typeof payloadSchemas)[E]> : undefined
export type ClientMessage = { [E in ClientEvent]: { event: E; payload: ClientPayload<E> } }[ClientEvent]

/** What became of a frame: a message, or why there is none. `unknown` and `invalid` are ignored on the wire, and counted. */
export type Decoded = ClientMessage | { event?: string; problem: 'not-json' | 'unknown' | 'invalid'; detail: string }

const bare = new Set<string>(bareEvents)

/** Reads one frame of a V3 client. Never throws: V3 tells a client nothing about its mistakes. */
export function decodeV3(frame: string): Decoded {
  const envelope = parseEnvelope(frame)
  if ('problem' in envelope) {
    return envelope
  }
  const { event, payload } = envelope
  if (bare.has(event)) {
    return { event, payload: undefined } as ClientMessage
  }
  if (!Object.hasOwn(payloadSchemas, event)) {
    return { event, problem: 'unknown', detail: `no such event: ${event.slice(0, 80)}` }
  }
  if (payload === undefined) {
    return { event, problem: 'invalid', detail: 'the payload key is missing' }
  }
  const parsed = payloadSchemas[event as PayloadEvent].safeParse(payload)
  // The schema of this very event made the payload; the pair is what ClientMessage pairs.
  return parsed.success
    ? ({ event, payload: parsed.data } as ClientMessage)
    : { event, problem: 'invalid', detail: z.prettifyError(parsed.error) }
}

const Envelope = lenientObject({ event: z.string(), payload: z.unknown().optional() })

function parseEnvelope(frame: string): { event: string; payload?: unknown } | Extract<Decoded, { problem: string }> {
  let json: unknown
  try {
    json = JSON.parse(frame)
  } catch (error) {
    return { problem: 'not-json', detail: String(error) }
  }
  const envelope = Envelope.safeParse(json)
  return envelope.success ? envelope.data : { problem: 'invalid', detail: 'a message is {"event": string, "payload": …}' }
}
