import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { messageOf, until } from '@neko-edge/kit'
import { freeTcpPort, processTree, tempRedis } from '@neko-edge/testing'
import { loginV3, V3Viewer } from '@neko-edge/testing/viewer'
import { hundredth, type Summary, sum, summarise, tenth } from './summary.ts'

const main = fileURLToPath(new URL('../../apps/neko/src/main.ts', import.meta.url))
const logins = 400
const loginsAtOnce = 16
const sockets = 1_000
const socketsAtOnce = 50
const broadcasts = 20
const requestsPerSecond = 2_000
const requestSeconds = 5

export interface IdleResult {
  connected: number
  /** Why there are no more, where one could not come in. */
  stoppedBy: string | undefined
  connectsPerSecond: number
  /** From one socket to all others: until each has the event, in milliseconds. */
  fanOut: { sockets: number; latencyMs: Summary | undefined; p99Ms: number }
  memoryPerIdleSessionKb: number
}

export interface ControlPlaneResult extends IdleResult {
  loginsPerSecond: number
  /** Latency of authenticated GETs at a fixed rate, in milliseconds. */
  get: { wantedPerSecond: number; reachedPerSecond: number; latencyMs: Summary | undefined; p99Ms: number }
  redisCommandsPerGet: number
  /** Of the control plane, apart from the clients', over the GETs. */
  cpuPerGetUs: number
}

/** Measures one control plane of ours, alone with a Redis of its own: no desktop, no media. */
export async function controlPlane(progress: (part: string) => void): Promise<ControlPlaneResult> {
  await using redis = await tempRedis()
  await using plane = await Plane.start(redis.url)
  progress('logins')
  const loginsPerSecond = await rate(logins, loginsAtOnce, (index) =>
    loginV3({ url: plane.url, username: `login${index}`, password: 'neko' }),
  )
  const idle = await idleSockets(plane, { count: sockets, progress })
  progress('requests')
  return { loginsPerSecond, ...idle, ...(await measureGets(plane, redis.path)) }
}

/** Sockets that say nothing, on one control plane: what each takes, and how soon all of them hear an event. */
export async function idleSockets(
  plane: Plane,
  { count, progress }: { count: number; progress: (part: string) => void },
): Promise<IdleResult> {
  const before = await plane.memory()
  const viewers: V3Viewer[] = []
  let refused: string | undefined
  let cpuUs = await plane.cpuUs()
  let at = performance.now()
  const connect = async (index: number) => {
    if (refused !== undefined) {
      return
    }
    viewers.push(await V3Viewer.open({ url: plane.url, username: `idle${index}`, password: 'neko' }))
    if (viewers.length % sockets === 0) {
      const now = { cpuUs: await plane.cpuUs(), at: performance.now() }
      const core = hundredth((now.cpuUs - cpuUs) / 1_000 / (now.at - at))
      progress(
        `${viewers.length} of ${count} sockets, the last ${sockets} in ${tenth((now.at - at) / 1_000)} s; control plane: ${core} cores`,
      )
      cpuUs = now.cpuUs
      at = now.at
    }
  }
  const startedAt = performance.now()
  await rate(count, socketsAtOnce, (index) =>
    connect(index).catch((error: unknown) => {
      refused ??= messageOf(error)
    }),
  )
  const connectsPerSecond = tenth((viewers.length * 1_000) / (performance.now() - startedAt))
  const memoryPerIdleSessionKb = tenth(((await plane.memory()) - before) / viewers.length / 1024)
  progress('fan-out')
  const fanOut = await measureFanOut(viewers)
  await Promise.all(viewers.map((viewer) => viewer.close()))
  return { connected: viewers.length, stoppedBy: refused, connectsPerSecond, fanOut, memoryPerIdleSessionKb }
}

/** One control plane of ours, as an operator starts it, without a desktop. */
export class Plane implements AsyncDisposable {
  readonly url: string
  readonly #process: ReturnType<typeof spawn>

  private constructor(url: string, process: ReturnType<typeof spawn>) {
    this.url = url
    this.#process = process
  }

  static async start(redisUrl: string): Promise<Plane> {
    const port = await freeTcpPort()
    const env = { ...process.env, NEKO_REDIS_URL: redisUrl, NEKO_SERVER_BIND: `127.0.0.1:${port}`, NEKO_LOG_LEVEL: 'error' }
    const child = spawn(process.execPath, [main, 'control-plane'], { env, stdio: ['ignore', 'ignore', 'inherit'] })
    const url = `http://127.0.0.1:${port}`
    const answers = () =>
      fetch(`${url}/health`).then(
        ({ ok }) => ok,
        () => false,
      )
    await until(answers, { ms: 20_000, what: 'the control plane' })
    return new Plane(url, child)
  }

  async memory(): Promise<number> {
    return sum((await processTree(this.#process.pid ?? 0)).map(({ rssBytes }) => rssBytes))
  }

  async cpuUs(): Promise<number> {
    return sum((await processTree(this.#process.pid ?? 0)).map((usage) => usage.cpuUs))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#process.kill('SIGTERM')
    await once(this.#process, 'exit')
  }
}

/** Does something `count` times, some of them at once; gives how often a second. */
async function rate(count: number, atOnce: number, act: (index: number) => Promise<unknown>): Promise<number> {
  const startedAt = performance.now()
  let next = 0
  const work = async () => {
    for (let index = next++; index < count; index = next++) {
      await act(index)
    }
  }
  await Promise.all(Array.from({ length: atOnce }, work))
  return tenth(count / ((performance.now() - startedAt) / 1000))
}

async function measureFanOut(viewers: readonly V3Viewer[]): Promise<ControlPlaneResult['fanOut']> {
  const [speaker, ...audience] = viewers
  const times: number[] = []
  for (let round = 0; round < broadcasts; round++) {
    const startedAt = performance.now()
    const heard = audience.map(async (viewer) => {
      await viewer.event('send/broadcast', { ms: 20_000 })
      times.push(performance.now() - startedAt)
    })
    speaker?.send('send/broadcast', { subject: 'bench', body: round })
    await Promise.all(heard)
  }
  return { sockets: viewers.length, latencyMs: summarise(times), p99Ms: percentile(times, 0.99) }
}

async function measureGets(
  plane: Plane,
  redisPath: string,
): Promise<Pick<ControlPlaneResult, 'get' | 'redisCommandsPerGet' | 'cpuPerGetUs'>> {
  const { token } = await loginV3({ url: plane.url, username: 'getter', password: 'neko' })
  const get = async () => {
    const startedAt = performance.now()
    const response = await fetch(`${plane.url}/api/whoami`, { headers: { authorization: `Bearer ${token}` } })
    await response.arrayBuffer()
    return response.ok ? performance.now() - startedAt : Number.POSITIVE_INFINITY
  }
  await Promise.all(Array.from({ length: 64 }, get))
  const scriptsBefore = await scriptCalls(redisPath)
  const cpuBefore = await plane.cpuUs()
  const total = requestsPerSecond * requestSeconds
  const pending: Promise<number>[] = []
  const startedAt = performance.now()
  while (pending.length < total) {
    // An open loop: what is due by the clock is sent, whether or not earlier answers have come.
    const due = Math.min(total, Math.ceil(((performance.now() - startedAt) / 1000) * requestsPerSecond))
    while (pending.length < due) {
      pending.push(get())
    }
    await new Promise((resolve) => setImmediate(resolve))
  }
  const times = await Promise.all(pending)
  const seconds = (performance.now() - startedAt) / 1000
  return {
    get: {
      wantedPerSecond: requestsPerSecond,
      reachedPerSecond: tenth(total / seconds),
      latencyMs: summarise(times),
      p99Ms: percentile(times, 0.99),
    },
    redisCommandsPerGet: tenth(((await scriptCalls(redisPath)) - scriptsBefore) / total),
    cpuPerGetUs: tenth(((await plane.cpuUs()) - cpuBefore) / total),
  }
}

/** Scripts that Redis has run so far, by its own count. */
async function scriptCalls(path: string): Promise<number> {
  const cli = spawn('redis-cli', ['-s', path, 'info', 'commandstats'], { stdio: ['ignore', 'pipe', 'inherit'] })
  let text = ''
  cli.stdout.on('data', (chunk: Buffer) => {
    text += chunk.toString()
  })
  await once(cli, 'exit')
  return Number(/cmdstat_evalsha:calls=(\d+)/.exec(text)?.[1] ?? 0)
}

function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  return tenth(sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? 0)
}
