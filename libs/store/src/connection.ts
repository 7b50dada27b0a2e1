import { Buffer } from 'node:buffer'
import { readFileSync } from 'node:fs'
import { type RedisAddress, readRedisUrl } from '@neko-edge/config'
import { Listeners, type Log, NekoError } from '@neko-edge/kit'
import { Cluster, Redis } from 'ioredis'

/** How long a command may take before its caller is told that Redis is away, in milliseconds. */
const commandTimeoutMs = 5_000

/** How often a lost connection is tried again, in milliseconds. */
const retryDelay = (times: number): number => Math.min(50 * times, 500)

/**
 * The two connections of a process to Redis: one for commands, one for subscriptions.
 * Everything of ioredis stays in here and in `script.ts`.
 */
export interface Connection extends AsyncDisposable {
  readonly commands: Redis | Cluster
  isUp(): boolean
  /** Hands every message of `channel` to `listener`, in the order of its publication, until the returned function is called. */
  subscribe(channel: string, listener: (message: string) => void): Promise<() => void>
  /** The same, for messages that are no text; the buffers are the listener's to keep. */
  subscribeBytes(channel: string, listener: (message: Buffer) => void): Promise<() => void>
  /** Publishes, and says whether anybody heard it; a cluster does not know, and says yes. */
  publish(channel: string, message: string | Uint8Array): Promise<boolean>
  /**
   * Messages, or what was last written, may have been lost: both connections came back after at least one was gone, or a server of the cluster took
   * the place of another. Subscriptions are in place again.
   */
  readonly onBack: Listeners<void>
  readonly onLost: Listeners<void>
}

/**
 * Opens both connections. `url` is what the option `redis.url` takes: one server, sentinels or a cluster (`readRedisUrl`).
 * Fails with `invalid` for anything else, with `unavailable`, naming the address without its password, when Redis does not answer.
 */
export async function connect({ url, log }: { url: string; log: Log }): Promise<Connection> {
  const address = readRedisUrl(url)
  if (!('kind' in address)) {
    throw new NekoError('invalid', `redis.url ${address.reason}`)
  }
  const tls = readTls(address)
  const [commands, subscriber] = address.kind === 'cluster' ? clusterClients(address, tls) : serverClients(address, tls)
  const link = new Link(commands, subscriber, log)
  try {
    await commands.connect()
    await subscriber.connect()
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

type Tls = { ca?: Buffer; cert?: Buffer; key?: Buffer } | undefined

function readTls({ tls }: RedisAddress): Tls {
  try {
    return tls && Object.fromEntries(Object.entries(tls).map(([name, file]) => [name, readFileSync(file)]))
  } catch (error) {
    throw new NekoError('invalid', `redis.url names a file that can not be read: ${(error as Error).message}`)
  }
}

const ofUser = ({ username, password }: RedisAddress) => ({ ...(username && { username }), ...(password && { password }) })

// A command fails at once while Redis is away: its caller answers 503 and is asked to come back.
const impatient = { maxRetriesPerRequest: 0, commandTimeout: commandTimeoutMs } as const
const patient = { autoResubscribe: true, maxRetriesPerRequest: null } as const

/** One server, or the master that sentinels name. */
function serverClients(address: RedisAddress, tls: Tls): [Redis, Redis] {
  const { kind, hosts, path, db, master, sentinelUsername, sentinelPassword } = address
  const [server] = hosts
  const place =
    kind === 'sentinel'
      ? {
          sentinels: [...hosts],
          name: master,
          ...(sentinelUsername && { sentinelUsername }),
          ...(sentinelPassword && { sentinelPassword }),
          ...(tls && { sentinelTLS: tls, enableTLSForSentinelMode: true }),
          sentinelRetryStrategy: retryDelay,
          // A master that lost its place to another tells it here; without this a client stays with it until it fails.
          failoverDetector: true,
        }
      : path === undefined
        ? { ...server }
        : { path }
  const shared = {
    ...place,
    ...ofUser(address),
    ...(tls && { tls }),
    db,
    lazyConnect: true,
    retryStrategy: retryDelay,
    enableReadyCheck: true,
    // What was the master is a replica now: connect anew, to the one that took over.
    reconnectOnError: (error: Error) => error.message.startsWith('READONLY'),
  }
  return [new Redis({ ...shared, ...impatient, enableOfflineQueue: false }), new Redis({ ...shared, ...patient })]
}

/**
 * A cluster hands every published message to all its servers, so that one connection to any of them hears everything; where that one is lost
 * the next server is tried. (ioredis's own subscriber of a cluster does not tell when it moved, and what was missed must be known.)
 */
function clusterClients(address: RedisAddress, tls: Tls): [Cluster, Redis] {
  const user = ofUser(address)
  const commands = new Cluster([...address.hosts], {
    lazyConnect: true,
    enableOfflineQueue: false,
    clusterRetryStrategy: retryDelay,
    // What hits a server that just went is asked again once, of the one that took over; longer than a command's time nobody waits.
    retryDelayOnFailover: 100,
    maxRedirections: 16,
    slotsRefreshTimeout: commandTimeoutMs,
    slotsRefreshInterval: 5_000,
    redisOptions: { ...user, ...(tls && { tls }), commandTimeout: commandTimeoutMs },
  })
  let turn = 0
  const place = () => {
    const known = commands.nodes('master').map(({ options: { host, port } }) => ({ host: host ?? '', port: port ?? 6379 }))
    const all = known.length > 0 ? known : address.hosts
    return all[turn++ % all.length]
  }
  const subscriber: Redis = new Redis({
    ...place(),
    ...user,
    ...(tls && { tls }),
    ...patient,
    lazyConnect: true,
    enableReadyCheck: true,
    retryStrategy: (times) => {
      Object.assign(subscriber.options, place())
      return retryDelay(times)
    },
  })
  return [commands, subscriber]
}

/** A Redis address as it may be shown: without user and password. */
export function describeUrl(url: string): string {
  return url.replace(/\/\/[^@/]*@/, '//')
}

class Link implements Connection {
  readonly commands: Redis | Cluster
  readonly onBack = new Listeners<void>()
  readonly onLost = new Listeners<void>()
  readonly #subscriber: Redis
  readonly #channels = new Map<string, Set<(message: Buffer) => void>>()
  #isUp = true
  #isClosed = false

  constructor(commands: Redis | Cluster, subscriber: Redis, log: Log) {
    this.commands = commands
    this.#subscriber = subscriber
    for (const redis of [commands, subscriber]) {
      redis.on('error', (error: Error) => log.debug({ error: error.message }, 'redis connection error'))
      redis.on('close', () => this.#lost(log))
      redis.on('ready', () => void this.#ready(log))
    }
    if (commands instanceof Cluster) {
      // What the server that went had not yet handed to the one that takes over is lost.
      commands.on('-node', () => this.#isUp && !this.#isClosed && this.onBack.emit())
    }
    subscriber.on('messageBuffer', (channel: Buffer, message: Buffer) => {
      for (const listener of this.#channels.get(channel.toString()) ?? []) {
        listener(message)
      }
    })
  }

  isUp(): boolean {
    return this.#isUp
  }

  subscribe(channel: string, listener: (message: string) => void): Promise<() => void> {
    return this.subscribeBytes(channel, (message) => listener(message.toString()))
  }

  async subscribeBytes(channel: string, listener: (message: Buffer) => void): Promise<() => void> {
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

  async publish(channel: string, message: string | Uint8Array): Promise<boolean> {
    const bytes = typeof message === 'string' ? message : Buffer.from(message.buffer, message.byteOffset, message.length)
    const heard = await this.commands.publish(channel, bytes)
    return heard > 0 || this.commands instanceof Cluster
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
      if (this.#isUp || this.commands.status !== 'ready') {
        return // lost once more meanwhile, or said already: another `ready` comes, or came
      }
    }
    this.#isUp = true
    log.info({}, 'redis back')
    this.onBack.emit()
  }
}
