import { NekoError } from '@neko-edge/kit'

interface Waiter<T> {
  matches: (item: T) => boolean
  resolve: (item: T) => void
  reject: (error: Error) => void
}

/**
 * What has arrived and nobody has taken yet, in order of arrival. Each item is taken once, by the first that asked for one like it,
 * so a test reads `await inbox.take(isHost)` without caring whether the item came before or after the question.
 */
export class Inbox<T> {
  readonly #items: T[] = []
  readonly #waiters = new Set<Waiter<T>>()
  readonly #describe: (item: T) => string
  #ended: Error | undefined

  /** `describe` names an item in the message of a time-out. */
  constructor(describe: (item: T) => string) {
    this.#describe = describe
  }

  push(item: T): void {
    for (const waiter of this.#waiters) {
      if (waiter.matches(item)) {
        this.#waiters.delete(waiter)
        waiter.resolve(item)
        return
      }
    }
    this.#items.push(item)
  }

  /** Nothing more will come: whoever waits, now or later, gets `reason`; what is here can still be taken. */
  end(reason: Error): void {
    this.#ended ??= reason
    for (const waiter of this.#waiters) {
      waiter.reject(this.#ended)
    }
    this.#waiters.clear()
  }

  /** The first item that `matches`, which leaves the inbox. `timeout` after `ms`, naming `what` and all that came instead. */
  async take(matches: (item: T) => boolean, { ms, what }: { ms: number; what: string }): Promise<T> {
    const here = this.#items.findIndex(matches)
    if (here >= 0) {
      return this.#items.splice(here, 1)[0] as T // the index was just found
    }
    if (this.#ended) {
      throw this.#ended
    }
    const waiter = Promise.withResolvers<T>()
    const entry: Waiter<T> = { matches, resolve: waiter.resolve, reject: waiter.reject }
    this.#waiters.add(entry)
    const timer = setTimeout(() => {
      this.#waiters.delete(entry)
      waiter.reject(new NekoError('timeout', `${what}: not within ${ms} ms; waiting here: ${this.#summary()}`))
    }, ms)
    try {
      return await waiter.promise
    } finally {
      clearTimeout(timer)
    }
  }

  /** A look at what waits here; taking nothing. */
  peek(): readonly T[] {
    return this.#items
  }

  /** Empties the inbox, and gives what was in it. */
  drain(): T[] {
    return this.#items.splice(0)
  }

  #summary(): string {
    return this.#items.slice(-12).map(this.#describe).join(', ') || 'nothing'
  }
}
