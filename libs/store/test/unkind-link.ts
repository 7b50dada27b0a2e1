import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** What may become of one script: of a hundred, so many have each fate; the rest pass. */
const fates = { paused: 10, doubled: 4, lost: 2 } as const

/**
 * What lies between a process and its Redis on a bad day, for scripts (EVALSHA, EVAL): one is held up, one is run twice, and of one the reply is lost with the
 * connection, so that nobody knows whether it ran. Which one is decided by a seed.
 */
export class UnkindLink implements AsyncDisposable {
  /** Its address, as `redis.url`. */
  readonly url: string
  readonly counts = { paused: 0, doubled: 0, lost: 0 }
  readonly #server: Server
  readonly #folder: string
  readonly #redisPath: string
  readonly #sockets = new Set<Socket>()
  /** What is still to be done for each client, gone ones included. */
  readonly #turns = new Map<Socket, Promise<void>>()
  #random: (() => number) | undefined

  private constructor(server: Server, { folder, redisPath }: { folder: string; redisPath: string }) {
    this.#server = server
    this.#folder = folder
    this.#redisPath = redisPath
    this.url = `unix://${join(folder, 'link.sock')}`
    server.on('connection', (client) => this.#join(client))
  }

  static async open(redisPath: string): Promise<UnkindLink> {
    const folder = await mkdtemp(join(tmpdir(), 'neko-link-'))
    const server = createServer().listen(join(folder, 'link.sock'))
    await once(server, 'listening')
    return new UnkindLink(server, { folder, redisPath })
  }

  /** Unkind from now on, in the way that `seed` gives. */
  beUnkind(seed: number): void {
    this.#random = mulberry32(seed)
  }

  /** Kind from now on; resolves when all that was held up has run or will never run. */
  async beKind(): Promise<void> {
    this.#random = undefined
    await Promise.all(this.#turns.values())
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.close()
    for (const socket of this.#sockets) {
      socket.destroy()
    }
    await rm(this.#folder, { recursive: true, force: true })
  }

  #join(client: Socket): void {
    const redis = this.#connect()
    let isLost = false
    let pending = Buffer.alloc(0)
    redis.on('data', (reply) => (isLost ? client.destroy() : client.write(reply)))
    client.on('data', (chunk) => {
      pending = Buffer.concat([pending, chunk])
      for (let end = commandEnd(pending); end !== undefined; end = commandEnd(pending)) {
        const command = pending.subarray(0, end)
        pending = pending.subarray(end)
        const fate = this.#fateOf(command)
        const turn = this.#turns.get(client) ?? Promise.resolve()
        const next = turn.then(async () => {
          if (fate === 'paused') {
            await new Promise((resolve) => setTimeout(resolve, 3))
          } else if (fate === 'doubled') {
            await this.#runOnce(command)
          }
          isLost ||= fate === 'lost'
          redis.write(command)
        })
        this.#turns.set(client, next)
        void next.then(() => this.#turns.get(client) === next && this.#turns.delete(client))
      }
    })
    this.#sockets.add(client)
    client.on('error', () => undefined)
    client.on('close', () => {
      this.#sockets.delete(client)
      redis.destroy()
    })
    redis.on('close', () => client.destroy())
  }

  #fateOf(command: Buffer): keyof typeof fates | undefined {
    if (this.#random === undefined || !/^\*\d+\r\n\$\d+\r\neval/i.test(command.toString('latin1', 0, 32))) {
      return undefined
    }
    let draw = this.#random() * 100
    for (const [fate, share] of Object.entries(fates) as [keyof typeof fates, number][]) {
      draw -= share
      if (draw < 0) {
        this.counts[fate]++
        return fate
      }
    }
    return undefined
  }

  async #runOnce(command: Buffer): Promise<void> {
    const redis = this.#connect()
    redis.write(command)
    await Promise.race([once(redis, 'data'), once(redis, 'close')]).catch(() => undefined)
    redis.destroy()
  }

  #connect(): Socket {
    const redis = connect(this.#redisPath)
    redis.on('error', () => undefined)
    return redis
  }
}

/** Where the first whole command in RESP ends (an array of bulk strings, as clients send it); `undefined` while it is not all there. */
function commandEnd(buffer: Buffer): number | undefined {
  let at = 0
  const line = (): number | undefined => {
    const end = buffer.indexOf('\r\n', at)
    if (end < 0) {
      return undefined
    }
    const value = Number(buffer.toString('latin1', at + 1, end))
    at = end + 2
    return value
  }
  const parts = line()
  for (let part = 0; part < (parts ?? 0); part++) {
    const length = line()
    if (length === undefined || buffer.length < at + length + 2) {
      return undefined
    }
    at += length + 2
  }
  return parts === undefined ? undefined : at
}

/** A small generator of random numbers from 0 to 1, the same ones for the same seed. */
function mulberry32(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d_2b_79_f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}
