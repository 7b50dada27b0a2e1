import { once } from 'node:events'
import { assert, Backoff, type Clock, Listeners, type Log, messageOf, NekoError, within } from '@neko-edge/kit'
import type { Child } from './child.ts'
import { type Life, next, type Tick } from './life.ts'

export interface SuperviseOptions {
  /** What the part is called in the log and in errors. */
  readonly name: string
  /** Starts one run; what it throws counts as a run that failed. */
  readonly spawn: () => Child | Promise<Child>
  /** Resolves when the run can be used; default: at once. Given `readyMs` (default 10 000); `signal` aborts when the run has ended first. */
  readonly ready?: (child: Child, signal: AbortSignal) => Promise<void>
  readonly readyMs?: number
  readonly backoff?: Backoff
  readonly clock: Clock
  readonly log: Log
}

/** Something that is kept running: started again, with growing delays, whenever it ends before it is disposed of. */
export class Supervised implements AsyncDisposable {
  readonly name: string
  readonly #options: SuperviseOptions
  readonly #backoff: Backoff
  readonly #up = new Listeners<void>()
  readonly #down = new Listeners<string>()
  readonly #first = Promise.withResolvers<void>()
  readonly #stop = Promise.withResolvers<void>()
  readonly #loop: Promise<void>
  #life: Life
  #child: Child | undefined

  private constructor(options: SuperviseOptions) {
    this.name = options.name
    this.#options = options
    this.#backoff = options.backoff ?? new Backoff()
    this.#life = { is: 'starting', since: options.clock.now() }
    // Whoever does not wait for the first start must not bring the process down.
    this.#first.promise.catch(() => undefined)
    this.#loop = this.#keepRunning()
  }

  /** Keeps the part running from now on; a first start that fails is tried again like any other. */
  static keep(options: SuperviseOptions): Supervised {
    return new Supervised(options)
  }

  /** Starts the part and resolves when it is up for the first time. Rejects, with nothing left running, when that first start fails. */
  static async start(options: SuperviseOptions): Promise<Supervised> {
    const supervised = new Supervised(options)
    try {
      await supervised.#first.promise
      return supervised
    } catch (error) {
      await supervised[Symbol.asyncDispose]()
      throw error
    }
  }

  get life(): Life {
    return this.#life
  }

  /** Process id of the run that is up. */
  get pid(): number | undefined {
    return this.#life.is === 'up' ? this.#life.pid : undefined
  }

  get isUp(): boolean {
    return this.#life.is === 'up'
  }

  /** Calls `listener` each time the part has come up *again or for the first time after subscribing*; gives back the way to stop. */
  onUp(listener: () => void): () => void {
    return this.#up.add(listener)
  }

  /** Calls `listener` with the reason each time the part went down unasked; gives back the way to stop. */
  onDown(listener: (reason: string) => void): () => void {
    return this.#down.add(listener)
  }

  /** Ends the present run; the next one starts as after any end. */
  async restart(): Promise<void> {
    await this.#child?.stop()
  }

  /** Stops for good, in bounded time; nobody is told, since it was asked for. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#apply({ on: 'stop' })
    this.#stop.resolve()
    await this.#child?.stop()
    await this.#loop
  }

  #apply(tick: Tick): void {
    this.#life = next(this.#life, tick)
  }

  get #isStopped(): boolean {
    return this.#life.is === 'stopped'
  }

  async #keepRunning(): Promise<void> {
    const { clock, log, name } = this.#options
    while (!this.#isStopped) {
      const failure = await this.#runOnce().catch((error: unknown) => error)
      if (this.#isStopped) {
        break
      }
      this.#first.reject(failure)
      const wasUpSince = this.#life.is === 'up' ? this.#life.since : undefined
      const delayMs = this.#backoff.next(wasUpSince === undefined ? 0 : clock.now() - wasUpSince)
      this.#apply({ on: 'ended', at: clock.now(), delayMs, failures: this.#backoff.failures })
      log.warn({ part: name, reason: messageOf(failure), delayMs }, 'part went down')
      if (wasUpSince !== undefined) {
        this.#down.emit(messageOf(failure))
      }
      await this.#pause(delayMs)
      this.#apply({ on: 'retry', at: clock.now() })
    }
    this.#first.reject(new NekoError('unavailable', `${name} was stopped before it was up`))
  }

  /** One run from its start to its end; always rejects, with why it ended. */
  async #runOnce(): Promise<never> {
    const { spawn, ready, readyMs = 10_000, clock, log, name } = this.#options
    const child = await spawn()
    this.#child = child
    const ended = child.exited.then(({ code, signal }): never => {
      throw new NekoError('unavailable', `${name} ended with ${signal ?? `code ${code}`}`)
    })
    const over = new AbortController()
    void child.exited.then(() => over.abort())
    try {
      if (this.#isStopped) {
        await child.stop()
      }
      const isReady = ready?.(child, over.signal) ?? Promise.resolve()
      await Promise.race([ended, within(readyMs, `start of ${name}`, isReady)])
      this.#apply({ on: 'ready', at: clock.now(), pid: child.pid })
      if (this.isUp) {
        log.info({ part: name, pid: child.pid }, 'part is up')
        this.#first.resolve()
        this.#up.emit()
      }
      return await ended
    } finally {
      await child.stop()
    }
  }

  #pause(delayMs: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    const cancel = this.#options.clock.after(delayMs, resolve)
    return Promise.race([promise, this.#stop.promise]).finally(cancel)
  }
}

/** The `ready` of a program that writes to its descriptor 3, an extra pipe, once it can be used. */
export async function saysReady({ pipes: [pipe] }: Child, signal: AbortSignal): Promise<void> {
  assert(pipe !== undefined, 'a program that says so was given an extra pipe')
  await once(pipe, 'data', { signal })
}
