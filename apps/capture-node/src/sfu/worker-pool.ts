import { type Clock, Listeners } from '@neko-edge/kit'
import type { WorkerStats } from './sfu.ts'
import type { SfuWorker } from './worker.ts'
import { workerCounters } from './worker-counters.ts'
import { WorkerLoad } from './worker-load.ts'

/** How often the workers' CPU is looked at. */
const sampleMs = 1_000
/** Loads that differ by less count as equal. */
const loadStep = 0.05

const compare = (a: readonly number[], b: readonly number[]): number =>
  a.map((cost, index) => cost - (b[index] ?? 0)).find((difference) => difference !== 0) ?? 0

export interface WorkerPoolOptions {
  readonly workers: readonly SfuWorker[]
  /** The share of a core from which a worker takes no more viewers while another one has place. */
  readonly maxLoad: number
  readonly clock: Clock
}

/** The workers of a node, and how loaded each of them is. */
export class WorkerPool implements AsyncDisposable {
  /** A worker runs (again). */
  readonly onUp = new Listeners<SfuWorker>()
  /** A worker's run ended without having been asked to. */
  readonly onDown = new Listeners<SfuWorker>()
  readonly #options: WorkerPoolOptions
  readonly #loads: ReadonlyMap<SfuWorker, WorkerLoad>
  readonly #viewers = new Map<SfuWorker, number>()
  readonly #stop: (() => void)[]

  constructor(options: WorkerPoolOptions) {
    const { workers, clock } = options
    this.#options = options
    this.#loads = new Map(workers.map((worker) => [worker, new WorkerLoad()]))
    this.#stop = [
      ...workers.map((worker) => worker.onRun.add(() => this.onUp.emit(worker))),
      ...workers.map((worker) => worker.onDied.add(() => this.#fall(worker))),
      clock.every(sampleMs, () => void this.#sample()),
    ]
  }

  /** The share of a core that a worker uses, its newest viewers included. */
  load(worker: SfuWorker): number {
    return this.#loads.get(worker)?.share(this.#options.clock.now(), this.#viewers.get(worker) ?? 0) ?? 0
  }

  isFull(worker: SfuWorker): boolean {
    return this.load(worker) >= this.#options.maxLoad
  }

  /** Whether no worker that runs has place. */
  get isAllFull(): boolean {
    return this.#running.every((worker) => this.isFull(worker))
  }

  /**
   * The worker for the next viewer of a room: of those that carry it already the first with place, or else the least loaded of all; undefined
   * while none runs. Whoever takes it says so with `arrive`.
   */
  choose(carrying: readonly SfuWorker[]): SfuWorker | undefined {
    return carrying.find((worker) => worker.run !== undefined && !this.isFull(worker)) ?? this.leastLoaded()
  }

  /** The least loaded worker that runs; of those that are about equal the one with the fewest rooms, then viewers. */
  leastLoaded(roomsOf: (worker: SfuWorker) => number = () => 0): SfuWorker | undefined {
    const costs = (worker: SfuWorker) => [Math.round(this.load(worker) / loadStep), roomsOf(worker), this.#viewers.get(worker) ?? 0]
    return this.#running.map((worker) => ({ worker, costs: costs(worker) })).toSorted((a, b) => compare(a.costs, b.costs))[0]?.worker
  }

  /** A viewer comes to a worker; the returned function says that it has gone. */
  arrive(worker: SfuWorker): () => void {
    this.#loads.get(worker)?.arrive(this.#options.clock.now())
    this.#viewers.set(worker, (this.#viewers.get(worker) ?? 0) + 1)
    return () => this.#viewers.set(worker, (this.#viewers.get(worker) ?? 0) - 1)
  }

  /** What each running worker has used so far; one that has died since is left out. */
  async stats(roomsOf: (worker: SfuWorker) => number): Promise<WorkerStats[]> {
    const all = await Promise.all(
      this.#running.map(async (worker): Promise<WorkerStats | undefined> => {
        const pid = worker.run?.worker.pid
        const usage = await usageOf(worker)
        if (usage === undefined || pid === undefined) {
          return undefined
        }
        const counters = await workerCounters(pid)
        const { index } = worker
        return { index, pid, ...usage, rooms: roomsOf(worker), viewers: this.#viewers.get(worker) ?? 0, load: this.load(worker), counters }
      }),
    )
    return all.filter((one) => one !== undefined)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.forEach((stop) => stop())
    await Promise.all(this.#options.workers.map((worker) => worker[Symbol.asyncDispose]()))
  }

  #fall(worker: SfuWorker): void {
    this.#loads.get(worker)?.reset()
    this.onDown.emit(worker)
  }

  get #running(): SfuWorker[] {
    return this.#options.workers.filter(({ run }) => run !== undefined)
  }

  async #sample(): Promise<void> {
    await Promise.all(
      this.#running.map(async (worker) => {
        const usage = await usageOf(worker)
        if (usage) {
          this.#loads.get(worker)?.note({ at: this.#options.clock.now(), cpuMs: usage.cpuMs })
        }
      }),
    )
  }
}

async function usageOf(worker: SfuWorker): Promise<{ cpuMs: number; maxRssBytes: number } | undefined> {
  try {
    const usage = await worker.run?.worker.getResourceUsage()
    return usage && { cpuMs: usage.ru_utime + usage.ru_stime, maxRssBytes: usage.ru_maxrss * 1024 }
  } catch {
    // It has died since: it has no load.
    return undefined
  }
}
