import type { Waiting } from './ladder.ts'
import type { LinkState } from './link.ts'
import type { MediaState } from './media.ts'
import type { Trouble } from './trouble.ts'

/** Who one is to the server. */
export type Account =
  | { readonly is: 'signed-out'; readonly trouble?: Trouble }
  | { readonly is: 'signing-in' }
  | { readonly is: 'signed-in'; readonly canWatch: boolean }
  /** The server lost its sessions, and the same person signs in anew. */
  | { readonly is: 'returning' }
  /** The server said goodbye; signing in again or coming back is the person's decision. */
  | { readonly is: 'dismissed'; readonly trouble: Trouble }

/** Where the whole connection stands: what a page shows. */
export type Connection =
  | { readonly is: 'signed-out'; readonly trouble?: Trouble }
  | { readonly is: 'signing-in' }
  | { readonly is: 'joining' }
  | { readonly is: 'loading' }
  | { readonly is: 'live' }
  | { readonly is: 'blind'; readonly trouble: Trouble }
  | { readonly is: 'reconnecting'; readonly attempt: number; readonly retryAt: number | undefined; readonly trouble: Trouble }
  | { readonly is: 'dismissed'; readonly trouble: Trouble }

export interface Layers {
  account: Account
  link: LinkState
  media: MediaState
  /** A picture comes over the thin line. */
  isThin?: boolean
  /** Without WebRTC in this browser: the thin line's next try. */
  waiting?: Waiting | undefined
  /** The server has let this socket in (`system/init`). */
  isIn: boolean
  /** What the server said before the socket fell, where it said anything. */
  farewell?: Trouble | undefined
}

/** Puts the layers together: the lowest that is not well names the state. */
export function connectionOf({ account, link, media, isThin = false, waiting, isIn, farewell }: Layers): Connection {
  if (account.is === 'returning') {
    return { is: 'reconnecting', attempt: 1, retryAt: undefined, trouble: { code: 'server-stopped' } }
  }
  if (account.is !== 'signed-in') {
    return account
  }
  const trouble = farewell ?? { code: 'connection-lost' }
  switch (link.is) {
    case 'waiting':
      return { is: 'reconnecting', attempt: link.attempt, retryAt: link.retryAt, trouble }
    case 'opening':
      return link.attempt === 1 ? { is: 'joining' } : { is: 'reconnecting', attempt: link.attempt, retryAt: undefined, trouble }
    case 'closed':
      return { is: 'joining' }
    case 'open':
      if (!isIn) {
        return farewell ? { is: 'reconnecting', attempt: 1, retryAt: undefined, trouble } : { is: 'joining' }
      }
      if (!account.canWatch) {
        return { is: 'blind', trouble: { code: 'no-watching' } }
      }
      if (waiting && !isThin) {
        return { is: 'reconnecting', ...waiting, trouble: { code: 'no-webrtc' } }
      }
      return isThin ? { is: 'live' } : watching(media)
    default:
      return link satisfies never
  }
}

function watching(media: MediaState): Connection {
  switch (media.is) {
    case 'up':
      return { is: 'live' }
    case 'waiting':
      return { is: 'reconnecting', attempt: media.attempt, retryAt: media.retryAt, trouble: media.trouble }
    case 'off':
    case 'asked':
    case 'connecting':
      return { is: 'loading' }
    default:
      return media satisfies never
  }
}
