import type { HostCause, Lock, LockName, MemberProfile, NodeFacts, SessionState, Settings } from '@neko-edge/protocol'

/** The settings as they are stored: the two locks live in `Locks`, with their owners. */
export type BaseSettings = Omit<Settings, 'locked_logins' | 'locked_controls'>

/**
 * What happened to the facts of a room. The Lua script that changes a fact publishes these, numbered, in the same atomic
 * step: everybody sees every change once, in one order.
 */
export type RoomEvent =
  | { is: 'created'; id: string; profile: MemberProfile; state: SessionState }
  /** `reason` is what its socket is told; `actor` did it, where somebody did. */
  | { is: 'deleted'; id: string; reason: string; actor: string }
  | { is: 'profile'; id: string; profile: MemberProfile; actor: string }
  /** A new socket of the session: it is greeted, an older one is told that it was replaced. */
  | { is: 'connected'; id: string; state: SessionState }
  /** Somebody who was only counted so far is known by name from now on. */
  | { is: 'listed'; id: string; state: SessionState }
  /** Where there is a `reason`, the session's socket is closed with it. */
  | { is: 'state'; id: string; state: SessionState; reason?: string }
  | { is: 'host'; actor: string; host: string | null; previous: string | null; fence: number; cause: HostCause }
  | { is: 'settings'; actor: string; base: BaseSettings; locks: Partial<Record<LockName, Lock>> }
  /** Another capture node, or another run of it, has the room from now on; `null`: nobody has. Without facts it is still starting. */
  | { is: 'node'; node: string | null; instance: string | null; epoch: number; fence: number; facts: NodeFacts | null }
  | { is: 'facts'; change: FactsChange; actor: string; facts: NodeFacts }
  | { is: 'banned'; ip: string; ban: Ban | null; actor: string }

/** What of the node's facts changed; `ready`: the room runs, and can be watched. */
export type FactsChange = 'ready' | 'screen' | 'broadcast' | 'dialog' | 'files' | 'full' | 'uplink'

/** Who banned an address, and when (milliseconds since 1970). */
export interface Ban {
  readonly owner: string
  readonly name: string
  readonly since: number
  /** The session that the ban was spoken on. */
  readonly target: string
}

/** Events that left one script together. `seq` has no gaps: a receiver that finds one reads the room anew. */
export interface RoomBatch {
  readonly seq: number
  /** When, by the clock of Redis, in milliseconds since 1970. */
  readonly at: number
  readonly events: readonly RoomEvent[]
}
