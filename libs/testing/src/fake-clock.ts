import type { Clock } from '@neko-edge/kit'

interface Timer {
  at: number
  period: number | undefined
  run: () => void
}

/** Time that stands still until a test moves it. */
export class FakeClock implements Clock {
  readonly #timers = new Set<Timer>()
  #now: number

  /** `now`: epoch milliseconds that it shows first. */
  constructor(now = 1_700_000_000_000) {
    this.#now = now
  }

  now(): number {
    return this.#now
  }

  after(delayMs: number, run: () => void): () => void {
    return this.#start({ at: this.#now + Math.max(0, delayMs), period: undefined, run })
  }

  every(periodMs: number, run: () => void): () => void {
    const period = Math.max(1, periodMs)
    return this.#start({ at: this.#now + period, period, run })
  }

  /** Lets `ms` pass: what is due runs in order of its time, at its time, also what was asked for on the way. */
  advance(ms: number): void {
    const end = this.#now + ms
    for (let next = this.#due(end); next; next = this.#due(end)) {
      this.#now = Math.max(this.#now, next.at)
      if (next.period === undefined) {
        this.#timers.delete(next)
      } else {
        next.at += next.period
      }
      next.run()
    }
    this.#now = end
  }

  /** Lets `ms` pass in which nothing runs, as for a process that stands still; what was due comes with the next `advance`. */
  leap(ms: number): void {
    this.#now += ms
  }

  /** How many timers still wait: zero once everything that owned one has closed. */
  get pending(): number {
    return this.#timers.size
  }

  #start(timer: Timer): () => void {
    this.#timers.add(timer)
    return () => this.#timers.delete(timer)
  }

  #due(end: number): Timer | undefined {
    let first: Timer | undefined
    for (const timer of this.#timers) {
      if (timer.at <= end && (!first || timer.at < first.at)) {
        first = timer
      }
    }
    return first
  }
}
