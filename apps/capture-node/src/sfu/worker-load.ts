/** What a worker's CPU counter said, and when; both in milliseconds. */
export interface CpuSample {
  readonly at: number
  readonly cpuMs: number
}

/** Over how long load is measured: longer than a key frame's burst, shorter than a class takes to come in. */
export const windowMs = 4_000

/** What one viewer is taken to cost before it is measured, as a share of a core: at least that of an idle one, at most that of a large picture. */
const leastCost = 0.001
const mostCost = 0.02

/**
 * The load of one worker as a share of a core: what it used over the last seconds, and what those will use who came so lately that it does not
 * show yet. Without the second part a storm of joins would all go to one worker.
 */
export class WorkerLoad {
  readonly #samples: CpuSample[] = []
  readonly #arrivals: number[] = []

  /** Takes a measurement of the worker's run; a counter that went back is a new run's. */
  note(sample: CpuSample): void {
    if (sample.cpuMs < (this.#samples.at(-1)?.cpuMs ?? 0)) {
      this.reset()
    }
    this.#samples.push(sample)
    while ((this.#samples[1]?.at ?? Number.POSITIVE_INFINITY) <= sample.at - windowMs) {
      this.#samples.shift()
    }
  }

  /** A viewer comes to it. */
  arrive(at: number): void {
    this.#arrivals.push(at)
  }

  /** Its program was started anew. */
  reset(): void {
    this.#samples.length = 0
    this.#arrivals.length = 0
  }

  /** The share at `now`, for a worker that has so many viewers. */
  share(now: number, viewers: number): number {
    while ((this.#arrivals[0] ?? Number.POSITIVE_INFINITY) <= now - windowMs) {
      this.#arrivals.shift()
    }
    const measured = this.#measured
    const settled = Math.max(1, viewers - this.#arrivals.length)
    const cost = Math.min(mostCost, Math.max(leastCost, measured / settled))
    return measured + this.#arrivals.length * cost
  }

  get #measured(): number {
    const [first, last] = [this.#samples[0], this.#samples.at(-1)]
    return first && last && last.at > first.at ? (last.cpuMs - first.cpuMs) / (last.at - first.at) : 0
  }
}
