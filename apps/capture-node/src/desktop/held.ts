/** Keys, buttons and fingers that stay down for so long are let go: their key-up was lost. */
export const heldTooLongMs = 10_000

/** What is down, with what was needed to press it and since when. Repeating a press does not start the time again. */
export class Held<Id, How> {
  readonly #all = new Map<Id, { how: How; since: number }>()

  get size(): number {
    return this.#all.size
  }

  has(id: Id): boolean {
    return this.#all.has(id)
  }

  /** `since` in epoch-ms. */
  add(id: Id, how: How, since: number): void {
    this.#all.set(id, { how, since })
  }

  /** Forgets one, and tells how it was pressed; `undefined` where it is not down. */
  take(id: Id): How | undefined {
    const how = this.#all.get(id)?.how
    this.#all.delete(id)
    return how
  }

  some(test: (how: How) => boolean): boolean {
    return [...this.#all.values()].some(({ how }) => test(how))
  }

  /** Everything that is down, newest first. */
  ids(): Id[] {
    return [...this.#all.keys()].reverse()
  }

  /** Those that are down too long at `now`. */
  overdue(now: number): Id[] {
    return [...this.#all].filter(([, { since }]) => now - since >= heldTooLongMs).map(([id]) => id)
  }
}
