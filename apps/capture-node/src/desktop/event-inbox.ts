import { NekoError, within } from '@neko-edge/kit'
import type { XEvent } from 'x11'
import type { XConnection } from './connection.ts'

/** Keeps those events of a connection that somebody is going to wait for, from the moment it is made. */
export class EventInbox<E extends XEvent> implements Disposable {
  readonly #events: E[] = []
  readonly #stop: (() => void)[]
  #wake: (() => void) | undefined
  #over: string | undefined

  constructor(connection: XConnection, isMine: (event: XEvent) => event is E) {
    this.#stop = [
      connection.onEvent((event) => {
        if (isMine(event)) {
          this.#events.push(event)
          this.#wake?.()
        }
      }),
      connection.onClosed((reason) => this.#end(`the X server is gone: ${reason}`)),
    ]
  }

  /** Forgets what has come so far. */
  clear(): void {
    this.#events.length = 0
  }

  /** The next event, waited for `ms` at most (`timeout`, naming `what`). One waiter at a time. */
  async next(ms: number, what: string): Promise<E> {
    const end = performance.now() + ms
    for (;;) {
      const event = this.#events.shift()
      if (event !== undefined) {
        return event
      }
      if (this.#over !== undefined) {
        throw new NekoError('unavailable', `${what}: ${this.#over}`)
      }
      const woken = new Promise<void>((resolve) => {
        this.#wake = resolve
      })
      await within(Math.max(0, end - performance.now()), what, woken)
    }
  }

  [Symbol.dispose](): void {
    this.#end('nobody waits any more')
    for (const stop of this.#stop) {
      stop()
    }
  }

  #end(reason: string): void {
    this.#over ??= reason
    this.#wake?.()
  }
}
