/** Who wants to hear of one thing. Subscribing gives back the way to stop; a listener that throws does not keep the others from hearing. */
export class Listeners<T> {
  readonly #all = new Set<(value: T) => void>()

  add(listener: (value: T) => void): () => void {
    // Wrapped, so that adding one function twice is two subscriptions.
    const entry = (value: T) => listener(value)
    this.#all.add(entry)
    return () => this.#all.delete(entry)
  }

  emit(value: T): void {
    for (const listener of [...this.#all]) {
      try {
        listener(value)
      } catch (error) {
        queueMicrotask(() => {
          throw error
        })
      }
    }
  }

  get size(): number {
    return this.#all.size
  }
}
