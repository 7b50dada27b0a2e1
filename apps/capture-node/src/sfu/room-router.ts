import { Backoff, type Clock, Listeners, type Log, messageOf, NekoError, type PeerId, within } from '@neko-edge/kit'
import { Carrier, EVERYONE, fromSources, type MediaFeed } from './carrier.ts'
import { fromUplink } from './from-uplink.ts'
import type { EndableMedia } from './incoming-media.ts'
import { KeyFrameGate } from './key-frame-gate.ts'
import { MediasoupPeer } from './peer.ts'
import type { PeerSetting } from './peer-parts.ts'
import { fromPipe, type PipePorts } from './pipe.ts'
import { pipeOut, RoomPipes } from './room-pipes.ts'
import type { PeerOptions, PipeEnd, PipeOffer, RoomEvent, RoomSources, SfuRoom, Upstream } from './sfu.ts'
import type { SfuWorker } from './worker.ts'
import type { WorkerPool } from './worker-pool.ts'

export interface RoomRouterOptions {
  readonly pool: WorkerPool
  /** Where the room starts. */
  readonly worker: SfuWorker
  readonly sources: RoomSources
  /** How it comes from another node; absent where it is made here, of its sources. */
  readonly upstream?: () => Upstream
  readonly pipes: PipePorts
  readonly addresses: readonly string[]
  readonly estimator: PeerSetting['estimator']
  readonly log: Log
  readonly clock: Clock
  readonly onClosed: () => void
}

/** How long a viewer that comes while no worker runs waits for one. */
const waitMs = 5_000
/** How long a worker goes on carrying a room for nobody, while another one carries it for somebody. */
const idleMs = 5_000

/** How a room that comes from another node is tried for again. */
const retry = { firstMs: 250, maxMs: 5_000 }

/** Between workers of one node. */
const loopback = '127.0.0.1'

/** The room on one of the workers. */
interface Branch {
  readonly worker: SfuWorker
  readonly carrier: Carrier
  readonly peers: Set<MediasoupPeer>
  /** Peers, and those on their way. */
  users: number
  cancelIdle: () => void
}

/**
 * A room on as many workers as its viewers need: on one at first, on the next when that is full. Peers end with the worker that carries
 * them and may come back at once to another one; where none is left, the next run carries the room again by itself.
 *
 * A room that comes from another node comes once: to the first worker that carries it, the trunk, which the others get it from and fall with.
 */
export class RoomRouter implements SfuRoom {
  readonly #options: RoomRouterOptions
  readonly #events = new Listeners<RoomEvent>()
  readonly #peers = new Map<PeerId, MediasoupPeer>()
  readonly #media = new Map<EndableMedia['kind'], EndableMedia>()
  readonly #gate: KeyFrameGate
  readonly #unsubscribe: (() => void)[]
  /** Oldest first: viewers fill them in this order. */
  readonly #branches = new Map<SfuWorker, Promise<Branch>>()
  /** Those of them that carry, for what must not wait. */
  readonly #open = new Map<SfuWorker, Branch>()
  readonly #pipes: RoomPipes
  #backoff = new Backoff(retry)
  #cancelRetry = (): void => undefined
  #isDown = false
  #isClosed = false

  private constructor(options: RoomRouterOptions) {
    const { pool, clock } = options
    this.#options = options
    this.#pipes = new RoomPipes(options.pipes)
    this.#gate = new KeyFrameGate(clock, () => (this.#pipes.size > 0 ? Number.POSITIVE_INFINITY : this.#peers.size))
    this.#unsubscribe = [pool.onUp.add((worker) => this.#goOn(worker)), pool.onDown.add((worker) => this.#fall(worker))]
  }

  /** Errors: `unavailable` while the worker is down, `invalid` for sources that no router can carry. */
  static async open(options: RoomRouterOptions): Promise<RoomRouter> {
    const self = new RoomRouter(options)
    try {
      await self.#branchOn(options.worker)
      return self
    } catch (error) {
      self.#unsubscribe.forEach((stop) => stop())
      throw error
    }
  }

  get isUp(): boolean {
    return this.#open.size > 0
  }

  get peers(): ReadonlyMap<PeerId, MediasoupPeer> {
    return this.#peers
  }

  /** Whether a worker carries the room. */
  isOn(worker: SfuWorker): boolean {
    return this.#open.has(worker)
  }

  onEvent(listener: (event: RoomEvent) => void): () => void {
    return this.#events.add(listener)
  }

  async openPeer(options: PeerOptions): Promise<MediasoupPeer> {
    const branch = await this.#branchForNext()
    const leave = this.#enter(branch)
    try {
      const peer = await this.#openOn(branch, { options, leave })
      return peer
    } catch (error) {
      leave()
      throw error
    }
  }

  broadcast(message: Uint8Array, except?: PeerId): void {
    const left = except === undefined ? undefined : this.#peers.get(except)
    for (const { carrier, peers } of this.#open.values()) {
      if (!carrier.broadcast.closed) {
        carrier.broadcast.send(Buffer.from(message), undefined, [EVERYONE], undefined, left && peers.has(left) ? left.number : undefined)
      }
    }
  }

  async openPipe(name: string, to: PipeEnd, onLost: () => void): Promise<PipeOffer> {
    const [trunk] = this.#open.values()
    const branch = trunk ?? (await this.#branchForNext())
    branch.users += 1
    branch.cancelIdle()
    const onEnd = () => {
      branch.users -= 1
      this.#closeWhenIdle(branch)
    }
    try {
      return await this.#pipes.open(branch.carrier, { name, to, onEnd, onLost })
    } catch (error) {
      onEnd()
      throw error
    }
  }

  closePipe(name: string): void {
    this.#pipes.close(name)
  }

  pipeStats(): Promise<{ name: string; bytesSent: number }[]> {
    return this.#pipes.stats()
  }

  reconnect(): void {
    const [trunk] = this.#open.values()
    if (this.#options.upstream && trunk) {
      this.#fall(trunk.worker)
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#isClosed) {
      return
    }
    this.#isClosed = true
    this.#unsubscribe.forEach((stop) => stop())
    this.#cancelRetry()
    this.#gate.close()
    for (const peer of [...this.#peers.values()]) {
      peer.end('room')
    }
    const branches = await Promise.allSettled(this.#branches.values())
    for (const branch of branches) {
      if (branch.status === 'fulfilled') {
        this.#closeBranch(branch.value)
      }
    }
    this.#options.onClosed()
  }

  async #openOn(branch: Branch, { options, leave }: { options: PeerOptions; leave: () => void }): Promise<MediasoupPeer> {
    const { addresses, estimator, log, clock, sources } = this.#options
    const peer = await MediasoupPeer.open(options, {
      carrier: branch.carrier,
      addresses,
      estimator,
      log,
      clock,
      defaultId: { v3: sources.rungs[0]?.id ?? sources.cursorVideo.id, v2: sources.cursorVideo.id },
      onClosed: (closed) => {
        this.#peers.delete(closed.id)
        branch.peers.delete(closed)
        leave()
      },
      onMedia: (media) => this.#takeMedia(media),
    })
    if (this.#isClosed || peer.state === 'closed') {
      peer.end('room')
      throw new NekoError('unavailable', 'the room has closed')
    }
    this.#peers.set(peer.id, peer)
    branch.peers.add(peer)
    return peer
  }

  /** Counts a viewer in; the returned function counts him out, once. */
  #enter(branch: Branch): () => void {
    const leavePool = this.#options.pool.arrive(branch.worker)
    branch.cancelIdle()
    branch.users += 1
    let isIn = true
    return () => {
      if (isIn) {
        isIn = false
        leavePool()
        branch.users -= 1
        this.#closeWhenIdle(branch)
      }
    }
  }

  #closeWhenIdle(branch: Branch): void {
    if (branch.users === 0 && !this.#isClosed) {
      branch.cancelIdle()
      branch.cancelIdle = this.#options.clock.after(idleMs, () => {
        if (branch.users === 0 && this.#open.size > 1 && !this.#isTrunk(branch.worker)) {
          this.#closeBranch(branch)
          this.#options.log.info({ worker: branch.worker.index }, 'worker carries the room no more')
        }
      })
    }
  }

  #closeBranch(branch: Branch): void {
    branch.cancelIdle()
    branch.carrier.close()
    this.#branches.delete(branch.worker)
    this.#open.delete(branch.worker)
  }

  /** The branch that the next viewer goes to; waits some seconds where no worker runs. */
  async #branchForNext(): Promise<Branch> {
    const { pool, clock } = this.#options
    const deadline = clock.now() + waitMs
    while (!this.#isClosed) {
      const worker = pool.choose([...this.#branches.keys()])
      const branch = worker && (await this.#branchOn(worker).catch((error: unknown) => this.#rethrowInvalid(error)))
      if (branch?.carrier.isOpen) {
        return branch
      }
      await this.#nextUp(deadline - clock.now())
    }
    throw new NekoError('unavailable', 'the room has closed')
  }

  #rethrowInvalid(error: unknown): undefined {
    if (error instanceof NekoError && error.code === 'invalid') {
      throw error
    }
    return undefined
  }

  async #nextUp(ms: number): Promise<void> {
    const offs: (() => void)[] = []
    const up = new Promise<void>((resolve) => {
      offs.push(
        this.#options.pool.onUp.add(() => resolve()),
        this.#events.add(({ on }) => on === 'up' && resolve()),
      )
    })
    try {
      await within(Math.max(ms, 1), 'the media worker', up)
    } catch (error) {
      throw new NekoError('unavailable', 'the media worker is being restarted', { cause: error })
    } finally {
      offs.forEach((off) => off())
    }
  }

  #branchOn(worker: SfuWorker): Promise<Branch> {
    const known = this.#branches.get(worker)
    if (known) {
      return known
    }
    const opening = this.#openBranch(worker)
    this.#branches.set(worker, opening)
    opening.catch(() => {
      if (this.#branches.get(worker) === opening) {
        this.#branches.delete(worker)
      }
    })
    return opening
  }

  async #openBranch(worker: SfuWorker): Promise<Branch> {
    const { run } = worker
    if (run === undefined) {
      throw new NekoError('unavailable', 'the media worker is being restarted')
    }
    const { sources, log } = this.#options
    const trunk = await this.#trunkFor(worker)
    const carrier = await Carrier.open(run, { sources, feed: this.#feedFrom(trunk, worker), log })
    if (this.#isClosed || !carrier.isOpen || worker.run !== run || trunk?.carrier.isOpen === false) {
      carrier.close()
      throw new NekoError('unavailable', 'the media worker has died')
    }
    const branch: Branch = { worker, carrier, peers: new Set(), users: 0, cancelIdle: () => undefined }
    this.#open.set(worker, branch)
    this.#backoff = new Backoff(retry)
    log.info({ worker: worker.index }, 'worker carries the room')
    if (this.#isDown) {
      this.#isDown = false
      this.#events.emit({ on: 'up' })
    }
    return branch
  }

  /** The branch that another one is fed by, where the room comes from another node. */
  async #trunkFor(worker: SfuWorker): Promise<Branch | undefined> {
    const [first] = this.#branches
    return this.#options.upstream === undefined || first === undefined || first[0] === worker ? undefined : await first[1]
  }

  #feedFrom(trunk: Branch | undefined, worker: SfuWorker): MediaFeed {
    const { sources, upstream, pipes: ports, addresses, clock } = this.#options
    if (upstream === undefined) {
      return fromSources(sources, this.#gate)
    }
    const all = [...sources.rungs, sources.cursorVideo, sources.audio]
    if (trunk !== undefined) {
      const local = { ip: loopback, range: ports.range }
      return fromPipe({ ports: local, sources: all, connect: async (end) => (await pipeOut(trunk.carrier, end, local)).offer })
    }
    const way = upstream()
    return way.by === 'pipe'
      ? fromPipe({ ports, sources: all, connect: way.connect })
      : fromUplink({ addresses, sources: all, way, onLost: () => this.#fall(worker), clock })
  }

  /** A room that nobody carries is carried again. */
  #goOn(worker: SfuWorker | undefined): void {
    if (worker !== undefined && this.#branches.size === 0 && !this.#isClosed) {
      // Where it fails on a worker that has died again, its next run comes by here.
      this.#branchOn(worker).catch((error: unknown) => {
        this.#options.log.warn({ error: messageOf(error) }, 'room is not carried')
        this.#tryAgain()
      })
    }
  }

  /** A room from another node may find that node away, whose worker runs all the same. */
  #tryAgain(): void {
    const { upstream, clock, pool } = this.#options
    if (upstream !== undefined && !this.#isClosed) {
      this.#cancelRetry()
      this.#cancelRetry = clock.after(this.#backoff.next(0), () => this.#goOn(pool.leastLoaded()))
    }
  }

  #fall(worker: SfuWorker): void {
    const branch = this.#open.get(worker)
    this.#branches.delete(worker)
    if (branch === undefined) {
      return
    }
    const fallen = this.#isTrunk(worker) ? [...this.#open.values()] : [branch]
    // They have heard of it from their transports already, but for those whose transport was on its way.
    for (const peer of fallen.flatMap(({ peers }) => [...peers])) {
      peer.end('worker')
    }
    fallen.forEach((each) => this.#closeBranch(each))
    if (this.#open.size === 0) {
      this.#isDown = true
      this.#events.emit({ on: 'down' })
    }
    this.#goOn(this.#options.pool.leastLoaded())
    fallen.forEach(({ carrier }) => this.#pipes.lose(carrier))
  }

  #isTrunk(worker: SfuWorker): boolean {
    const [trunk] = this.#open.keys()
    return this.#options.upstream !== undefined && trunk === worker
  }

  /** One microphone and one webcam in a room: the newest wins. */
  #takeMedia(media: EndableMedia): void {
    this.#media.get(media.kind)?.end()
    this.#media.set(media.kind, media)
    media.onEnd(() => {
      if (this.#media.get(media.kind) === media) {
        this.#media.delete(media.kind)
      }
    })
  }
}
