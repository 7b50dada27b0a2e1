import { Listeners, type Log, NekoError } from '@neko-edge/kit'
import { Redis } from 'ioredis'

/** How long a command may take before its caller is told that Redis is away, in milliseconds. */
const commandTimeoutMs = 5_000

/**
 * The two connections of a process to Redis: one for commands, one for subscriptions.
 * Everything of ioredis stays in here and in `script.ts`.
 */
export interface Connection extends AsyncDisposable {
  readonly commands: Redis
  isUp(): boolean
  /** Hands every message of `channel` to `listener`, in the order of its publication, until the returned function is called. */
  subscribe(channel: string, listener: (message: string) => void): Promise<() => void>
  /** Publishes, and gives the number of subscribers that Redis reached (on this server of a cluster). */
  publish(channel: string, message: string): Promise<number>
  /** Both connections came back after at least one was lost: subscriptions are in place again, messages were missed. */
  readonly onBack: Listeners<void>
  readonly onLost: Listeners<void>
}

/**
 * Opens both connections. `url` is `redis://…`, `rediss://…`, `unix:///path` or a path.
 * Fails with `unavailable`, naming the address without its password, when Redis does not answer.
 */
export async function connect({ url, log }: { url: string; log: Log }): Promise<Connection> {
  const retryStrategy = (times: number) => Math.min(50 * times, 500)
  const shared = { lazyConnect: true, retryStrategy, enableReadyCheck: true } as const
  // A command fails at once while Redis is away: its caller answers 503 and is asked to come back.
  const address = url.replace(/^(redis\+)?unix:\/\//, '')
  const commands = new Redis(address, { ...shared, enableOfflineQueue: false, maxRetriesPerRequest: 0, commandTimeout: commandTimeoutMs })
  const subscriber = new Redis(address, { ...shared, autoResubscribe: true, maxRetriesPerRequest: null })
  const link = new Link(commands, subscriber, log)
  try {
    await Promise.all([commands.connect(), subscriber.connect()])
  } catch (error) {
    await link[Symbol.asyncDispose]()
    throw new NekoError(
      'unavailable',
      `Redis at ${describeUrl(url)} does not answer: start it, or set NEKO_REDIS_URL to the one that runs`,
      {
        cause: error,
      },
    )
  }
  return link
}

/** A Redis address as it may be shown: without user and password. */
export function describeUrl(url: string): string {
  return url.replace(/\/\/[^@/]*@/, '//')
}

class Link implements Connection {
  readonly commands: Redis
  readonly onBack = new Listeners<void>()
  readonly onLost = new Listeners<void>()
  readonly #subscriber: Redis
  readonly #channels = new Map<string, Set<(message: string) => void>>()
  #isUp = true
  #isClosed = false

  constructor(commands: Redis, subscriber: Redis, log: Log) {
    this.commands = commands
    this.#subscriber = subscriber
    for (const redis of [commands, subscriber]) {
      redis.on('error', (error: Error) => log.debug({ error: error.message }, 'redis connection error'))
      redis.on('close', () => this.#lost(log))
      redis.on('ready', () => void this.#ready(log))
    }
    subscriber.on('message', (channel: string, message: string) => {
      for (const listener of this.#channels.get(channel) ?? []) {
        listener(message)
      }
    })
  }

  isUp(): boolean {
    return this.#isUp
  }

  async subscribe(channel: string, listener: (message: string) => void): Promise<() => void> {
    const listeners = this.#channels.get(channel) ?? new Set()
    this.#channels.set(channel, listeners)
    listeners.add(listener)
    if (listeners.size === 1) {
      await this.#subscriber.subscribe(channel)
    }
    return () => {
      listeners.delete(listener)
      if (listeners.size === 0 && this.#channels.get(channel) === listeners) {
        this.#channels.delete(channel)
        // Nobody waits for it: while Redis is away it stays in the queue, and nobody listens any more anyway.
        this.#subscriber.unsubscribe(channel).catch(() => undefined)
      }
    }
  }

  publish(channel: string, message: string): Promise<number> {
    return this.commands.publish(channel, message)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true
    this.commands.disconnect()
    this.#subscriber.disconnect()
  }

  #lost(log: Log): void {
    if (this.#isUp && !this.#isClosed) {
      this.#isUp = false
      log.warn({}, 'redis lost')
      this.onLost.emit()
    }
  }

  async #ready(log: Log): Promise<void> {
    if (this.#isUp || this.commands.status !== 'ready' || this.#subscriber.status !== 'ready') {
      return
    }
    // ioredis subscribes again by itself on `ready`; one more time, awaited, tells that it is done.
    if (this.#channels.size > 0) {
      await this.#subscriber.subscribe(...this.#channels.keys())
    }
    this.#isUp = true
    log.info({}, 'redis back')
    this.onBack.emit()
  }
}
