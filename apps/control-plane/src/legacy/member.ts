import type { Session, V2Member } from '@neko-edge/protocol'
import type { RoomView } from '@neko-edge/store'
import type { Features } from '../session/hub.ts'

/** Whether somebody may not chat, which V2 calls muted. */
export const isMuted = ({ profile }: Pick<Session, 'profile'>): boolean => profile.plugins?.['chat.can_send'] === false

/**
 * Who is a member in the eyes of V2 clients. V2's own people count once they see the picture, since V2 knows no others; a V3
 * client counts as soon as it is connected. Nobody is announced without a name.
 */
export function isMember({ profile, state }: Session): boolean {
  const hasWatched = (state.watching_since ?? 0) >= (state.connected_since ?? Number.POSITIVE_INFINITY)
  return state.is_connected && profile.name !== '' && (state.dialect !== 'v2' || state.is_watching || hasWatched)
}

export const wireMember = ({ id, profile, ...rest }: Session): V2Member => ({
  id,
  displayname: profile.name,
  admin: profile.is_admin,
  muted: isMuted({ profile, ...rest }),
})

/** What decides over files: the room, and the configuration. */
export interface FilePlace {
  readonly view: RoomView
  readonly features: Features
}

export type FileRight = 'download' | 'upload' | 'delete'

/** Whether somebody may do something with files: admins always, others while it is not locked and as the configuration says. */
export function mayTransfer(right: FileRight, { profile }: Pick<Session, 'profile'>, { view, features }: FilePlace): boolean {
  const { enabled, userDownload, userUpload, userDelete } = features.fileTransfer
  const isGranted = { download: userDownload, upload: userUpload, delete: userDelete }[right]
  return enabled && (profile.is_admin || (isGranted && view.locks.file_transfer === undefined))
}
