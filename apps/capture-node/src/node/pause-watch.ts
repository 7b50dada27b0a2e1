import type { Clock } from '@neko-edge/kit'

const lookMs = 250
/** A break as long as this is one in which another node may have been given the rooms of this one: sooner than a node's lease ends. */
const breakMs = 1_500

/**
 * Notices that this process stood still: stopped by a signal, with its machine paused, or starved of processors. What it knew before it can not be trusted
 * until Redis has confirmed it, and what has piled up meanwhile was meant for a time that is over.
 */
export class PauseWatch implements Disposable {
  readonly #clock: Clock
  readonly #stop: () => void
  #lookedAt: number
  #wokeAt = Number.NEGATIVE_INFINITY

  constructor(clock: Clock) {
    this.#clock = clock
    this.#lookedAt = clock.now()
    this.#stop = clock.every(lookMs, () => this.#look())
  }

  /** When the last break ended, in milliseconds since 1970; minus infinity where there was none. Right also before any timer has run after it. */
  get wokeAt(): number {
    this.#look()
    return this.#wokeAt
  }

  [Symbol.dispose](): void {
    this.#stop()
  }

  #look(): void {
    const now = this.#clock.now()
    if (now - this.#lookedAt > breakMs) {
      this.#wokeAt = now
    }
    this.#lookedAt = now
  }
}
