import type { Clock, Log } from '@neko-edge/kit'
import { NekoError, systemClock } from '@neko-edge/kit'
import { announcedAddresses } from './addresses.ts'
import { RoomRouter } from './room-router.ts'
import type { RoomSources, Sfu, SfuRoom, WorkerStats } from './sfu.ts'
import { workerStats } from './stats.ts'
import { SfuWorker } from './worker.ts'
import type { SfuPorts } from './worker-options.ts'

export interface MediasoupSfuOptions {
  /** Path of the mediasoup-worker program. */
  readonly workerBin: string
  /** Worker processes, one core each; default 1. */
  readonly workers?: number
  readonly ports: SfuPorts
  /** Addresses or names for the candidates (neko's `nat1to1`); empty = those of the machine. */
  readonly announced: readonly string[]
  /** Automatic quality (neko's `webrtc.estimator`); `initialBitrate` in bit/s; `isTold` logs every estimate. Absent = off. */
  readonly estimator?: { readonly initialBitrate: number; readonly isTold?: boolean }
  readonly log: Log
  readonly clock?: Clock
}

const defaultBitrate = 1_000_000

/** The SFU on mediasoup: some workers, and every room on one of them. */
class MediasoupSfu implements Sfu {
  readonly #options: MediasoupSfuOptions
  readonly #workers: readonly SfuWorker[]
  readonly #addresses: readonly string[]
  readonly #rooms = new Map<RoomRouter, SfuWorker>()

  constructor(options: MediasoupSfuOptions, workers: readonly SfuWorker[]) {
    this.#options = options
    this.#workers = workers
    this.#addresses = announcedAddresses(options.announced)
  }

  async openRoom(sources: RoomSources): Promise<SfuRoom> {
    const worker = this.#leastLoaded()
    const { estimator, log, clock = systemClock } = this.#options
    const room: RoomRouter = await RoomRouter.open({
      worker,
      sources,
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
    this.#rooms.set(room, worker)
    return room
  }

  workers(): Promise<WorkerStats[]> {
    return workerStats(this.#workers, (index) => [...this.#rooms.values()].filter((one) => one.index === index).length)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#rooms.keys()].map((room) => room[Symbol.asyncDispose]()))
    await Promise.all(this.#workers.map((worker) => worker[Symbol.asyncDispose]()))
  }

  #leastLoaded(): SfuWorker {
    const load = (worker: SfuWorker): number =>
      [...this.#rooms].filter(([, one]) => one === worker).reduce((sum, [room]) => sum + 1 + room.peers.size, 0)
    const [best] = this.#workers.filter((worker) => worker.run !== undefined).sort((a, b) => load(a) - load(b))
    if (best === undefined) {
      throw new NekoError('unavailable', 'no media worker is running')
    }
    return best
  }
}

/** Starts the workers. Errors: `unavailable` with what to do when one does not start (program missing, port taken); nothing is left running then. */
export async function openMediasoupSfu(options: MediasoupSfuOptions): Promise<Sfu> {
  const { workerBin, ports, log, clock = systemClock } = options
  const started = await Promise.allSettled(
    Array.from({ length: options.workers ?? 1 }, (_, index) => SfuWorker.open({ workerBin, index, ports, log, clock })),
  )
  const workers = started.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []))
  const failed = started.find((one) => one.status === 'rejected')
  if (failed !== undefined) {
    await Promise.all(workers.map((worker) => worker[Symbol.asyncDispose]()))
    throw failed.reason
  }
  return new MediasoupSfu(options, workers)
}
