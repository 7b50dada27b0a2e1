/**
 * Keeps input in the order it came although some of it has to wait: which key gives `A` depends on whether Shift is down,
 * and only the X server knows that. While nothing is waited for, input goes out at once.
 */
export class InputOrder {
  readonly #waiting: (() => void)[] = []
  #holds = 0

  /** Does this now, or as soon as all that came before is done. */
  run(task: () => void): void {
    if (this.#holds === 0 && this.#waiting.length === 0) {
      task()
    } else {
      this.#waiting.push(task)
    }
  }

  /** Does this before all that waits: the rest of a task that turned out to need a hold. */
  runNext(task: () => void): void {
    if (this.#holds === 0) {
      task()
    } else {
      this.#waiting.unshift(task)
    }
  }

  /** Lets nothing more through before `work` ends, however it ends. */
  holdFor(work: Promise<unknown>): void {
    this.#holds++
    const release = () => {
      this.#holds--
      this.#drain()
    }
    work.then(release, release)
  }

  /** Resolves when all that came so far is done. */
  idle(): Promise<void> {
    return new Promise((resolve) => this.run(resolve))
  }

  #drain(): void {
    while (this.#holds === 0) {
      const task = this.#waiting.shift()
      if (task === undefined) {
        return
      }
      task()
    }
  }
}
