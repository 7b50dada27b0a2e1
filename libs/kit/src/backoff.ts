/** Delays before the next try: doubling from `firstMs` up to `maxMs`, back to the start once something ran for `steadyMs`. */
export class Backoff {
  readonly #firstMs: number
  readonly #maxMs: number
  readonly #steadyMs: number
  #failures = 0

  constructor({ firstMs = 100, maxMs = 5_000, steadyMs = 10_000 }: { firstMs?: number; maxMs?: number; steadyMs?: number } = {}) {
    this.#firstMs = firstMs
    this.#maxMs = maxMs
    this.#steadyMs = steadyMs
  }

  /** Failures in a row so far. */
  get failures(): number {
    return this.#failures
  }

  /** The delay after something that lived for `livedMs` ended, in milliseconds. */
  next(livedMs: number): number {
    this.#failures = livedMs >= this.#steadyMs ? 1 : this.#failures + 1
    return Math.min(this.#maxMs, this.#firstMs * 2 ** Math.min(this.#failures - 1, 16))
  }
}
