import type { ServerEvent, ServerMessage } from '@neko-edge/protocol'

/*
 * What the client relies on in each message of the server: enough that no message, however odd, throws further on. Not a schema: zod alone
 * would weigh more than the whole client.
 */

type Check = (value: unknown) => boolean

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value)

const text: Check = (value) => typeof value === 'string'
const number: Check = (value) => typeof value === 'number'
const flag: Check = (value) => typeof value === 'boolean'
const anything: Check = () => true
const maybe =
  (check: Check): Check =>
  (value) =>
    value === undefined || value === null || check(value)
const list =
  (check: Check): Check =>
  (value) =>
    Array.isArray(value) && value.every(check)
const map =
  (check: Check): Check =>
  (value) =>
    isObject(value) && Object.values(value).every(check)
const record =
  (shape: Readonly<Record<string, Check>>): Check =>
  (value) =>
    isObject(value) && Object.entries(shape).every(([key, check]) => check(value[key]))

const profile = { name: text, is_admin: flag, can_host: flag, can_watch: flag }
const state = { is_connected: flag, is_watching: flag }
const session = record({ id: text, profile: record(profile), state: record(state) })
const screen = { width: number, height: number, rate: number }
const settings = { private_mode: flag, locked_controls: flag, implicit_hosting: flag, inactive_cursors: flag }
const host = record({ has_host: flag, host_id: maybe(text) })
const video = record({ id: text })
const broadcast = record({ is_active: flag })
const identified = record({ id: text })
const sdp = record({ sdp: text })
const point = record({ x: number, y: number })

const checks: Readonly<Record<ServerEvent, Check>> = {
  'system/init': record({
    session_id: text,
    control_host: host,
    screen_size: record(screen),
    sessions: map(session),
    settings: record(settings),
    webrtc: record({ videos: list(text) }),
  }),
  'system/admin': record({ screen_sizes_list: list(record(screen)), broadcast_status: broadcast }),
  'system/settings': record(settings),
  'system/disconnect': record({ message: text }),
  'system/heartbeat': anything,
  'session/created': session,
  'session/deleted': identified,
  'session/profile': record({ id: text, ...profile }),
  'session/state': record({ id: text, ...state }),
  'session/crowd': maybe(record({ connected: number })),
  'session/cursors': list(record({ id: text, cursors: list(point) })),
  'signal/provide': record({ sdp: text, iceservers: list(record({ urls: list(text) })), video, audio: isObject }),
  'signal/offer': sdp,
  'signal/answer': sdp,
  'signal/restart': sdp,
  'signal/candidate': record({ candidate: text }),
  'signal/video': video,
  'signal/audio': record({ disabled: flag }),
  'signal/close': anything,
  'control/host': host,
  'control/request': identified,
  'screen/updated': record(screen),
  'clipboard/updated': record({ text }),
  'broadcast/status': broadcast,
  'send/unicast': record({ sender: text, subject: text }),
  'send/broadcast': record({ sender: text, subject: text }),
  'file_chooser_dialog/opened': identified,
  'file_chooser_dialog/closed': anything,
  'chat/init': record({ enabled: flag }),
  'chat/message': record({ id: text, content: record({ text }) }),
  'filetransfer/update': record({ enabled: flag, files: maybe(list(record({ name: text, type: text }))) }),
  'openinapp/init': record({ enabled: flag }),
}

/** Reads one frame of the server; `undefined` for what is no message, is unknown, or lacks what the client relies on. */
export function decodeServerMessage(frame: unknown): ServerMessage | undefined {
  if (typeof frame !== 'string') {
    return undefined
  }
  let message: unknown
  try {
    message = JSON.parse(frame)
  } catch {
    return undefined
  }
  const event = isObject(message) && typeof message['event'] === 'string' ? message['event'] : ''
  const isSound = isObject(message) && Object.hasOwn(checks, event) && checks[event as ServerEvent](message['payload'])
  // Just checked, as far as anything here depends on it.
  return isSound ? (message as unknown as ServerMessage) : undefined
}
