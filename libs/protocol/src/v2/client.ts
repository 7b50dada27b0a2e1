import { z } from 'zod'
import { field, int, lenientObject, optional, text, whole } from '../lenient.ts'

const sdp = lenientObject({ sdp: text, displayname: optional(z.string()) })
const someone = lenientObject({ id: text })
const resource = lenientObject({ resource: z.enum(['login', 'control', 'file_transfer']) })
const nothing = z.unknown()

/** The events of a V2 client, by name; their fields stand beside the event. */
export const v2Schemas = {
  'client/heartbeat': nothing,
  'signal/answer': sdp,
  'signal/offer': sdp,
  /** `data` is the JSON text of an ICE candidate. */
  'signal/candidate': lenientObject({ data: text }),
  'control/request': nothing,
  'control/release': nothing,
  'control/give': someone,
  'control/clipboard': lenientObject({ text }),
  'control/keyboard': lenientObject({
    layout: optional(z.string()),
    capsLock: optional(z.boolean()),
    numLock: optional(z.boolean()),
    scrollLock: optional(z.boolean()),
  }),
  'chat/message': lenientObject({ content: text }),
  'chat/emote': lenientObject({ emote: z.string() }),
  'filetransfer/refresh': nothing,
  'screen/resolution': nothing,
  'screen/configurations': nothing,
  'screen/set': lenientObject({ width: field(whole, 0), height: field(whole, 0), rate: field(int(16), 0) }),
  'broadcast/create': lenientObject({ url: text }),
  'broadcast/destroy': nothing,
  'admin/lock': resource,
  'admin/unlock': resource,
  'admin/control': nothing,
  'admin/release': nothing,
  'admin/give': someone,
  'admin/kick': someone,
  'admin/ban': someone,
  'admin/mute': someone,
  'admin/unmute': someone,
  'openinapp/openlink': lenientObject({ text }),
} as const satisfies Record<string, z.ZodType>

export type V2ClientEvent = keyof typeof v2Schemas
export type V2ClientPayload<E extends V2ClientEvent> = z.output<(typeof v2Schemas)[E]>
export type V2Decoded =
  | { [E in V2ClientEvent]: { event: E; payload: V2ClientPayload<E> } }[V2ClientEvent]
  | { event?: string; problem: 'not-json' | 'unknown' | 'invalid'; detail: string }

const Envelope = z.looseObject({ event: z.string() })

/** Reads one frame of a V2 client. Never throws: what is not understood is ignored, as V2 servers did. */
export function decodeV2(frame: string): V2Decoded {
  let json: unknown
  try {
    json = JSON.parse(frame)
  } catch (error) {
    return { problem: 'not-json', detail: String(error) }
  }
  const envelope = Envelope.safeParse(json)
  if (!envelope.success) {
    return { problem: 'invalid', detail: 'a message is {"event": string, …}' }
  }
  const { event } = envelope.data
  if (!Object.hasOwn(v2Schemas, event)) {
    return { event, problem: 'unknown', detail: `no such event: ${event.slice(0, 80)}` }
  }
  const parsed = v2Schemas[event as V2ClientEvent].safeParse(envelope.data)
  // The schema of this very event made the payload; the pair is what the type pairs.
  return parsed.success
    ? ({ event, payload: parsed.data } as V2Decoded)
    : { event, problem: 'invalid', detail: z.prettifyError(parsed.error) }
}
