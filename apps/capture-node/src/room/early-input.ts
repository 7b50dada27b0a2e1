/** How long an input may come before the news that its sender has the controls, in milliseconds. */
const maxAgeMs = 500
const maxKept = 256

/**
 * What viewers did just before this process heard that they have the controls. It hears of a new host through Redis, he hears of it through Redis and his
 * control plane; where this process is the busier one, his first click overtakes the news, and must not be lost.
 */
export class EarlyInput<Input> {
  #kept: { session: string; input: Input; at: number }[] = []

  /** Keeps an input of somebody who is not known to have the controls; `now` in milliseconds. The newest are kept. */
  keep(session: string, input: Input, now: number): void {
    this.#kept.push({ session, input, at: now })
    if (this.#kept.length > maxKept) {
      this.#kept.shift()
    }
  }

  /** What the new host did since he has the controls, in order; everything else is forgotten. What he did before he had them never counts. */
  take(host: string | undefined, { since, now }: { since: number; now: number }): Input[] {
    const kept = this.#kept
    this.#kept = []
    return kept.filter(({ session, at }) => session === host && at >= since && now - at <= maxAgeMs).map(({ input }) => input)
  }
}
