import { Backoff, type Clock, type Log, SerialQueue } from '@neko-edge/kit'
import { type Child, Supervised } from '@neko-edge/process'
import type { RoomNetwork } from './room-network.ts'

export interface DisplayClientsOptions {
  readonly windowManager: { readonly spawn: () => Child; readonly ready: (child: Child, signal: AbortSignal) => Promise<void> }
  readonly application: { readonly spawn: () => Child }
  /** The application's own network, where it has one. */
  readonly network: RoomNetwork | undefined
  readonly clock: Clock
  readonly log: Log
}

/** The two parts while the display is up; the application comes a moment after the window manager. */
export interface Clients {
  readonly windowManager: Supervised
  application: Supervised | undefined
}

/** A window manager that is not there by then keeps no application waiting. */
const windowManagerMs = 2_000

/** The programs that live and die with a display: each is kept running while the display is up, and both end with it. */
export class DisplayClients implements AsyncDisposable {
  readonly #options: DisplayClientsOptions
  readonly #queue = new SerialQueue()
  #running: Clients | undefined
  #disposed = false

  constructor(options: DisplayClientsOptions) {
    this.#options = options
  }

  /**
   * Starts both, without waiting for either to be of use. The window manager goes first: it gives its place to a window that comes, not to one that is
   * there. The network is made before; where it is lost all three start anew.
   */
  start(): Promise<void> {
    return this.#queue.run(async () => {
      if (this.#disposed || this.#running !== undefined) {
        return
      }
      const { windowManager, network, clock, log } = this.#options
      await network?.start(() => void this.stop().then(() => this.start()))
      const running: Clients = {
        windowManager: Supervised.keep({ name: 'window manager', ...windowManager, clock, log }),
        application: undefined,
      }
      this.#running = running
      running.windowManager.onUp(() => this.#startApplication(running))
      clock.after(windowManagerMs, () => this.#startApplication(running))
    })
  }

  /** Ends both. */
  stop(): Promise<void> {
    return this.#queue.run(async () => {
      const running = this.#running
      this.#running = undefined
      await Promise.all([running?.application?.[Symbol.asyncDispose](), running?.windowManager[Symbol.asyncDispose]()])
      await this.#options.network?.stop()
    })
  }

  /** Ends the application; it is started again at once. */
  async restartApplication(): Promise<void> {
    await this.#running?.application?.restart()
  }

  get running(): Clients | undefined {
    return this.#running
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#disposed = true
    await this.stop()
  }

  #startApplication(clients: Clients): void {
    if (this.#running === clients && clients.application === undefined) {
      const { application, clock, log } = this.#options
      clients.application = Supervised.keep({ name: 'application', ...application, backoff: new Backoff({ firstMs: 50 }), clock, log })
    }
  }
}
