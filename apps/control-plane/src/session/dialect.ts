import type { NodeReplies, Session } from '@neko-edge/protocol'
import type { PeerNews, RoomEvent, Signal } from '@neko-edge/store'
import type { SessionSocket } from './socket.ts'

/** A message and who of the connected hears it: everybody of the dialect, where it does not say. */
export interface Announcement {
  readonly message: object
  readonly to?: (session: Session) => boolean
  /** The one session that hears it. */
  readonly only?: string
  /** Out of date within a second: a slow socket goes without. */
  readonly isFleeting?: true
}

/** Signals that concern the room; news of a peer go to one socket. */
export type RoomSignal = Exclude<Signal, { is: 'peer' }>

/**
 * How one protocol words what happens in a room. The session engine is the same for all; a dialect only listens and speaks,
 * with a memory of its own where its clients need one. One per room and process.
 */
export interface Dialect {
  readonly name: 'v3' | 'v2'
  /** The first words to a session that has just connected; its frames are handled after this. */
  greet(socket: SessionSocket, session: Session): void
  /** What it hears once the room, itself included, has been told of its connection. */
  settle?(socket: SessionSocket, session: Session): void
  /** What is said of a change, once the view has it. */
  announceEvent(event: RoomEvent): Announcement[]
  announceSignal(signal: RoomSignal): Announcement[]
  /** What is said once a second at most, where there is something to say. */
  announceCount?(): Announcement[]
  /** Hands a viewer the offer of its new peer. */
  provide(socket: SessionSocket, opened: NodeReplies['peer.open']): void
  /** What the capture node says of the socket's own peer. `lost`: through no fault of the viewer's. */
  peerNews(socket: SessionSocket, news: PeerNews): void
  /** The last words to a socket that is closed for a reason. */
  farewell(reason: string): object
  /** Said every ten seconds, where clients watch for it. */
  readonly heartbeat: object | undefined
  encode(message: object): string
}
