import { NekoError } from '@neko-edge/kit'
import { originRefused } from './api.ts'

/** Every way in which coming in, staying or watching can fail, in words: what happened, and what the reader can do about it. */
export const troubleWords = {
  'wrong-password': { says: 'That password is not right.', remedy: 'Check it and try again, or ask the person who invited you.' },
  'room-locked': { says: 'The room is locked for newcomers.', remedy: 'Ask an administrator of the room to unlock it, then try again.' },
  'too-many-tries': { says: 'Too many attempts.', remedy: 'Wait a minute, then try again.' },
  'already-connected': { says: 'This account is already in the room.', remedy: 'Close the other window, wait five seconds and try again.' },
  banned: { says: 'You are banned from this room.', remedy: 'Only an administrator of the room can let you in again.' },
  'login-disabled': { says: 'An administrator has blocked this account.', remedy: 'Ask an administrator of the room to let you in again.' },
  'connect-disabled': { says: 'This account may not join the room.', remedy: 'Ask an administrator to allow it, or use another account.' },
  'origin-refused': {
    says: 'The server lets no page of this site show the room.',
    remedy: 'Whoever runs it can allow the site: its address goes into NEKO_SERVER_CORS.',
  },
  'not-found': { says: 'There is no room at this address.', remedy: 'Check the link that you were given.' },
  'server-away': { says: 'The server does not answer.', remedy: 'Check your network; the server may also be restarting. Then try again.' },
  'bad-link': { says: 'That invitation link is not valid any more.', remedy: 'Ask for a new one, or sign in with a name and a password.' },
  'room-full': { says: 'The room is full.', remedy: 'Try again when somebody has left.' },
  'room-ended': { says: 'The room has ended.', remedy: 'Whoever opened it can open a new one.' },
  'server-busy': { says: 'The server cannot take you in right now.', remedy: 'It is usually back within seconds: try again.' },
  'server-failed': { says: 'The server met an error.', remedy: 'Try again; if it stays, tell whoever runs the server.' },
  'signed-out': { says: 'You have left the room.', remedy: 'Sign in to come back.' },
  'session-ended': { says: 'Your session has ended.', remedy: 'Sign in again to come back.' },
  replaced: { says: 'You opened this room in another window.', remedy: 'Go on there, or take over here.' },
  kicked: {
    says: 'You have been signed out.',
    remedy: 'An administrator, or another window of yours, ended the session. Sign in again to come back.',
  },
  removed: { says: 'An administrator has removed you from the room.', remedy: 'Sign in again if you think that this was a mistake.' },
  'server-stopped': { says: 'The server is restarting.', remedy: 'We come back by ourselves as soon as it is up.' },
  'connection-lost': { says: 'The connection was lost.', remedy: 'Check your network. We keep trying.' },
  'no-media-path': {
    says: 'The picture cannot reach you.',
    remedy:
      'A firewall may block WebRTC: try another network or without VPN; the server may need its public address set (NEKO_WEBRTC_NAT1TO1). We keep trying.',
  },
  'no-webrtc': {
    says: 'This browser cannot show the picture.',
    remedy: 'WebRTC is missing or switched off: allow it, or use a current browser.',
  },
  'no-picture-yet': { says: 'The desktop has not answered yet.', remedy: 'It may be starting. We keep trying.' },
  'no-watching': { says: 'This account may not watch.', remedy: 'Ask an administrator to allow it.' },
} as const satisfies Record<string, { says: string; remedy: string }>

/** The name of a trouble. */
export type TroubleCode = keyof typeof troubleWords

/** What is wrong. */
export interface Trouble {
  readonly code: TroubleCode
  /** What the server or the browser said, for people who want to know. */
  readonly detail?: string
  /** Seconds after which another try has a chance. */
  readonly waitSeconds?: number
}

/** The server says how long to wait in words, also where a proxy drops `Retry-After`. */
function waitIn(detail: string): { waitSeconds?: number } {
  const seconds = /(\d{1,6}) ?s/.exec(detail)?.[1]
  return seconds === undefined ? {} : { waitSeconds: Number(seconds) }
}

/** The server says in words whether it is the room or its machine that has no place. */
const isFull = (detail: string): boolean => /room is full|no place for more viewers/.test(detail)

/** Why a login or a whoami was refused. */
export function troubleOf(error: unknown): Trouble {
  if (!(error instanceof NekoError)) {
    return { code: 'server-failed', detail: String(error) }
  }
  const detail = error.message
  switch (error.code) {
    case 'unauthorized':
      return { code: detail.includes('link') ? 'bad-link' : 'wrong-password', detail }
    case 'forbidden':
      if (detail.startsWith(originRefused)) {
        return { code: 'origin-refused', detail }
      }
      return { code: detail === 'banned' ? 'banned' : detail.includes('disabled') ? 'login-disabled' : 'room-locked', detail }
    case 'unprocessable':
    case 'conflict':
      return { code: 'already-connected', detail }
    case 'tooMany':
      return { code: 'too-many-tries', detail, ...waitIn(detail) }
    case 'notFound':
      return { code: 'not-found', detail }
    case 'timeout':
      return { code: 'server-away', detail }
    case 'unavailable':
      return { code: isFull(detail) ? 'room-full' : detail.startsWith('the room is ending') ? 'room-ended' : 'server-busy', detail }
    default:
      return { code: 'server-failed', detail }
  }
}

const farewells: Readonly<Record<string, TroubleCode>> = {
  'no authentication provided': 'session-ended',
  'session not found': 'session-ended',
  'session login disabled': 'login-disabled',
  'connection disabled': 'connect-disabled',
  'already connected': 'already-connected',
  'connection replaced': 'replaced',
  'session deleted': 'kicked',
  kicked: 'removed',
  banned: 'banned',
  'session disconnected': 'removed',
  'profile changed': 'removed',
  'connection shutdown': 'server-stopped',
  'room ended': 'room-ended',
  'the room is full: try again later': 'room-full',
}

/** What a `system/disconnect` means. */
export function troubleOfFarewell(message: string): Trouble {
  return { code: (Object.hasOwn(farewells, message) ? farewells[message] : undefined) ?? 'session-ended', detail: message }
}

/** Whether the token is worth nothing after it; one that somebody else uses still is. */
export const endsSession = ({ code }: Trouble): boolean => ['session-ended', 'room-ended', 'kicked', 'banned'].includes(code)
