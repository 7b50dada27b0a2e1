import { type Clock, type Log, messageOf, NekoError, randomText, type SessionId, within } from '@neko-edge/kit'
import type { FeedSource } from '@neko-edge/protocol'
import { type Bus, type Connection, deadInstances, type RoomEvent, watchSession } from '@neko-edge/store'
import type { Hub } from '../session/hub.ts'
import type { SocketPort } from '../session/socket.ts'
import { PlaneFeed } from './feed.ts'
import { StreamViewer } from './viewer.ts'

const lookMs = 5_000
/** How long a session may take to be connected, in milliseconds. */
const connectMs = 2_000
/** RFC 6455 §7.4.1: against the rules of the room, and too much right now. */
const refusedCode = 1008
const busyCode = 1013

export interface StreamsOptions {
  readonly hub: Hub
  readonly bus: Bus
  readonly connection: Connection
  /** How many may watch through this process. */
  readonly maxViewers: number
  readonly clock: Clock
  readonly log: Log
}

/** The viewers on the thin line of one room that this process holds: one socket at most for each session, the newest. */
export class Streams {
  readonly #options: StreamsOptions
  readonly #viewers = new Map<string, StreamViewer>()
  readonly #feeds = new Map<string, PlaneFeed>()
  readonly #stop: (() => void)[]

  constructor(options: StreamsOptions) {
    this.#options = options
    this.#stop = [
      options.hub.room.onEvents.add((events) => events.forEach((event) => this.#follow(event))),
      options.clock.every(lookMs, () => this.#look()),
    ]
  }

  get viewers(): Iterable<StreamViewer> {
    return this.#viewers.values()
  }

  /** Lets a session watch through `port`. Fails with `forbidden` for one that may not watch or is not in the room, `tooMany` where the process is full. */
  async join(session: SessionId, port: SocketPort): Promise<StreamViewer> {
    await this.#isConnected(session)
    const { hub, bus, maxViewers, clock, log } = this.#options
    const known = hub.room.view.session(session)
    if (!known?.profile.can_watch || !known.state.is_connected) {
      throw new NekoError('forbidden', 'this session may not watch')
    }
    const before = this.#viewers.get(session)
    if (!before && this.#viewers.size >= maxViewers) {
      throw new NekoError('tooMany', 'too many watch over the WebSocket: try again in a moment')
    }
    const viewer: StreamViewer = new StreamViewer({
      key: `${bus.instance}.${randomText(8)}`,
      session,
      port,
      hub,
      feed: (source) => this.#feed(source),
      clock,
      log,
      onEnd: () => {
        if (this.#viewers.get(session) === viewer) {
          this.#viewers.delete(session)
        }
      },
    })
    this.#viewers.set(session, viewer)
    before?.close(refusedCode, 'replaced by a newer one')
    return viewer
  }

  /** A client opens all its sockets at once: the room may be about to hear of this session. */
  async #isConnected(session: SessionId): Promise<void> {
    const { room } = this.#options.hub
    const isThere = () => room.view.session(session)?.state.is_connected === true
    const { promise, resolve } = Promise.withResolvers<void>()
    const stop = room.onEvents.add(() => isThere() && resolve())
    if (!isThere()) {
      await within(connectMs, 'the session', promise).catch(() => undefined)
    }
    stop()
  }

  /** Says why a socket is not taken. */
  refuse(port: SocketPort, error: unknown): void {
    const isRefused = error instanceof NekoError && error.code === 'forbidden'
    port.close(isRefused ? refusedCode : busyCode, error instanceof NekoError ? error.message.slice(0, 100) : 'try again')
  }

  [Symbol.dispose](): void {
    this.#stop.forEach((stop) => stop())
    for (const viewer of [...this.#viewers.values()]) {
      viewer.close(1001, 'connection shutdown')
    }
    for (const feed of this.#feeds.values()) {
      feed.close()
    }
  }

  /** Feeds without a listener cost nothing, and there are as many as the room has sources: they are kept. */
  #feed(source: FeedSource): PlaneFeed {
    const { hub, bus, clock, log } = this.#options
    const name = source.is === 'video' ? `video ${source.id}` : source.is
    const known = this.#feeds.get(name)
    if (known) {
      return known
    }
    this.#forgetIdle()
    const feed = new PlaneFeed({ source, node: hub.node, bus, clock, log })
    this.#feeds.set(name, feed)
    return feed
  }

  /** A viewer may name what there is not, over and over. */
  #forgetIdle(): void {
    for (const [name, feed] of this.#feeds) {
      if (feed.isIdle) {
        this.#feeds.delete(name)
      }
    }
  }

  #look(): void {
    for (const viewer of [...this.#viewers.values()]) {
      if (viewer.isGone()) {
        viewer.close(refusedCode, 'nothing was heard of you')
      }
    }
    this.#sweep().catch((error: unknown) => this.#options.log.debug({ error: messageOf(error) }, 'thin lines not looked after'))
  }

  /** Sessions whose line was held by a process that died, or ended without the room hearing of it, do not watch any more. */
  async #sweep(): Promise<void> {
    const { hub, bus, connection } = this.#options
    const strays = [...hub.room.view.sessions.values()].flatMap(({ id, state: { stream } }) =>
      stream === undefined || stream === this.#viewers.get(id)?.key ? [] : [{ id, stream, instance: stream.split('.')[0] ?? '' }],
    )
    const others = [...new Set(strays.map(({ instance }) => instance))].filter((instance) => instance !== bus.instance)
    const gone = new Set([bus.instance, ...(others.length === 0 ? [] : await deadInstances(connection, others))])
    for (const { id, stream, instance } of strays) {
      if (gone.has(instance)) {
        await hub.room.run(watchSession, [id, stream, '0', 'stream'])
      }
    }
  }

  #follow(event: RoomEvent): void {
    if (event.is === 'facts' && event.change === 'ready') {
      for (const feed of this.#feeds.values()) {
        feed.reopen()
      }
      return
    }
    const viewer = 'id' in event ? this.#viewers.get(event.id) : undefined
    if (!viewer) {
      return
    }
    if (event.is === 'deleted' || (event.is === 'state' && !event.state.is_connected)) {
      viewer.close(refusedCode, 'the session has ended')
    } else if (event.is === 'profile' && !(event.profile.can_watch && event.profile.can_login && event.profile.can_connect)) {
      viewer.close(refusedCode, 'this session may not watch')
    } else if (event.is === 'state' && viewer.isReplacedBy(event.state.stream)) {
      viewer.close(refusedCode, 'replaced by a newer one')
    }
  }
}
