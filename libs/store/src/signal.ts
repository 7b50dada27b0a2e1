import type { IceCandidate, PeerAudio, PeerVideo } from '@neko-edge/protocol'

/**
 * What a room tells its processes without changing a fact: lost while Redis is away, and nobody asks for it again.
 * `session` and `receiver` are for one session, wherever its socket is; the rest is for all who may see it.
 */
export type Signal =
  /** Somebody asks the host for the controls. */
  | { is: 'request'; id: string; host: string }
  | { is: 'unicast'; sender: string; receiver: string; subject: string; body: unknown }
  | { is: 'broadcast'; sender: string; subject: string; body: unknown }
  | { is: 'chat'; id: string; created: number; text: string }
  | { is: 'cursors'; cursors: { id: string; cursors: { x: number; y: number }[] }[] }
  | { is: 'clipboard'; text: string }
  | { is: 'peer'; session: string; peer: string; news: PeerNews }

/** What the capture node says of a viewer's peer. */
export type PeerNews =
  | { is: 'video'; video: PeerVideo }
  | { is: 'audio'; audio: PeerAudio }
  | { is: 'candidate'; candidate: IceCandidate }
  | { is: 'offer'; sdp: string }
  /** The viewer's side ended it, or the path to it is gone. */
  | { is: 'closed' }
  /** The node lost it through a fault of its own (a worker died): the viewer is to get a new one. */
  | { is: 'lost' }
