import type {
  ControlHost,
  FileList,
  MemberProfile,
  PeerAudio,
  PeerVideo,
  ScreenSize,
  ServerMessage,
  SessionData,
  Settings,
} from '@neko-edge/protocol'
import { type LockName, ownersAfter } from './permission.ts'

/** What a connected client knows of its room: a value, replaced with every message that changes it. */
export interface Room {
  /** One's own session. */
  readonly me: string
  /** Everybody whom the server names, by session, also those who are not connected now. */
  readonly sessions: ReadonlyMap<string, SessionData>
  /** How many are connected, where so many are that `sessions` holds only some of them. */
  readonly crowd: number | undefined
  /** The session at the controls. */
  readonly host: string | undefined
  readonly settings: Settings
  /** Who set the locks that are on, by name, where that was seen. */
  readonly lockOwners: Readonly<Partial<Record<LockName, string>>>
  readonly screen: ScreenSize
  /** The desktop has a touch screen. */
  readonly touch: boolean
  readonly screencast: boolean
  /** The rungs of the quality ladder, best first. */
  readonly videos: readonly string[]
  /** One's own picture: which rung, and who chose it. */
  readonly video: PeerVideo | undefined
  readonly audio: PeerAudio | undefined
  /** What only administrators are told. */
  readonly admin: { readonly screens: readonly ScreenSize[]; readonly broadcast: Broadcast } | undefined
  /** What was copied in the desktop last. */
  readonly clipboard: string | undefined
  /** The session whose file dialog is open. */
  readonly dialog: string | undefined
  readonly files: FileList | undefined
  /** Links can be opened in the desktop's application. */
  readonly canOpenLinks: boolean
  readonly canChat: boolean
}

/** Whether the desktop is streamed elsewhere, and where to. */
export interface Broadcast {
  readonly is_active: boolean
  readonly url?: string
}

/** The room after `message`. Before `system/init` there is none, and what comes then is dropped. */
export function applyMessage(room: Room | undefined, message: ServerMessage): Room | undefined {
  if (message.event === 'system/init') {
    return enter(message.payload)
  }
  return room && (applySession(room, message) ?? applyFacts(room, message))
}

function enter(init: Extract<ServerMessage, { event: 'system/init' }>['payload']): Room {
  return {
    me: init.session_id,
    sessions: new Map(Object.entries(init.sessions)),
    crowd: undefined,
    host: hostOf(init.control_host),
    settings: init.settings,
    lockOwners: {},
    screen: init.screen_size,
    touch: init.touch_events,
    screencast: init.screencast_enabled,
    videos: init.webrtc.videos,
    video: undefined,
    audio: undefined,
    admin: undefined,
    clipboard: undefined,
    dialog: undefined,
    files: undefined,
    canOpenLinks: false,
    canChat: false,
  }
}

const hostOf = (host: ControlHost) => (host.has_host ? host.host_id : undefined)

function applySession(room: Room, message: ServerMessage): Room | undefined {
  switch (message.event) {
    case 'session/created':
      return withSession(room, message.payload.id, message.payload)
    case 'session/deleted': {
      const sessions = new Map(room.sessions)
      sessions.delete(message.payload.id)
      return { ...room, sessions }
    }
    case 'session/profile': {
      const { id, ...profile } = message.payload
      const known = room.sessions.get(id)
      return known ? withSession(room, id, { ...known, profile }) : room
    }
    case 'session/state': {
      const { id, ...state } = message.payload
      const known = room.sessions.get(id)
      return known ? withSession(room, id, { ...known, state }) : room
    }
    case 'session/crowd':
      return { ...room, crowd: message.payload?.connected }
    default:
      return undefined
  }
}

function withSession(room: Room, id: string, session: SessionData): Room {
  return { ...room, sessions: new Map(room.sessions).set(id, session) }
}

function applyFacts(room: Room, message: ServerMessage): Room {
  switch (message.event) {
    case 'system/admin':
      return { ...room, admin: { screens: message.payload.screen_sizes_list, broadcast: message.payload.broadcast_status } }
    case 'system/settings': {
      const { id, ...settings } = message.payload
      return { ...room, settings, lockOwners: ownersAfter(room, settings, id) }
    }
    case 'control/host':
      return { ...room, host: hostOf(message.payload) }
    case 'screen/updated': {
      const { id: _, ...screen } = message.payload
      return { ...room, screen }
    }
    case 'signal/provide':
      return { ...room, video: message.payload.video, audio: message.payload.audio }
    case 'signal/video':
      return { ...room, video: message.payload }
    case 'signal/audio':
      return { ...room, audio: message.payload }
    case 'clipboard/updated':
      return { ...room, clipboard: message.payload.text }
    case 'broadcast/status':
      return room.admin ? { ...room, admin: { ...room.admin, broadcast: message.payload } } : room
    case 'file_chooser_dialog/opened':
      return { ...room, dialog: message.payload.id }
    case 'file_chooser_dialog/closed':
      return { ...room, dialog: undefined }
    case 'chat/init':
      return { ...room, canChat: message.payload.enabled }
    case 'filetransfer/update':
      return { ...room, files: message.payload }
    case 'openinapp/init':
      return { ...room, canOpenLinks: message.payload.enabled }
    default:
      return room
  }
}

/** One's own profile. */
export function profileOf(room: Room): MemberProfile | undefined {
  return room.sessions.get(room.me)?.profile
}

/** What stands between a person and the controls. */
export type ControlVerdict = 'hosting' | 'free' | 'held' | 'locked' | 'private' | 'forbidden'

/** Whether one could take the controls now (v3-websocket.md §7.1, the same order); `free` includes taking them over where hosting is implicit. */
export function controlVerdict(room: Room): ControlVerdict {
  const profile = profileOf(room)
  if (!profile?.can_host) {
    return 'forbidden'
  }
  if (room.settings.private_mode && !profile.is_admin) {
    return 'private'
  }
  if (room.host === room.me) {
    return 'hosting'
  }
  if (room.settings.locked_controls && !profile.is_admin) {
    return 'locked'
  }
  return room.host === undefined || room.settings.implicit_hosting ? 'free' : 'held'
}
