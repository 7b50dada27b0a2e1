import type { MemberProfile } from '../profile.ts'
import type { ScreenSize, Session, SessionState, Settings } from '../room.ts'

/* How V3 writes the facts of a room: names, presence and order of keys are upstream's. */

export interface WireState {
  is_connected: boolean
  connected_since?: string
  not_connected_since?: string
  is_watching: boolean
  watching_since?: string
  not_watching_since?: string
}

export interface SessionData {
  id: string
  profile: MemberProfile
  state: WireState
}

export interface ControlHost {
  id: string
  has_host: boolean
  host_id?: string
}

const time = (ms: number | undefined) => (ms === undefined ? undefined : new Date(ms).toISOString())

/** Times become RFC 3339; a `*_since` appears only while it says something. */
export function wireState(state: SessionState): WireState {
  const since = {
    connected_since: state.is_connected ? time(state.connected_since) : undefined,
    not_connected_since: state.is_connected ? undefined : time(state.not_connected_since),
    watching_since: state.is_watching ? time(state.watching_since) : undefined,
    not_watching_since: state.is_watching ? undefined : time(state.not_watching_since),
  }
  const shown = (keys: readonly (keyof typeof since)[]) =>
    Object.fromEntries(keys.filter((key) => since[key]).map((key) => [key, since[key]]))
  return {
    is_connected: state.is_connected,
    ...shown(['connected_since', 'not_connected_since']),
    is_watching: state.is_watching,
    ...shown(['watching_since', 'not_watching_since']),
  }
}

export const wireSession = (session: Session): SessionData => ({
  id: session.id,
  profile: session.profile,
  state: wireState(session.state),
})

export interface PeerVideo {
  disabled: boolean
  id: string
  /** The same as `id`, for old clients. */
  video: string
  auto: boolean
}

export interface PeerAudio {
  disabled: boolean
}

export interface IceServer {
  urls: string[]
  username?: string
  credential?: string
}

export interface IceCandidate {
  candidate: string
  sdpMid: string | null
  sdpMLineIndex: number | null
  usernameFragment: string | null
}

export interface FileItem {
  name: string
  type: 'file' | 'dir'
  size?: number | undefined
}

export interface FileList {
  enabled: boolean
  root_dir: string
  user_download: boolean
  user_upload: boolean
  user_delete: boolean
  files: FileItem[] | null
}

export interface SystemInit {
  session_id: string
  control_host: ControlHost
  screen_size: ScreenSize
  sessions: Record<string, SessionData>
  settings: Settings
  touch_events: boolean
  screencast_enabled: boolean
  webrtc: { videos: string[] }
}

/** Everything that a V3 server says, by event. */
export interface ServerPayloads {
  'system/init': SystemInit
  'system/admin': { screen_sizes_list: ScreenSize[]; broadcast_status: { is_active: boolean; url?: string } }
  'system/settings': { id: string } & Settings
  'system/disconnect': { message: string }
  'system/heartbeat': undefined
  'session/created': SessionData
  'session/deleted': { id: string }
  'session/profile': { id: string } & MemberProfile
  'session/state': { id: string } & WireState
  /**
   * Not upstream's, whose clients ignore it: how many are connected to a room in which newcomers are no longer told of one by one; `null`
   * once they are again.
   */
  'session/crowd': { connected: number } | null
  'session/cursors': { id: string; cursors: { x: number; y: number }[] }[]
  'signal/provide': { sdp: string; iceservers: IceServer[]; video: PeerVideo; audio: PeerAudio }
  'signal/offer': { sdp: string }
  'signal/answer': { sdp: string }
  'signal/restart': { sdp: string }
  'signal/candidate': IceCandidate
  'signal/video': PeerVideo
  'signal/audio': PeerAudio
  'signal/close': null
  'control/host': ControlHost
  'control/request': { id: string }
  'screen/updated': { id: string } & ScreenSize
  'clipboard/updated': { text: string }
  'broadcast/status': { is_active: boolean; url?: string }
  'send/unicast': { sender: string; receiver: string; subject: string; body: unknown }
  'send/broadcast': { sender: string; subject: string; body: unknown }
  'file_chooser_dialog/opened': { id: string }
  'file_chooser_dialog/closed': { id: string }
  'chat/init': { enabled: boolean }
  'chat/message': { id: string; created: string; content: { text: string } }
  'filetransfer/update': FileList
  'openinapp/init': { enabled: boolean }
}

export type ServerEvent = keyof ServerPayloads
export type ServerMessage = { [E in ServerEvent]: { event: E; payload: ServerPayloads[E] } }[ServerEvent]

/** One V3 text frame: the JSON object and a line feed; a heartbeat has no `payload` key at all. */
export function encodeV3(message: ServerMessage): string {
  return `${JSON.stringify(message.payload === undefined ? { event: message.event } : message)}\n`
}
