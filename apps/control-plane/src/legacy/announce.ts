import { type Lock, type LockName, lockNames, type Session, type V2Message } from '@neko-edge/protocol'
import type { RoomEvent, RoomView } from '@neko-edge/store'
import { isPermitted } from '../plugins/permission.ts'
import type { Announcement, RoomSignal } from '../session/dialect.ts'
import type { Features } from '../session/hub.ts'
import { type FilePlace, isMember, mayTransfer } from './member.ts'

/** A V2 message, for everybody who is a member unless it says otherwise. */
export type V2Announcement = Announcement & { readonly message: V2Message }

const isAdmin = (session: Session) => isMember(session) && session.profile.is_admin
export const toMembers = (message: V2Message): V2Announcement => ({ message, to: isMember })

/** Who got or lost the controls, in V2's words: by whom, and from whom. */
export function hostMessage({ actor, host, previous, cause }: Extract<RoomEvent, { is: 'host' }>): V2Message | undefined {
  const from = previous !== null && previous !== actor ? { target: previous } : {}
  switch (cause) {
    case 'request':
    case 'implicit':
      return host === null ? undefined : { event: 'control/locked', id: host }
    case 'take':
      return { event: 'admin/control', id: actor, ...from }
    case 'give':
      return host === null ? undefined : { event: 'control/give', id: actor, target: host }
    case 'release':
    case 'disconnect':
    case 'delete':
    case 'profile':
      return previous === null ? undefined : { event: 'control/release', id: previous }
    case 'reset':
    case 'settings':
      return { event: 'admin/release', id: actor, ...from }
    default:
      return cause satisfies never
  }
}

/** Locks that came and went between two states of a room. Who may not have the controls at all keeps them locked. */
export function lockMessages(
  before: Partial<Record<LockName, Lock>>,
  { actor, locks }: Extract<RoomEvent, { is: 'settings' }>,
): V2Announcement[] {
  return lockNames.flatMap((resource): V2Announcement[] => {
    const lock = locks[resource]
    if ((before[resource] === undefined) === (lock === undefined)) {
      return []
    }
    if (lock) {
      return [toMembers({ event: 'admin/lock', resource, id: lock.owner || actor })]
    }
    const to = (session: Session) => isMember(session) && (resource !== 'control' || session.profile.can_host)
    return [{ message: { event: 'admin/unlock', resource, id: actor }, to }]
  })
}

/** What passes through the room without changing a fact. */
export function signalMessages(signal: RoomSignal, view: RoomView, features: Features): V2Announcement[] {
  switch (signal.is) {
    case 'request':
      return [
        { message: { event: 'control/requesting', id: signal.id }, only: signal.host },
        // Without this the click of whoever asks seems dead.
        ...(signal.id === signal.host ? [] : [{ message: { event: 'control/request' as const, id: signal.host }, only: signal.id }]),
      ]
    case 'chat':
      return [
        {
          message: { event: 'chat/message', id: signal.id, content: signal.text },
          to: (session) =>
            isMember(session) && isPermitted('chat.can_receive', { enabled: features.chat, settings: view.settings, session }),
        },
      ]
    case 'broadcast':
      return signal.subject === 'emote' && typeof signal.body === 'string'
        ? [toMembers({ event: 'chat/emote', id: signal.sender, emote: signal.body })]
        : []
    case 'clipboard':
      return [
        {
          message: { event: 'control/clipboard', text: signal.text },
          to: (session) => view.isHost(session.id) && session.profile.can_access_clipboard,
        },
      ]
    case 'unicast':
    case 'cursors':
      return []
    default:
      return signal satisfies never
  }
}

/** What a node shows has changed. */
export function factsMessages(event: Extract<RoomEvent, { is: 'facts' }>, view: RoomView, features: Features): V2Announcement[] {
  const { change, actor, facts } = event
  switch (change) {
    case 'screen':
      return [toMembers({ event: 'screen/resolution', ...(actor !== '' && { id: actor }), ...facts.screen })]
    case 'broadcast':
      return [{ message: { event: 'broadcast/status', url: facts.broadcast.url, isActive: facts.broadcast.is_active }, to: isAdmin }]
    case 'files':
      return fileList(view, features).map((message) => ({
        message,
        to: (session: Session) => isMember(session) && maySeeFiles(session, { view, features }),
      }))
    case 'dialog':
    case 'ready':
    case 'full':
    case 'uplink':
      return []
    default:
      return change satisfies never
  }
}

/** The list is for those who may do something with it. */
export const maySeeFiles = (session: Session, place: FilePlace): boolean =>
  mayTransfer('download', session, place) || mayTransfer('upload', session, place)

/** The transfer directory, where there is one and it has been looked at. */
export function fileList(view: RoomView, { fileTransfer }: Features): V2Message[] {
  const files = view.node?.facts?.files
  if (!fileTransfer.enabled || !files) {
    return []
  }
  return [
    {
      event: 'filetransfer/list',
      cwd: fileTransfer.root,
      files: files.map(({ name, type, size = 0 }) => ({ name, type, size })),
      user_download: fileTransfer.userDownload,
      user_upload: fileTransfer.userUpload,
      user_delete: fileTransfer.userDelete,
    },
  ]
}
