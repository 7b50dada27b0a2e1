import { Backoff, type Clock, type Log, SerialQueue } from '@neko-edge/kit'
import type { Child } from './child.ts'
import { Supervised } from './supervise.ts'

export interface DisplayClientsOptions {
  readonly windowManager: () => Child
  readonly application: () => Child
  readonly clock: Clock
  readonly log: Log
}

/** The programs that live and die with a display: each is kept running while the display is up, and both end with it. */
export class DisplayClients implements AsyncDisposable {
  readonly #options: DisplayClientsOptions
  readonly #queue = new SerialQueue()
  #running: { readonly windowManager: Supervised; readonly application: Supervised } | undefined
  #disposed = false

  constructor(options: DisplayClientsOptions) {
    this.#options = options
  }

  /** Starts both, the window manager first so that it sees the application's window come; does not wait for either to be of use. */
  start(): Promise<void> {
    return this.#queue.run(() => {
      if (this.#disposed || this.#running !== undefined) {
        return
      }
      const { windowManager, application, clock, log } = this.#options
      this.#running = {
        windowManager: Supervised.keep({ name: 'window manager', spawn: windowManager, clock, log }),
        application: Supervised.keep({ name: 'application', spawn: application, backoff: new Backoff({ firstMs: 50 }), clock, log }),
      }
    })
  }

  /** Ends both. */
  stop(): Promise<void> {
    return this.#queue.run(async () => {
      const running = this.#running
      this.#running = undefined
      await Promise.all([running?.application[Symbol.asyncDispose](), running?.windowManager[Symbol.asyncDispose]()])
    })
  }

  /** The two parts while the display is up. */
  get running(): { readonly windowManager: Supervised; readonly application: Supervised } | undefined {
    return this.#running
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#disposed = true
    await this.stop()
  }
}
