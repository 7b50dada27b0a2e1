import type { SessionId } from '@neko-edge/kit'
import {
  type Lock,
  type LockName,
  Lock as LockSchema,
  lockNames,
  MemberProfileSchema,
  NodeFacts,
  type Session,
  type SessionState,
  SessionState as SessionStateSchema,
  type Settings,
} from '@neko-edge/protocol'
import type { Ban, BaseSettings, RoomEvent } from './room-event.ts'

/** Which capture node has the room, in which of its runs. */
export interface RoomNode {
  readonly node: string
  readonly instance: string
  readonly epoch: number
  /** Absent while the room is starting there. */
  readonly facts?: NodeFacts
}

/**
 * One room as a process knows it: a copy of the facts in Redis, kept current by the room's numbered events.
 * Reading it costs nothing; changing a fact is a script's work, whose event comes back here.
 */
export class RoomView {
  readonly #sessions = new Map<SessionId, Session>()
  readonly bans = new Map<string, Ban>()
  seq = 0
  fence = 0
  /** The newest epoch of the room, also while no node has it. */
  epoch = 0
  host: SessionId | undefined
  node: RoomNode | undefined
  locks: Partial<Record<LockName, Lock>> = {}
  base: BaseSettings
  startedAt = 0
  lastLeftAt: { user?: number; admin?: number } = {}
  readonly #counts = { users: 0, admins: 0, unlisted: 0 }

  constructor(base: BaseSettings) {
    this.base = base
  }

  get sessions(): ReadonlyMap<SessionId, Session> {
    return this.#sessions
  }

  /** The settings as V3 shows them. */
  get settings(): Settings {
    const { private_mode, ...rest } = this.base
    return {
      private_mode,
      locked_logins: this.locks.login !== undefined,
      locked_controls: this.locks.control !== undefined,
      ...rest,
    }
  }

  session(id: string): Session | undefined {
    // A wire id is looked up, whatever it is: the map decides whether it is a session's.
    return this.#sessions.get(id as SessionId)
  }

  isHost(id: string): boolean {
    return this.host === id
  }

  /** Private mode shuts out everybody but admins. */
  isShutOut(profile: Session['profile']): boolean {
    return this.base.private_mode && !profile.is_admin
  }

  /** Connected sessions of each kind. */
  connected(): { users: number; admins: number } {
    const { users, admins } = this.#counts
    return { users, admins }
  }

  /** Whether so many are connected that some are counted, and not known by name. */
  get isCrowded(): boolean {
    return this.#counts.unlisted > 0
  }

  /** Whether others are told of this session: of the connected those that are listed, of the rest all while the room is small. */
  isListed({ state }: Pick<Session, 'state'>): boolean {
    return state.is_connected ? state.unlisted === undefined : !this.isCrowded
  }

  /** Puts a session in, in place of what was known of it. */
  put(session: Session): void {
    this.#count(this.#sessions.get(session.id), -1)
    this.#sessions.set(session.id, session)
    this.#count(session, 1)
  }

  apply(event: RoomEvent): void {
    switch (event.is) {
      case 'created':
        this.put({ id: event.id as SessionId, profile: event.profile, state: event.state })
        return
      case 'deleted':
        this.#count(this.session(event.id), -1)
        this.#sessions.delete(event.id as SessionId)
        return
      case 'profile':
        this.#update(event.id, (session) => ({ ...session, profile: event.profile }))
        return
      case 'connected':
      case 'listed':
      case 'state':
        this.#move(event.id, event.state)
        return
      case 'host':
        this.host = (event.host ?? undefined) as SessionId | undefined
        this.fence = event.fence
        return
      case 'settings':
        this.base = event.base
        this.locks = event.locks
        return
      case 'node':
        this.epoch = event.epoch
        this.fence = event.fence
        this.node =
          event.node === null || event.instance === null
            ? undefined
            : { node: event.node, instance: event.instance, epoch: event.epoch, ...(event.facts && { facts: event.facts }) }
        return
      case 'facts':
        this.node = this.node && { ...this.node, facts: event.facts }
        return
      case 'banned':
        event.ban ? this.bans.set(event.ip, event.ban) : this.bans.delete(event.ip)
        return
      default:
        return event satisfies never
    }
  }

  #update(id: string, change: (session: Session) => Session): void {
    const session = this.session(id)
    if (session) {
      this.put(change(session))
    }
  }

  #count(session: Session | undefined, by: 1 | -1): void {
    if (session?.state.is_connected) {
      this.#counts[session.profile.is_admin ? 'admins' : 'users'] += by
      this.#counts.unlisted += session.state.unlisted ? by : 0
    }
  }

  #move(id: string, state: SessionState): void {
    const before = this.session(id)
    this.#update(id, (session) => ({ ...session, state }))
    if (!before || before.state.is_connected === state.is_connected) {
      return
    }
    const kind = before.profile.is_admin ? 'admin' : 'user'
    const { users, admins } = this.connected()
    const { [kind]: _, ...others } = this.lastLeftAt
    const isEmpty = (kind === 'admin' ? admins : users) === 0
    this.lastLeftAt = isEmpty && state.not_connected_since !== undefined ? { ...others, [kind]: state.not_connected_since } : others
  }
}

type FlatList = readonly string[]

/** Builds the view from the reply of `readRoom`. The facts are our own writing, yet parsed: a foreign hand may have been in Redis. */
export function readView(reply: readonly [FlatList, FlatList, FlatList, FlatList]): RoomView {
  const [profiles, states, room, bans] = reply.map(pairs) as [Pairs, Pairs, Pairs, Pairs]
  const fields = new Map(room)
  const view = new RoomView(JSON.parse(fields.get('settings') ?? '{}') as BaseSettings)
  const stateOf = new Map(states)
  for (const [id, profile] of profiles) {
    const state = stateOf.get(id)
    if (state !== undefined) {
      const session: Session = {
        id: id as SessionId,
        profile: MemberProfileSchema.parse(JSON.parse(profile)),
        state: SessionStateSchema.parse(JSON.parse(state)),
      }
      view.put(session)
    }
  }
  for (const [ip, ban] of bans) {
    view.bans.set(ip, JSON.parse(ban) as Ban)
  }
  readFields(view, fields)
  return view
}

function readFields(view: RoomView, fields: ReadonlyMap<string, string>): void {
  const number = (name: string) => Number(fields.get(name) ?? 0)
  view.seq = number('seq')
  view.fence = number('fence')
  view.epoch = number('epoch')
  view.startedAt = number('started_at')
  view.host = fields.get('host') as SessionId | undefined
  for (const name of lockNames) {
    const lock = fields.get(`lock:${name}`)
    if (lock !== undefined) {
      view.locks[name] = LockSchema.parse(JSON.parse(lock))
    }
  }
  for (const kind of ['user', 'admin'] as const) {
    if (fields.has(`last_${kind}_left_at`)) {
      view.lastLeftAt[kind] = number(`last_${kind}_left_at`)
    }
  }
  const [node, instance, facts] = [fields.get('node'), fields.get('instance'), fields.get('facts')]
  if (node !== undefined && instance !== undefined) {
    view.node = { node, instance, epoch: view.epoch, ...(facts !== undefined && { facts: NodeFacts.parse(JSON.parse(facts)) }) }
  }
}

type Pairs = readonly (readonly [string, string])[]

function pairs(flat: FlatList): Pairs {
  return Array.from({ length: flat.length / 2 }, (_, index) => [flat[2 * index] ?? '', flat[2 * index + 1] ?? ''] as const)
}
