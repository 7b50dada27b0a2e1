import { type Clock, Listeners, type Log, messageOf, NekoError, type PeerId, within } from '@neko-edge/kit'
import { Carrier, EVERYONE } from './carrier.ts'
import type { EndableMedia } from './incoming-media.ts'
import { MediasoupPeer } from './peer.ts'
import type { PeerSetting } from './peer-parts.ts'
import type { PeerOptions, RoomEvent, RoomSources, SfuRoom } from './sfu.ts'
import type { SfuWorker, WorkerRun } from './worker.ts'

export interface RoomRouterOptions {
  readonly worker: SfuWorker
  readonly sources: RoomSources
  readonly addresses: readonly string[]
  readonly estimator: PeerSetting['estimator']
  readonly log: Log
  readonly clock: Clock
  readonly onClosed: () => void
}

/** How long a viewer that comes while the worker is being replaced waits for it. */
const waitMs = 5_000

/** A room on whichever run of its worker there is. Peers end with the run; the next one carries the room again by itself. */
export class RoomRouter implements SfuRoom {
  readonly #options: RoomRouterOptions
  readonly #events = new Listeners<RoomEvent>()
  readonly #peers = new Map<PeerId, MediasoupPeer>()
  readonly #media = new Map<EndableMedia['kind'], EndableMedia>()
  readonly #unsubscribe: () => void
  #carrier: Promise<Carrier> | undefined
  /** The same once it is there, for what must not wait. */
  #openCarrier: Carrier | undefined
  #isClosed = false

  private constructor(options: RoomRouterOptions) {
    this.#options = options
    const offRun = options.worker.onRun.add((run) => void this.#carryOn(run))
    const offDied = options.worker.onDied.add(() => this.#fall())
    this.#unsubscribe = () => {
      offRun()
      offDied()
    }
  }

  /** Errors: `unavailable` while the worker is down, `invalid` for sources that no router can carry. */
  static async open(options: RoomRouterOptions): Promise<RoomRouter> {
    const { run } = options.worker
    if (run === undefined) {
      throw new NekoError('unavailable', 'the media worker is being restarted')
    }
    const self = new RoomRouter(options)
    try {
      await self.#carry(run)
      return self
    } catch (error) {
      self.#unsubscribe()
      throw error
    }
  }

  get isUp(): boolean {
    return this.#openCarrier?.isOpen ?? false
  }

  get peers(): ReadonlyMap<PeerId, MediasoupPeer> {
    return this.#peers
  }

  onEvent(listener: (event: RoomEvent) => void): () => void {
    return this.#events.add(listener)
  }

  async openPeer(options: PeerOptions): Promise<MediasoupPeer> {
    const carrier = await this.#present()
    const { addresses, estimator, log, clock, sources } = this.#options
    const peer = await MediasoupPeer.open(options, {
      carrier,
      addresses,
      estimator,
      log,
      clock,
      defaultId: { v3: sources.rungs[0]?.id ?? sources.cursorVideo.id, v2: sources.cursorVideo.id },
      onClosed: (closed) => this.#peers.delete(closed.id),
      onMedia: (media) => this.#takeMedia(media),
    })
    if (this.#isClosed || peer.state === 'closed') {
      peer.end('room')
      throw new NekoError('unavailable', 'the room has closed')
    }
    this.#peers.set(peer.id, peer)
    return peer
  }

  broadcast(message: Uint8Array, except?: PeerId): void {
    const producer = this.#openCarrier?.broadcast
    if (producer !== undefined && !producer.closed) {
      const left = except === undefined ? undefined : this.#peers.get(except)?.number
      producer.send(Buffer.from(message), undefined, [EVERYONE], undefined, left)
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#isClosed) {
      return
    }
    this.#isClosed = true
    this.#unsubscribe()
    for (const peer of [...this.#peers.values()]) {
      peer.end('room')
    }
    const carrier = await this.#carrier?.catch(() => undefined)
    carrier?.close()
    this.#openCarrier = undefined
    this.#options.onClosed()
  }

  /** The carrier, waiting for the next one where the worker has just died. */
  async #present(): Promise<Carrier> {
    const deadline = this.#options.clock.now() + waitMs
    while (!this.#isClosed) {
      const carrier = await this.#carrier?.catch(() => undefined)
      if (carrier?.isOpen) {
        return carrier
      }
      await this.#nextUp(deadline - this.#options.clock.now())
    }
    throw new NekoError('unavailable', 'the room has closed')
  }

  async #nextUp(ms: number): Promise<void> {
    let off = (): void => undefined
    const up = new Promise<void>((resolve) => {
      off = this.#events.add(({ on }) => (on === 'up' ? resolve() : undefined))
    })
    try {
      await within(Math.max(ms, 1), 'the media worker', up)
    } catch (error) {
      throw new NekoError('unavailable', 'the media worker is being restarted', { cause: error })
    } finally {
      off()
    }
  }

  async #carry(run: WorkerRun): Promise<void> {
    this.#carrier = Carrier.open(run, this.#options.sources, this.#options.log)
    const carrier = await this.#carrier
    if (this.#isClosed) {
      carrier.close()
    } else if (carrier.isOpen) {
      this.#openCarrier = carrier
    }
  }

  async #carryOn(run: WorkerRun): Promise<void> {
    try {
      await this.#carry(run)
      this.#events.emit({ on: 'up' })
    } catch (error) {
      // The worker has died again; its next run comes by here.
      this.#options.log.warn({ error: messageOf(error) }, 'room waits for the next media worker')
    }
  }

  #fall(): void {
    this.#openCarrier?.close()
    this.#openCarrier = undefined
    // They have heard of it from their transports already, but for those whose transport was on its way.
    for (const peer of [...this.#peers.values()]) {
      peer.end('worker')
    }
    this.#events.emit({ on: 'down', reason: 'worker' })
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
