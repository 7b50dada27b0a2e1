import type { Clock, Log } from '@neko-edge/kit'
import { NekoError, systemClock } from '@neko-edge/kit'
import { announcedAddresses } from './addresses.ts'
import type { PipePorts } from './pipe.ts'
import { RoomRouter, type RoomRouterOptions } from './room-router.ts'
import type { RoomSources, Sfu, SfuRoom, Upstream, WorkerStats } from './sfu.ts'
import { SfuWorker } from './worker.ts'
import { defaultPipeRange, type SfuPorts } from './worker-options.ts'
import { WorkerPool } from './worker-pool.ts'

export interface MediasoupSfuOptions {
  /** Path of the mediasoup-worker program. */
  readonly workerBin: string
  /** Worker processes, one core each; default 1. */
  readonly workers?: number
  /** The share of a core from which a worker takes no more viewers while another one has place; default 0.8. */
  readonly maxLoad?: number
  readonly ports: SfuPorts
  /** Where pipes to other nodes and between workers listen; default loopback. */
  readonly pipes?: PipePorts
  /** Addresses or names for the candidates (neko's `nat1to1`); empty = those of the machine. */
  readonly announced: readonly string[]
  /** Automatic quality (neko's `webrtc.estimator`); `initialBitrate` in bit/s; `isTold` logs every estimate. Absent = off. */
  readonly estimator?: { readonly initialBitrate: number; readonly isTold?: boolean }
  readonly log: Log
  readonly clock?: Clock
}

const defaultBitrate = 1_000_000

/** The SFU on mediasoup: some workers, and every room on as many of them as its viewers need. */
class MediasoupSfu implements Sfu {
  readonly #options: MediasoupSfuOptions
  readonly #pool: WorkerPool
  readonly #addresses: readonly string[]
  readonly #rooms = new Set<RoomRouter>()

  constructor(options: MediasoupSfuOptions, pool: WorkerPool) {
    this.#options = options
    this.#pool = pool
    this.#addresses = announcedAddresses(options.announced)
  }

  get isFull(): boolean {
    return this.#pool.isAllFull
  }

  openRoom(sources: RoomSources): Promise<SfuRoom> {
    return this.#open({ sources })
  }

  openRelayedRoom(sources: RoomSources, upstream: () => Upstream): Promise<SfuRoom> {
    return this.#open({ sources, upstream })
  }

  async #open(media: Pick<RoomRouterOptions, 'sources' | 'upstream'>): Promise<SfuRoom> {
    const worker = this.#pool.leastLoaded((one) => this.#roomsOn(one))
    if (worker === undefined) {
      throw new NekoError('unavailable', 'no media worker is running')
    }
    const { estimator, log, clock = systemClock } = this.#options
    const room: RoomRouter = await RoomRouter.open({
      pool: this.#pool,
      worker,
      ...media,
      pipes: this.#options.pipes ?? { ip: '127.0.0.1', range: defaultPipeRange },
      addresses: this.#addresses,
      estimator: {
        isEnabled: estimator !== undefined,
        initialBitrate: estimator?.initialBitrate ?? defaultBitrate,
        isTold: estimator?.isTold ?? false,
      },
      log,
      clock,
      onClosed: () => this.#rooms.delete(room),
    })
    this.#rooms.add(room)
    return room
  }

  workers(): Promise<WorkerStats[]> {
    return this.#pool.stats((worker) => this.#roomsOn(worker))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#rooms].map((room) => room[Symbol.asyncDispose]()))
    await this.#pool[Symbol.asyncDispose]()
  }

  #roomsOn(worker: SfuWorker): number {
    return [...this.#rooms].filter((room) => room.isOn(worker)).length
  }
}

/** Starts the workers. Errors: `unavailable` with what to do when one does not start (program missing, port taken); nothing is left running then. */
export async function openMediasoupSfu(options: MediasoupSfuOptions): Promise<Sfu> {
  const { workerBin, ports, log, clock = systemClock, maxLoad = 0.8 } = options
  const started = await Promise.allSettled(
    Array.from({ length: options.workers ?? 1 }, (_, index) => SfuWorker.open({ workerBin, index, ports, log, clock })),
  )
  const workers = started.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []))
  const failed = started.find((one) => one.status === 'rejected')
  if (failed !== undefined) {
    await Promise.all(workers.map((worker) => worker[Symbol.asyncDispose]()))
    throw failed.reason
  }
  return new MediasoupSfu(options, new WorkerPool({ workers, maxLoad, clock }))
}
