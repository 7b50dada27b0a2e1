import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { until } from '@neko-edge/kit'
import { commandLineOf, freeTcpPort, freeUdpPort, type Nat, processTree, TempRedis } from '@neko-edge/testing'

const main = fileURLToPath(new URL('../../apps/neko/src/main.ts', import.meta.url))

export interface FleetOptions {
  readonly appUrl?: string
  /** What each control plane has in its environment besides; two of them, where this does not say. */
  readonly controlPlanes?: readonly Readonly<Record<string, string>>[]
  /** What each capture node has in its environment besides; one, where this does not say. */
  readonly nodes?: readonly Readonly<Record<string, string>>[]
  readonly env?: Readonly<Record<string, string>>
  /** The first node is behind it. */
  readonly nat?: Nat
}

/** One process of the product, as an operator starts it. */
class Part implements AsyncDisposable {
  readonly #command: 'control-plane' | 'capture-node'
  readonly #env: Readonly<Record<string, string>>
  readonly #prefix: readonly string[]
  readonly #output: string[] = []
  #child: ReturnType<typeof spawn>

  constructor(command: 'control-plane' | 'capture-node', env: Readonly<Record<string, string>>, prefix: readonly string[] = []) {
    this.#command = command
    this.#env = env
    this.#prefix = prefix
    this.#child = this.#spawn()
  }

  /** A new run of one that has ended. */
  start(): void {
    this.#child = this.#spawn()
  }

  #spawn(): ReturnType<typeof spawn> {
    const [program = process.execPath, ...args] = [...this.#prefix, process.execPath, main, this.#command]
    const child = spawn(program, args, { env: this.#env, stdio: ['ignore', 'pipe', 'pipe'] })
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk: Buffer) => this.#output.push(chunk.toString()))
    }
    return child
  }

  get pid(): number {
    return this.#child.pid ?? 0
  }

  get log(): string {
    return this.#output.join('')
  }

  get hasEnded(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null
  }

  /** No word of goodbye: as when a machine loses its power. */
  async kill(): Promise<void> {
    if (!this.hasEnded) {
      this.#child.kill('SIGKILL')
      await once(this.#child, 'exit')
    }
  }

  /** Stands still from now on, its children do not: connections stay open, nothing is answered. */
  pause(): void {
    this.#child.kill('SIGSTOP')
  }

  resume(): void {
    this.#child.kill('SIGCONT')
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.hasEnded) {
      this.resume()
      this.#child.kill('SIGTERM')
      await once(this.#child, 'exit')
    }
  }
}

/** The product as in production: several control planes and capture nodes that meet in one Redis and nowhere else. */
export class Fleet implements AsyncDisposable {
  /** The address of each control plane. */
  readonly urls: readonly string[]
  readonly dataFolder: string
  /** Where its processes meet: for a test that speaks to them as another process would. */
  get redisUrl(): string {
    return this.redis.url
  }

  /** The Redis in which they meet, for a test that takes it away. */
  readonly redis: TempRedis
  readonly #controlPlanes: readonly Part[]
  readonly #nodes: readonly Part[]

  private constructor(parts: { urls: string[]; dataFolder: string; redis: TempRedis; controlPlanes: Part[]; nodes: Part[] }) {
    this.urls = parts.urls
    this.dataFolder = parts.dataFolder
    this.redis = parts.redis
    this.#controlPlanes = parts.controlPlanes
    this.#nodes = parts.nodes
  }

  static async open({ appUrl = 'about:blank', controlPlanes = [{}, {}], nodes = [{}], env = {}, nat }: FleetOptions = {}): Promise<Fleet> {
    const dataFolder = await mkdtemp(join(tmpdir(), 'neko-fleet-'))
    const redis = await TempRedis.open()
    const { PATH = '', HOME = '/root', MEDIASOUP_WORKER_BIN } = process.env
    const common = {
      PATH,
      HOME,
      ...(MEDIASOUP_WORKER_BIN && { MEDIASOUP_WORKER_BIN }),
      NEKO_REDIS_URL: `unix://${redis.path}`,
      NEKO_DATA_DIR: dataFolder,
      NEKO_WEBRTC_NAT1TO1: '127.0.0.1',
      NEKO_DESKTOP_APP_URL: appUrl,
      // The page is served on loopback.
      NEKO_DESKTOP_APP_NETWORK: 'shared',
      ...env,
    }
    const outside = nat && { NEKO_REDIS_URL: `redis://${await nat.reach(redis.path)}` }
    const udp = await Promise.all(nodes.map(freeUdpPort))
    // Two nodes on one machine: each has its own name, port and users.
    const nodeParts = nodes.map(
      (more, index) =>
        new Part(
          'capture-node',
          {
            ...common,
            NEKO_NODE_ID: `node-${index}`,
            NEKO_WEBRTC_UDPMUX: String(udp[index]),
            NEKO_DESKTOP_UID_BASE: String(50_000 + 100 * index),
            ...(index === 0 && outside),
            ...more,
          },
          index === 0 ? nat?.prefix : [],
        ),
    )
    const ports = await Promise.all(controlPlanes.map(freeTcpPort))
    const parts = ports.map(
      (port, index) => new Part('control-plane', { ...common, NEKO_SERVER_BIND: `127.0.0.1:${port}`, ...controlPlanes[index] }),
    )
    const fleet = new Fleet({
      urls: ports.map((port) => `http://127.0.0.1:${port}`),
      dataFolder,
      redis,
      controlPlanes: parts,
      nodes: nodeParts,
    })
    try {
      await fleet.#ready()
    } catch (error) {
      await fleet[Symbol.asyncDispose]()
      throw error
    }
    return fleet
  }

  /** The first control plane's address. */
  get url(): string {
    return this.urls[0] ?? ''
  }

  get log(): string {
    return [...this.#controlPlanes, ...this.#nodes].map(({ log }) => log).join('\n')
  }

  /** Kills one control plane without a word. */
  async killControlPlane(index: number): Promise<void> {
    await this.#controlPlanes[index]?.kill()
  }

  startControlPlane(index: number): void {
    this.#controlPlanes[index]?.start()
  }

  startNode(index: number): void {
    this.#nodes[index]?.start()
  }

  /** Stops one control plane in an orderly way, SIGTERM, and waits for its end. */
  async stopControlPlane(index: number): Promise<void> {
    await this.#controlPlanes[index]?.[Symbol.asyncDispose]()
  }

  /** Kills one capture node without a word. */
  async killNode(index: number): Promise<void> {
    await this.#nodes[index]?.kill()
  }

  /** Lets one capture node stand still, as a paused machine does, until `resumeNode`. */
  pauseNode(index: number): void {
    this.#nodes[index]?.pause()
  }

  resumeNode(index: number): void {
    this.#nodes[index]?.resume()
  }

  /** Stops one capture node as an operator does. */
  async stopNode(index: number): Promise<void> {
    await this.#nodes[index]?.[Symbol.asyncDispose]()
  }

  /** Everything that a capture node runs now: process ids and command lines. */
  async nodeProcesses(index = 0): Promise<{ pid: number; line: string }[]> {
    return Promise.all((await processTree(this.#nodes[index]?.pid ?? 0)).map(async ({ pid }) => ({ pid, line: await commandLineOf(pid) })))
  }

  /** The command lines of everything that a capture node runs now. */
  async nodeCommands(index = 0): Promise<string[]> {
    return (await this.nodeProcesses(index)).map(({ line }) => line)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#controlPlanes, ...this.#nodes].map((part) => part[Symbol.asyncDispose]()))
    await this.redis[Symbol.asyncDispose]()
    await rm(this.dataFolder, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 })
  }

  async #ready(): Promise<void> {
    const isUp = async () => {
      const dead = [...this.#controlPlanes, ...this.#nodes].find(({ hasEnded }) => hasEnded)
      if (dead) {
        throw new Error(`a part of the fleet ended:\n${dead.log}`)
      }
      const answers = await Promise.all(
        this.urls.map((url) =>
          fetch(`${url}/readyz`).then(
            ({ ok }) => ok,
            () => false,
          ),
        ),
      )
      return answers.every(Boolean) && this.#nodes.some(({ log }) => log.includes('room runs'))
    }
    await until(isUp, { ms: 60_000, what: 'the fleet is ready' })
  }
}
