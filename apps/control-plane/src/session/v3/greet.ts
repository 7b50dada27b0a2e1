import { type ServerMessage, type Session, wireSession } from '@neko-edge/protocol'
import type { RoomView } from '@neko-edge/store'
import type { Features } from '../hub.ts'

/** What a session hears first, before anything of the room and before its own frames are looked at. */
export function greet(session: Session, view: RoomView, features: Features): ServerMessage[] {
  const facts = view.node?.facts
  const messages: ServerMessage[] = [
    {
      event: 'system/init',
      payload: {
        session_id: session.id,
        control_host: { id: '', ...hostStatus(view) },
        screen_size: facts?.screen ?? features.fallback.screen,
        sessions: Object.fromEntries(
          [...view.sessions.values()]
            .filter((each) => each.id === session.id || view.isListed(each))
            .map((each) => [each.id, wireSession(each)]),
        ),
        settings: view.settings,
        touch_events: facts?.touch ?? false,
        screencast_enabled: facts?.screencast ?? false,
        webrtc: { videos: facts?.videos ?? features.fallback.videos },
      },
    },
  ]
  if (session.profile.is_admin) {
    messages.push({
      event: 'system/admin',
      payload: {
        screen_sizes_list: facts?.screens ?? [],
        broadcast_status: broadcastStatus(facts?.broadcast ?? { is_active: false, url: '' }),
      },
    })
  }
  return messages
}

/** What it hears once everybody knows of it: an open file dialog, and the plugins. */
export function settle(view: RoomView, features: Features): ServerMessage[] {
  const dialog = view.node?.facts?.dialog ?? null
  return [
    ...(dialog === null ? [] : [{ event: 'file_chooser_dialog/opened' as const, payload: { id: dialog } }]),
    fileList(view, features),
    { event: 'chat/init', payload: { enabled: features.chat } },
    { event: 'openinapp/init', payload: { enabled: features.openInApp } },
    ...(view.isCrowded ? [crowd(view)] : []),
  ]
}

/** How many are connected, while not all of them are listed. */
export function crowd(view: RoomView): Extract<ServerMessage, { event: 'session/crowd' }> {
  const { users, admins } = view.connected()
  return { event: 'session/crowd', payload: view.isCrowded ? { connected: users + admins } : null }
}

export function hostStatus(view: RoomView): { has_host: boolean; host_id?: string } {
  return view.host === undefined ? { has_host: false } : { has_host: true, host_id: view.host }
}

/** The URL is left out while there is none. */
export function broadcastStatus({ is_active, url }: { is_active: boolean; url: string }): { is_active: boolean; url?: string } {
  return url === '' ? { is_active } : { is_active, url }
}

/** The transfer directory as the capture node last saw it. */
export function fileList(view: RoomView, { fileTransfer }: Features): ServerMessage {
  return {
    event: 'filetransfer/update',
    payload: {
      enabled: fileTransfer.enabled,
      root_dir: fileTransfer.root,
      user_download: fileTransfer.userDownload,
      user_upload: fileTransfer.userUpload,
      user_delete: fileTransfer.userDelete,
      files: fileTransfer.enabled ? (view.node?.facts?.files ?? null) : null,
    },
  }
}
