import { type ChildProcess, execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { until } from '@neko-edge/kit'
import { freeTcpPort, killRedisServer, redisCommand, startRedisServer } from '@neko-edge/testing'

const run = promisify(execFile)

/** Several Redis servers of a test's own, by their TCP ports; they and their folder go with it. */
export class Deployment implements AsyncDisposable {
  readonly folder: string
  readonly #servers = new Map<number, ChildProcess>()

  private constructor(folder: string) {
    this.folder = folder
  }

  static async open(): Promise<Deployment> {
    return new Deployment(await mkdtemp(join(tmpdir(), 'neko-redis-')))
  }

  /** Starts one on a port of its own, and gives the port. */
  async start(...options: readonly string[]): Promise<number> {
    const port = await freeTcpPort()
    const folder = await mkdtemp(join(this.folder, `${port}-`))
    const state = ['--dir', folder, '--save', '', '--loglevel', 'warning', '--repl-diskless-sync-delay', '0']
    this.#servers.set(port, await startRedisServer({ port }, ['--port', String(port), '--bind', '127.0.0.1', ...state, ...options]))
    return port
  }

  /** A master, its replica and a sentinel that watches them: a master that is silent for half a second is replaced. */
  async startSentinel(): Promise<{ master: number; replica: number; sentinel: number }> {
    const master = await this.start()
    const replica = await this.start('--replicaof', '127.0.0.1', String(master))
    const port = await freeTcpPort()
    const file = join(this.folder, 'sentinel.conf')
    const watch = [`monitor room 127.0.0.1 ${master} 1`, 'down-after-milliseconds room 500', 'failover-timeout room 2000']
    await writeFile(file, [`port ${port}`, `dir ${this.folder}`, ...watch.map((line) => `sentinel ${line}`)].join('\n'))
    this.#servers.set(port, await startRedisServer({ port }, [file, '--sentinel', '--loglevel', 'warning']))
    await until(async () => (await redisCommand({ port }, 'SENTINEL REPLICAS room')).includes(String(replica)), {
      ms: 15_000,
      what: 'the sentinel to find the replica',
    })
    await isReplicated(replica)
    return { master, replica, sentinel: port }
  }

  /** Three masters with a replica for each: a master that is silent for a second is replaced. Gives their ports. */
  async startCluster(): Promise<number[]> {
    const ports: number[] = []
    for (let index = 0; index < 6; index++) {
      const bus = String(await freeTcpPort())
      ports.push(await this.start('--cluster-enabled', 'yes', '--cluster-port', bus, '--cluster-node-timeout', '1000'))
    }
    const all = ports.map((port) => `127.0.0.1:${port}`)
    await run('redis-cli', ['--cluster', 'create', ...all, '--cluster-replicas', '1', '--cluster-yes'])
    for (const port of ports) {
      await until(async () => (await redisCommand({ port }, 'CLUSTER INFO')).includes('cluster_state:ok'), {
        ms: 15_000,
        what: 'the cluster',
      })
    }
    await Promise.all(ports.slice(3).map(isReplicated))
    return ports
  }

  /** SIGKILL of the server at `port`. */
  async kill(port: number): Promise<void> {
    await killRedisServer(this.#servers.get(port))
    this.#servers.delete(port)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const port of [...this.#servers.keys()]) {
      await this.kill(port)
    }
    await rm(this.folder, { recursive: true, force: true })
  }
}

/** A replica that has its master's data: only such a one can take its place. */
async function isReplicated(port: number): Promise<void> {
  await until(async () => (await redisCommand({ port }, 'ROLE')).includes('connected'), { ms: 15_000, what: 'a replica to have its copy' })
}
