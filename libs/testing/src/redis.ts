import type { ChildProcess } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { NekoError } from '@neko-edge/kit'
import { killRedisServer, startRedisServer } from './redis-process.ts'

/** A real Redis of a test's own, on a Unix socket in a directory that goes with it. */
export class TempRedis implements AsyncDisposable {
  /** The socket's path, as ioredis takes it. */
  readonly path: string
  /** `unix://` and the path: the form of the option `redis.url`. */
  readonly url: string
  readonly #directory: string
  #child: ChildProcess | undefined

  private constructor(directory: string) {
    this.#directory = directory
    this.path = join(directory, 'redis.sock')
    this.url = `unix://${this.path}`
  }

  /** Starts one and waits until it answers, about 40 ms. `unavailable` when Debian's redis-server is not installed. */
  static async open(): Promise<TempRedis> {
    const redis = new TempRedis(await mkdtemp(join(tmpdir(), 'neko-redis-')))
    await redis.start()
    return redis
  }

  get pid(): number | undefined {
    return this.#child?.pid
  }

  /** Starts it again after `kill`, with the data that it had. */
  async start(): Promise<void> {
    if (this.#child) {
      throw new NekoError('conflict', 'this Redis runs already')
    }
    const server = ['--port', '0', '--unixsocket', this.path, '--unixsocketperm', '700']
    const state = ['--dir', this.#directory, '--appendonly', 'yes', '--save', '', '--loglevel', 'warning']
    this.#child = await startRedisServer({ path: this.path }, [...server, ...state])
  }

  /** SIGKILL: connections break, what was written so far is on disk. Does nothing when it does not run. */
  async kill(): Promise<void> {
    const child = this.#child
    this.#child = undefined
    await killRedisServer(child)
  }

  /** `kill`, then `start`. Its clients see broken connections. */
  async restart(): Promise<void> {
    await this.kill()
    await this.start()
  }

  /** Kills it, throws its data away and starts it: what a replica without a copy looks like. */
  async restartEmpty(): Promise<void> {
    await this.kill()
    await rm(join(this.#directory, 'appendonlydir'), { recursive: true, force: true })
    await this.start()
  }

  /** Stops it in its tracks: connections stay open and nothing is answered, until `resume`. */
  pause(): void {
    this.#child?.kill('SIGSTOP')
  }

  resume(): void {
    this.#child?.kill('SIGCONT')
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill()
    await rm(this.#directory, { recursive: true, force: true })
  }
}

/** A running Redis for one test: `await using redis = await tempRedis()`. */
export function tempRedis(): Promise<TempRedis> {
  return TempRedis.open()
}
