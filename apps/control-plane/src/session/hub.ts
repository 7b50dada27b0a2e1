import { type Clock, type InstanceId, type Log, messageOf, type RoomId, randomText, type SessionId } from '@neko-edge/kit'
import type { Session } from '@neko-edge/protocol'
import {
  type Bus,
  type Connection,
  connectSession,
  DeadSessions,
  disconnectSession,
  moveSession,
  NewsQueue,
  Room,
  type RoomDefaults,
  type RoomEvent,
  type Signal,
  tellParticipants,
} from '@neko-edge/store'
import { V2Dialect } from '../legacy/dialect.ts'
import type { Metrics } from '../metrics.ts'
import { Streams } from '../stream/streams.ts'
import type { Announcement, Dialect } from './dialect.ts'
import { NodeClient } from './node-client.ts'
import { tellPeerNews } from './peer.ts'
import { SessionSocket, type SocketPort } from './socket.ts'
import { SocketSet } from './socket-set.ts'
import { V3Dialect } from './v3/dialect.ts'

/** How long a session whose socket broke counts as connected, in milliseconds: back in that time, and nobody was told. */
export const graceMs = 5_000
const heartbeatMs = 10_000
/** How often a crowd is counted for those in it. */
const countMs = 1_000
/** As a connection that broke (RFC 6455 §7.4.1): its session has its grace. */
const goneCode = 1006
/** "Service Restart" of the WebSocket registry: a V3 client comes back by itself. */
const restartCode = 1012

export interface HubOptions {
  readonly connection: Connection
  readonly bus: Bus
  readonly instance: InstanceId
  readonly clock: Clock
  readonly log: Log
  readonly defaults: RoomDefaults
  readonly features: Features
  readonly metrics: Metrics
  /** Says that this process stops; gives whether another one takes its clients. */
  readonly leave: () => Promise<boolean>
}

/** What the configuration has to say about a room as clients see it. */
export interface Features {
  readonly chat: boolean
  readonly openInApp: boolean
  /** How many connected sessions are told of by name; 0: all. */
  readonly listedMax: number
  /** How many users may be connected; 0: any number. */
  readonly maxMembers: number
  /** Whether a webhook is told who comes and goes. */
  readonly hasWebhook: boolean
  readonly fileTransfer: { enabled: boolean; root: string; userDownload: boolean; userUpload: boolean; userDelete: boolean }
  readonly iceServers: readonly { urls: string[]; username?: string; credential?: string }[]
  /** The thin line, and how many may watch a room over it through this process. */
  readonly stream: { enabled: boolean; maxViewers: number }
  /** What is said of the desktop while no capture node has the room. */
  readonly fallback: { screen: { width: number; height: number; rate: number }; videos: string[] }
}

/** The sockets of one room that this process holds, and what they are told of the room. */
export class Hub implements AsyncDisposable {
  readonly room: Room
  readonly node: NodeClient
  readonly dialects: { readonly v3: Dialect; readonly v2: Dialect }
  features: Features
  /** The viewers on the thin line; `undefined` where that is off. */
  readonly streams: Streams | undefined
  readonly counters: Metrics
  readonly log: Log
  readonly clock: Clock
  readonly #options: HubOptions
  readonly #sockets = new SocketSet()
  readonly #grace = new Map<string, () => void>()
  readonly #stop: (() => void)[] = []
  readonly #dead: DeadSessions

  private constructor(room: Room, options: HubOptions) {
    this.room = room
    this.node = new NodeClient(options.bus, room.id, options)
    this.features = options.features
    this.clock = options.clock
    this.counters = options.metrics
    this.log = options.log.child({ room: room.id })
    this.#options = options
    const { bus, connection, clock, features } = options
    this.streams = features.stream.enabled
      ? new Streams({ hub: this, bus, connection, maxViewers: features.stream.maxViewers, clock, log: this.log })
      : undefined
    this.#dead = new DeadSessions({ room, connection, clock, graceMs })
    this.dialects = { v3: new V3Dialect(this), v2: new V2Dialect(this) }
  }

  static async open(id: RoomId, options: HubOptions): Promise<Hub> {
    const room = await Room.open(id, options)
    const hub = new Hub(room, options)
    hub.#stop.push(
      tellParticipants({
        room,
        news: new NewsQueue(options.connection),
        isWanted: () => hub.features.hasWebhook,
        clock: options.clock,
        log: hub.log,
      }),
      room.onEvents.add((events) => hub.#onEvents(events)),
      room.onSignal.add((signal) => hub.#onSignal(signal)),
      options.clock.every(countMs, () => hub.#announce((dialect) => dialect.announceCount?.() ?? [])),
      options.clock.every(
        heartbeatMs / 10,
        () => void hub.#sweep().catch((error: unknown) => hub.log.debug({ error: messageOf(error) }, 'sweep failed')),
      ),
    )
    return hub
  }

  /** The room's configuration is another one. */
  async configure({ defaults, features }: Pick<HubOptions, 'defaults' | 'features'>): Promise<void> {
    this.features = features
    await this.room.configure(defaults)
  }

  /** The session of a socket, as the room knows it now. */
  sessionOf(socket: SessionSocket): Session | undefined {
    return this.room.view.session(socket.id)
  }

  get sockets(): Iterable<SessionSocket> {
    return this.#sockets
  }

  /**
   * Connects a session through a socket: it is greeted, and hears the room, as soon as the room's own event says so.
   * Gives the socket, or the text with which the session is to be refused.
   */
  async join({
    id,
    dialect,
    port,
    address,
  }: {
    id: SessionId
    dialect: 'v3' | 'v2'
    port: SocketPort
    address: string
  }): Promise<SessionSocket | { refused: string }> {
    const key = `${this.#options.instance}.${randomText(8)}`
    const socket = new SessionSocket({
      key,
      id,
      dialect: this.dialects[dialect],
      port,
      log: this.log,
      onSlow: () => this.counters.slow.inc(),
    })
    this.#sockets.add(socket)
    try {
      const { listedMax, maxMembers } = this.features
      const outcome = String(await this.room.run(connectSession, [id, key, address, dialect, listedMax, maxMembers]))
      if (outcome in refusals) {
        this.#sockets.delete(socket)
        return { refused: refusals[outcome as keyof typeof refusals] }
      }
      socket.epoch = Number(outcome)
    } catch (error) {
      this.#sockets.delete(socket)
      throw error
    }
    const stopHeartbeat = this.clock.every(heartbeatMs, () => {
      if (!this.#sockets.has(key)) {
        return stopHeartbeat()
      }
      if (socket.isGone) {
        return this.leave(socket, goneCode)
      }
      if (socket.dialect.heartbeat) {
        socket.say(socket.dialect.heartbeat)
      }
      socket.ping()
    })
    this.#grace.get(id)?.()
    return socket
  }

  /** The socket is gone. A clean close (1000, 1001) ends the connection at once; otherwise the session has its grace to come back. */
  leave(socket: SessionSocket, code: number): void {
    socket.close(1000, '')
    if (!this.#sockets.delete(socket)) {
      return
    }
    const end = () => this.#end(socket)
    if (code === 1000 || code === 1001 || socket.dialect.name === 'v2') {
      end()
      return
    }
    const cancel = this.clock.after(graceMs, end)
    this.#grace.set(socket.id, () => {
      this.#grace.delete(socket.id)
      cancel()
    })
  }

  /**
   * This process stops. Where another control plane is alive, clients are told to come back, and their sessions go on there; otherwise
   * every socket hears a last word.
   */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#fallSilent()
    if (await this.#options.leave().catch(() => false)) {
      await Promise.allSettled([...this.#sockets].map((socket) => this.#move(socket)))
    }
    await this.close('connection shutdown')
  }

  /** Says a last word to every socket and closes it: the room is over, or not needed here. */
  async close(reason: string): Promise<void> {
    this.#fallSilent()
    for (const socket of this.#sockets) {
      this.#drop(socket, reason)
    }
    await this.room[Symbol.asyncDispose]()
  }

  #fallSilent(): void {
    for (const stop of this.#stop.splice(0)) {
      stop()
    }
    this.streams?.[Symbol.dispose]()
  }

  #end(socket: SessionSocket): void {
    this.#grace.delete(socket.id)
    // Refused by the script where a newer connection has taken the session over.
    this.room.run(disconnectSession, [socket.id, socket.epoch, '']).catch((error: unknown) => {
      this.log.debug({ session: socket.id, error: messageOf(error) }, 'session not ended, a sweep will')
    })
  }

  /** V3 keeps its session and its picture over a new socket; V2 knows no coming back: told to go, it logs in anew at once. */
  async #move(socket: SessionSocket): Promise<void> {
    if (socket.dialect.name === 'v2') {
      this.#drop(socket, 'connection shutdown')
      await this.room.run(disconnectSession, [socket.id, socket.epoch, ''])
      return
    }
    // Before it hears that it may come back: it might be refused as connected already.
    if (!this.room.view.settings.merciful_reconnect) {
      await this.room.run(moveSession, [socket.id, socket.epoch]).catch(() => undefined)
    }
    this.#sockets.delete(socket)
    socket.close(restartCode, 'this server stops, another one takes over')
  }

  #drop(socket: SessionSocket, reason: string): void {
    this.#sockets.delete(socket)
    socket.end(reason)
  }

  #onEvents(events: readonly RoomEvent[]): void {
    for (const event of events) {
      this.#closeEnded(event)
    }
    for (const event of events) {
      if (event.is === 'connected') {
        this.#greet(event.state.instance)
      }
      this.#announce((dialect) => dialect.announceEvent(event))
      if (event.is === 'facts' && event.change === 'ready') {
        this.#reopenAll()
      }
      if (event.is === 'state') {
        this.#settle(event)
      }
    }
  }

  /** Sockets whose session has ended, or has a newer connection, hear why and nothing after it. */
  #closeEnded(event: RoomEvent): void {
    for (const socket of 'id' in event ? this.#sockets.of(event.id) : []) {
      if (event.is === 'deleted') {
        this.#drop(socket, event.reason)
      } else if (event.is === 'state' && event.reason !== undefined) {
        this.#drop(socket, event.reason)
      } else if (event.is === 'connected' && socket.isOpen && socket.key !== event.state.instance) {
        this.#drop(socket, 'connection replaced')
      }
    }
  }

  #greet(key: string | undefined): void {
    const socket = this.#sockets.get(key)
    const session = socket && this.sessionOf(socket)
    if (socket && session) {
      socket.dialect.greet(socket, session)
      socket.open()
    }
  }

  #onSignal(signal: Signal): void {
    if (signal.is === 'peer') {
      const socket = this.socketOf(signal.session)
      if (socket) {
        void tellPeerNews(this, socket, signal)
      }
      return
    }
    this.#announce((dialect) => dialect.announceSignal(signal))
  }

  /** The open socket of a session in this process. */
  socketOf(id: string): SessionSocket | undefined {
    return this.#sockets.of(id).find((socket) => socket.isOpen)
  }

  #announce(wording: (dialect: Dialect) => Announcement[]): void {
    for (const dialect of [this.dialects.v3, this.dialects.v2]) {
      for (const { message, to, only, isFleeting } of wording(dialect)) {
        let text: string | undefined
        for (const socket of only === undefined ? this.#sockets : this.#sockets.of(only)) {
          const session = this.sessionOf(socket)
          if (socket.isOpen && socket.dialect === dialect && session && (to === undefined || to(session))) {
            text ??= dialect.encode(message)
            isFleeting ? socket.sendFresh(text) : socket.send(text)
          }
        }
      }
    }
  }

  /** Another run of a capture node has the room: whoever was watching through us gets a new picture from it. */
  #reopenAll(): void {
    for (const socket of this.#sockets) {
      if (socket.isOpen && socket.request) {
        socket.dialect.peerNews(socket, { is: 'lost' })
      }
    }
  }

  /** Everybody has heard of the session: now its new socket hears the rest. */
  #settle({ id, state }: Extract<RoomEvent, { is: 'state' }>): void {
    const socket = this.#sockets.get(state.instance)
    const session = socket && this.sessionOf(socket)
    if (socket?.isOpen && session && !socket.isSettled) {
      socket.isSettled = true
      socket.dialect.settle?.(socket, session)
    }
    if (state.peer !== undefined) {
      // After a reconnect to this process the peer is there already: what it had asked for is not known, the defaults are.
      const current = this.socketOf(id)
      if (current) {
        current.request ??= {}
      }
    }
  }

  /** Ends the sessions of processes that died, and ours that have no socket: their end did not reach Redis at the time. */
  async #sweep(): Promise<void> {
    const holders = this.#dead.holders()
    const own = holders.get(this.#options.instance) ?? []
    for (const { id, state } of own.filter((one) => !this.#sockets.get(one.state.instance) && !this.#grace.has(one.id))) {
      await this.room.run(disconnectSession, [id, state.epoch, ''])
    }
    holders.delete(this.#options.instance)
    await this.#dead.sweep(holders)
  }
}

/** What a session is told that may not connect. */
const refusals = {
  gone: 'session not found',
  banned: 'banned',
  'no-login': 'session login disabled',
  'no-connect': 'connection disabled',
  already: 'already connected',
  full: 'the room is full: try again later',
} as const
