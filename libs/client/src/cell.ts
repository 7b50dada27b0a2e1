import { Listeners } from '@neko-edge/kit'

/** A value that changes and can be watched; what every state of the client is given as. */
export interface Watchable<T> {
  readonly value: T
  /** Calls `listener` with every later value; gives back the way to stop. */
  watch(listener: (value: T) => void): () => void
}

/** A watchable value that its owner sets. Setting what it already is tells nobody. */
export class Cell<T> implements Watchable<T> {
  #value: T
  readonly #listeners = new Listeners<T>()

  constructor(value: T) {
    this.#value = value
  }

  get value(): T {
    return this.#value
  }

  set(value: T): void {
    if (!Object.is(value, this.#value)) {
      this.#value = value
      this.#listeners.emit(value)
    }
  }

  watch(listener: (value: T) => void): () => void {
    return this.#listeners.add(listener)
  }
}
