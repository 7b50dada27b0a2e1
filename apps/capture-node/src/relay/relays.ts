import { type Clock, type Log, messageOf, NekoError, type NodeId, SerialQueue } from '@neko-edge/kit'
import { type NodeArgs, type NodeReplies, type RelayArgs, type RelayedMedia, RelayState, type UplinkReply } from '@neko-edge/protocol'
import { type Fleet, type Room, relayedChannel } from '@neko-edge/store'
import type { RtpSource } from '../capture/rtp-source.ts'
import type { PeerCall } from '../room/peer-calls.ts'
import { Held } from '../sfu/held.ts'
import type { SfuRoom } from '../sfu/sfu.ts'
import type { Uplinks } from '../uplink/uplinks.ts'
import { endWatching, tellLost } from './lost-viewers.ts'
import type { RelayBus } from './relay-bus.ts'
import { type RelayNumbers, refusedBy } from './relay-numbers.ts'
import { childrenOf, parentFor, type Relay } from './relay-tree.ts'
import { UplinkCare } from './uplink-care.ts'

export interface RelaysOptions {
  readonly room: Room
  readonly node: NodeId
  readonly relayBus: RelayBus
  readonly fleet: Pick<Fleet, 'nodes'>
  readonly fanOut: SfuRoom
  /** Where nobody can reach this node: the way out of it. */
  readonly uplinks?: Uplinks
  readonly sources: readonly RtpSource[]
  readonly media: RelayedMedia
  /** How many relays take the room from one node. */
  readonly width: number
  /** Publishes to the channel that all relays hear. */
  readonly publish: (channel: string, text: string) => Promise<unknown>
  /** Whether Redis is there: without it nobody answers, and everything goes on. */
  readonly isReachable: () => boolean
  /** A relay has the room from now on. */
  readonly onAttached: () => void
  /** The relay to which the uplink goes is another one, or there is none. */
  readonly onUplink: (relay: string | null) => void
  readonly onClosed: () => void
  readonly clock: Clock
  readonly log: Log
}

/** How often each relay is asked whether it lives, how long it may take, and how often it may fail to answer. */
const beatMs = 500
const answerMs = 1_000
const maxFailures = 2
/** After Redis was away, so long nobody is taken for dead. */
const settleMs = 3_000
const openMs = 10_000
const peerMs = 10_000

/**
 * The relays of a room, as its origin sees them. Viewers fill them one after the other, and each takes one copy of every stream: from here, or, where enough take it from
 * here, from one that does. What the origin sends so depends on how many relays there are, never on viewers.
 */
export class Relays implements AsyncDisposable {
  readonly #options: RelaysOptions
  /** Oldest first. */
  readonly #relays = new Map<string, Relay>()
  readonly #queue = new SerialQueue()
  readonly #stop: () => void
  readonly #care: UplinkCare | undefined
  #candidates = 0
  #unreachableAt = Number.NEGATIVE_INFINITY

  constructor(options: RelaysOptions) {
    this.#options = options
    const stops = [
      options.clock.every(beatMs, () => this.#beat()),
      options.room.onEvents.add((events) => events.forEach((event) => event.is === 'deleted' && this.forget(event.id))),
    ]
    this.#stop = () => stops.forEach((stop) => stop())
    this.#care = options.uplinks && this.#careFor(options.uplinks)
    this.hasPlace()
  }

  /** Viewers behind all relays. */
  get viewers(): number {
    return [...this.#relays.values()].reduce((sum, { viewers }) => sum + viewers, 0)
  }

  async numbers(): Promise<RelayNumbers[]> {
    const sent = new Map((await this.#options.fanOut.pipeStats()).map(({ name, bytesSent }) => [name, bytesSent]))
    const all = [...this.#relays.values()].map(async ({ node, viewers }) => ({
      relay: node,
      viewers,
      bytesSent: this.#options.uplinks?.bytesSent(node) ?? sent.get(node) ?? 0,
      refused: await refusedBy(this.#options, node),
    }))
    return Promise.all(all)
  }

  /** Whether somebody who comes now would find a place behind a relay; as far as was known a moment ago. */
  hasPlace(): boolean {
    this.#free().then(
      (found) => {
        this.#candidates = found.length
      },
      () => undefined,
    )
    return this.#candidates > 0 || this.#open.some(({ isFull }) => !isFull)
  }

  has(session: string): boolean {
    return this.#relayOf(session) !== undefined
  }

  /** Opens a viewer behind a relay, and a further relay where those that there are have no place; undefined where no relay takes him. */
  async open(args: NodeArgs<'peer.open'>): Promise<NodeReplies['peer.open'] | undefined> {
    const own = this.#relayOf(args.session)
    // Where he is already he takes nobody's place.
    for (const relay of this.#open.filter((each) => each === own || !each.isFull)) {
      const opened = await this.#openOn(relay, args)
      if (opened) {
        return opened
      }
    }
    const next = await this.#queue.run(() => this.#grow())
    return next && this.#openOn(next, args)
  }

  /** A call about a viewer who is behind a relay. */
  async call(session: string, call: PeerCall, args: unknown): Promise<unknown> {
    const relay = this.#relayOf(session)
    if (!relay) {
      throw new NekoError('notFound', 'webRTC peer does not exist')
    }
    return this.#options.relayBus.call(relay.node, 'relay.peer', { args: { room: this.#id, call, args }, ms: peerMs })
  }

  /** The viewer is elsewhere now, or gone. */
  forget(session: string, to?: Relay): void {
    for (const relay of this.#relays.values()) {
      if (relay !== to && relay.sessions.delete(session)) {
        this.#options.relayBus.tell(relay.node, 'relay.release', { room: this.#id, session })
      }
    }
  }

  /** A message for the channels of all viewers behind relays, but that of a session. */
  tellChannel(message: Uint8Array, except = ''): void {
    if (this.#relays.size > 0) {
      const text = JSON.stringify({ data: Buffer.from(message).toString('base64'), except })
      const isSent = this.#options.uplinks?.tell(text) === true
      isSent || this.#options.publish(relayedChannel(this.#id), text).catch(() => undefined)
    }
  }

  async openPipe({ name, end }: RelayArgs<'pipe.open'>) {
    const lost = () => this.#options.relayBus.tell(name, 'relay.feed', { room: this.#id, parent: this.#options.node })
    const { streams, ip, port, srtp } = await this.#options.fanOut.openPipe(name, end, lost)
    return { ip, port, srtp, streams: streams.map(({ kind, ids, rtp }) => ({ kind, ids: [...ids], rtp })) }
  }

  /** Goes to a relay that this room has chosen. Errors: `forbidden` for any other, `conflict` where this node is reached by pipes. */
  async openUplink({ name, end }: RelayArgs<'uplink.open'>): Promise<UplinkReply> {
    const { uplinks, relayBus, node, onAttached } = this.#options
    if (!uplinks) {
      throw new NekoError('conflict', 'this node has no uplink (node.uplink): it is reached by pipes')
    }
    if (!this.#relays.has(name)) {
      throw new NekoError('forbidden', `${name} is no relay of this room`)
    }
    const onLost = () => relayBus.tell(name, 'relay.feed', { room: this.#id, parent: node })
    const onOpen = () => {
      this.#care?.look()
      // What was said while it was down, nobody heard.
      onAttached()
    }
    const { fingerprint, streams } = await uplinks.open({ name, end, onOpen, onLost })
    return { fingerprint, streams: streams.map(({ kind, ids, rtp }) => ({ kind, ids: [...ids], rtp })) }
  }

  hold({ relay: node, ids }: { relay: string; ids: readonly string[] }): void {
    const { sources, uplinks } = this.#options
    const relay = this.#relays.get(node)
    if (relay) {
      relay.ids = ids
      relay.held.set(sources.filter(({ id }) => ids.includes(id)))
      // What the others want goes through the one that has the uplink.
      const all = [...this.#relays.values()].flatMap((each) => each.ids)
      uplinks?.want(sources.filter(({ id }) => all.includes(id)))
    }
  }

  left({ session, peer }: { session: string; peer: string }): void {
    for (const { sessions } of this.#relays.values()) {
      if (sessions.get(session) === peer) {
        sessions.delete(session)
      }
    }
  }

  /** A relay stops: its viewers get a new peer elsewhere, and keep the old one until they have it. */
  leaving(node: string): void {
    const relay = this.#relays.get(node)
    if (relay && !relay.isLeaving) {
      relay.isLeaving = true
      this.#options.log.info({ relay: node, viewers: relay.sessions.size }, 'relay stops')
      for (const [session, peer] of relay.sessions) {
        tellLost(this.#options, { session, peer })
      }
      void this.#queue.run(() => this.#moveChildren(relay))
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop()
    this.#options.onClosed()
    for (const { node, held } of this.#relays.values()) {
      held.set([])
      this.#options.relayBus.tell(node, 'relay.close', { room: this.#id, origin: this.#options.node })
    }
    this.#relays.clear()
  }

  get #id(): string {
    return this.#options.room.id
  }

  get #open(): Relay[] {
    return [...this.#relays.values()].filter(({ isLeaving }) => !isLeaving)
  }

  #relayOf(session: string): Relay | undefined {
    return [...this.#relays.values()].find(({ sessions }) => sessions.has(session))
  }

  async #openOn(relay: Relay, args: NodeArgs<'peer.open'>): Promise<NodeReplies['peer.open'] | undefined> {
    try {
      const call = { room: this.#id, call: 'peer.open', args }
      // What a relay's viewers answer to this very call.
      const opened = (await this.#options.relayBus.call(relay.node, 'relay.peer', { args: call, ms: peerMs })) as NodeReplies['peer.open']
      this.forget(args.session, relay)
      relay.sessions.set(args.session, opened.peer)
      return opened
    } catch (error) {
      if (error instanceof NekoError && ['unavailable', 'timeout', 'notFound'].includes(error.code)) {
        // Full, or gone: the next beat says which.
        relay.isFull = true
        this.#options.log.debug({ relay: relay.node, error: messageOf(error) }, 'relay takes no viewer')
        return undefined
      }
      throw error
    }
  }

  /** Relays of the fleet that do not have the room, the least loaded first. */
  async #free(): Promise<string[]> {
    const nodes = await this.#options.fleet.nodes()
    return nodes
      .filter(({ id, roles, isAlive, isDrained }) => isAlive && !isDrained && roles.includes('relay') && !this.#isTaken(id))
      .toSorted((a, b) => (this.#care?.distrust(a.id) ?? 0) - (this.#care?.distrust(b.id) ?? 0) || a.load - b.load)
      .map(({ id }) => id)
  }

  #isTaken(node: string): boolean {
    return node === this.#options.node || this.#relays.has(node)
  }

  /** Gives the room to one more relay, or to one that another caller has just found. */
  async #grow(): Promise<Relay | undefined> {
    const ready = this.#open.find(({ isFull }) => !isFull)
    if (ready) {
      return ready
    }
    for (const node of await this.#free()) {
      const relay = await this.#attach(node)
      if (relay) {
        return relay
      }
    }
    return undefined
  }

  async #attach(node: string): Promise<Relay | undefined> {
    const { relayBus, media, node: origin, log } = this.#options
    const parent = this.#parentFor()
    const relay: Relay = {
      ...{ node, parent, sessions: new Map(), held: new Held(), viewers: 0 },
      ...{ isFull: false, isLeaving: false, failures: 0, isAsked: false, ids: [] },
    }
    this.#relays.set(node, relay)
    try {
      const args = { room: this.#id, origin, parent: parent?.node ?? origin, media, isUplinked: this.#options.uplinks !== undefined }
      await relayBus.call(node, 'relay.open', { args, ms: openMs })
      log.info({ relay: node, parent: parent?.node ?? origin }, 'relay has the room')
      this.#options.onAttached()
      return relay
    } catch (error) {
      log.warn({ relay: node, error: messageOf(error) }, 'relay does not take the room')
      this.#care?.noteFailure(node)
      this.#drop(relay)
      return undefined
    }
  }

  #careFor(uplinks: Uplinks): UplinkCare {
    const { onUplink, clock, log } = this.#options
    return new UplinkCare({
      uplinks,
      direct: () => this.#childrenOf(undefined).flatMap(({ node, isLeaving }) => (isLeaving ? [] : [node])),
      hasRelay: () => this.#open.length > 0,
      grow: () => this.#queue.run(async () => (await this.#grow()) !== undefined),
      giveUp: (node) => {
        const relay = this.#relays.get(node)
        if (relay) {
          this.#drop(relay)
        }
      },
      onUplink,
      clock,
      log,
    })
  }

  #childrenOf(parent: Relay | undefined): Relay[] {
    return childrenOf([...this.#relays.values()], parent)
  }

  #parentFor(not?: Relay): Relay | undefined {
    const { width, uplinks } = this.#options
    return parentFor([...this.#relays.values()], { not, widths: { ofOrigin: uplinks ? 1 : width, ofRelay: width } })
  }

  async #moveChildren(from: Relay): Promise<void> {
    const { relayBus, node: origin } = this.#options
    for (const child of this.#childrenOf(from)) {
      child.parent = this.#parentFor(child)
      const parent = child.parent?.node ?? origin
      await relayBus.call(child.node, 'relay.feed', { args: { room: this.#id, parent } }).catch(() => this.#drop(child))
    }
  }

  #beat(): void {
    if (!this.#options.isReachable()) {
      this.#unreachableAt = this.#options.clock.now()
    }
    this.#care?.look()
    for (const relay of this.#relays.values()) {
      if (!relay.isAsked) {
        relay.isAsked = true
        void this.#ask(relay).finally(() => {
          relay.isAsked = false
        })
      }
    }
  }

  async #ask(relay: Relay): Promise<void> {
    const bitrates = Object.fromEntries(this.#options.sources.map(({ id, bitrate }) => [id, bitrate]))
    try {
      const args = { room: this.#id, origin: this.#options.node, bitrates }
      const state = RelayState.parse(await this.#options.relayBus.call(relay.node, 'relay.beat', { args, ms: answerMs }))
      relay.failures = 0
      relay.viewers = state.viewers
      relay.isFull = state.isFull
      this.hold({ relay: relay.node, ids: state.ids })
    } catch (error) {
      // Without Redis nobody can answer; when it is back, some have found it sooner than others.
      const isExcused = this.#options.clock.now() - this.#unreachableAt < settleMs
      if (!isExcused && this.#relays.get(relay.node) === relay && ++relay.failures >= maxFailures) {
        this.#options.log.warn({ relay: relay.node, error: messageOf(error) }, 'relay lost')
        this.#drop(relay)
      }
    }
  }

  /** A relay is gone: its viewers get a new peer, those who take the room from it take it from another one. */
  #drop(relay: Relay): void {
    const { relayBus, fanOut, uplinks } = this.#options
    this.#relays.delete(relay.node)
    relay.held.set([])
    relayBus.tell(relay.node, 'relay.close', { room: this.#id, origin: this.#options.node })
    if (relay.parent) {
      relayBus.tell(relay.parent.node, 'pipe.close', { room: this.#id, name: relay.node })
    } else {
      fanOut.closePipe(relay.node)
      uplinks?.close(relay.node)
    }
    for (const [session, peer] of relay.sessions) {
      void endWatching(this.#options, { session, peer })
    }
    void this.#queue.run(() => this.#moveChildren(relay))
  }
}
