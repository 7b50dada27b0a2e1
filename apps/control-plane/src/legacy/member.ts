import type { Session, V2Member } from '@neko-edge/protocol'

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
