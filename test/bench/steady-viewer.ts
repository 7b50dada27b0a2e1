import { delay, until } from '@neko-edge/kit'
import { type V3Login, V3Viewer } from '@neko-edge/testing/viewer'

const lookMs = 5
/** As a client that lost its socket: at once, then again and again. */
const reconnectMs = 100
const connectMs = 15_000

/** What became of a viewer since the last `mark`, in milliseconds. */
export interface Lived {
  /** The longest time without a packet of the picture. */
  readonly gapMs: number
  /** From the loss of the socket to the greeting on the next one; undefined where it was not lost. */
  readonly backMs: number | undefined
  /** New peers that the server gave it. */
  readonly provides: number
  /** Packets of its peer that never came; of a peer that ended meanwhile it is not known. */
  readonly missing: number
}

/** A viewer as a real client behaves: it takes every new peer that it is offered, and connects its socket again when that is lost. */
export class SteadyViewer implements AsyncDisposable {
  readonly viewer: V3Viewer
  readonly #stop: () => void
  #isClosed = false
  #meter: V3Viewer['peer']['video'] | undefined
  #lastAt = performance.now()
  #gapMs = 0
  #backMs: number | undefined
  #provides = 0
  #missing = 0

  private constructor(viewer: V3Viewer) {
    this.viewer = viewer
    const timer = setInterval(() => this.#look(), lookMs)
    this.#stop = () => clearInterval(timer)
  }

  static async open(login: V3Login): Promise<SteadyViewer> {
    const viewer = await V3Viewer.open({ ...login, frames: false })
    await viewer.watch()
    const self = new SteadyViewer(viewer)
    self.#meter = viewer.peer.video
    self.#missing = 0
    void self.#followPeers()
    void self.#followSocket()
    await self.steady()
    return self
  }

  /** Counts anew from here on. */
  mark(): void {
    this.#look()
    this.#gapMs = 0
    this.#backMs = undefined
    this.#provides = 0
    this.#missing = this.#meter?.missing ?? 0
  }

  get lived(): Lived {
    this.#look()
    const missing = this.#provides > 0 ? 0 : (this.#meter?.missing ?? 0) - this.#missing
    return { gapMs: Math.max(this.#gapMs, performance.now() - this.#lastAt), backMs: this.#backMs, provides: this.#provides, missing }
  }

  /** Waits for a second of an unbroken picture that begins after `from` (`performance.now()`). */
  async steady({ from = 0, ms = 60_000 }: { from?: number; ms?: number } = {}): Promise<void> {
    let since = performance.now()
    const isSteady = () => {
      if (performance.now() - this.#lastAt > 300 || this.#lastAt < from) {
        since = performance.now()
      }
      return performance.now() - since > 1_000
    }
    await until(isSteady, { ms, what: 'a picture that goes on' })
  }

  /** Asks for a new peer by itself. */
  watchAnew(): void {
    this.viewer.send('signal/request', {})
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true
    this.#stop()
    await this.viewer.close()
  }

  #look(): void {
    const at = this.#meter?.lastAt ?? 0
    if (at > this.#lastAt) {
      this.#gapMs = Math.max(this.#gapMs, at - this.#lastAt)
      this.#lastAt = at
    }
  }

  async #followPeers(): Promise<void> {
    while (!this.#isClosed) {
      try {
        await this.viewer.watchAgain({ ms: 3_600_000 })
        this.#provides += 1
        this.#look()
        this.#meter = this.viewer.peer.video
      } catch {
        // The socket is gone, or that peer never came up: the next one counts.
        await delay(20)
      }
    }
  }

  async #followSocket(): Promise<void> {
    while (!this.#isClosed) {
      const { socket } = this.viewer
      await socket.closed
      if (this.#isClosed || this.viewer.socket !== socket) {
        continue
      }
      const lostAt = performance.now()
      await this.#reconnect(lostAt + connectMs)
      this.#backMs = performance.now() - lostAt
    }
  }

  async #reconnect(until_: number): Promise<void> {
    while (!this.#isClosed && performance.now() < until_) {
      try {
        await this.viewer.reconnect()
        await this.viewer.event('system/init')
        return
      } catch {
        await delay(reconnectMs)
      }
    }
  }
}
