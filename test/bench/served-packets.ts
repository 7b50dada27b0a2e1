/** What a packet costs that any neko V3 server forwards, by its own desktop's picture and the same native viewers as `packet-path`. */
import { cpus, loadavg } from 'node:os'
import { delay, NekoError } from '@neko-edge/kit'
import { V3Viewer } from '@neko-edge/testing/viewer'
import { NativeViewers } from '../../infra/viewers/native-viewers.ts'
import { programLoads, snapshot, total } from './program-load.ts'
import { hundredth, summarise, tenth } from './summary.ts'

const settleMs = 3_000
const signalMs = 10_000

export interface ServedPacketsOptions {
  readonly url: string
  readonly password: string
  /** Roots of the server's process trees. */
  readonly pids: readonly number[]
  /** How many viewers, rising; what the first of them cost is what the others are compared with. */
  readonly viewers: readonly number[]
  readonly windows: number
  readonly windowMs: number
}

interface Load {
  /** Of the server part of its processes, and packets that reached the viewers; both a second. */
  cpuUs: number
  packets: number
  lost: number
}

/** Watches with more and more viewers, and gives what is printed as JSON. Without the server's pids only what arrives is known. */
export async function servedPackets(options: ServedPacketsOptions, progress: (part: string) => void): Promise<object> {
  const loadBefore = loadavg().map(tenth)
  await using viewers = await NativeViewers.open()
  await using crowd = new AsyncDisposableStack()
  const leave = async (viewer: V3Viewer) => {
    await viewer.logout()
    await viewer.close()
  }
  const steps: object[] = []
  let joined = 0
  let least: Load | undefined
  for (const count of options.viewers) {
    for (; joined < count; joined++) {
      const viewer = await join(viewers, { ...options, username: `bench-${joined}` })
      crowd.defer(() => leave(viewer))
      progress(`${joined + 1} of ${count} viewers`)
    }
    await delay(settleMs)
    const loads: Load[] = []
    for (let index = 0; index < options.windows; index++) {
      progress(`${count} viewers, window ${index + 1} of ${options.windows}`)
      loads.push(await measure(viewers, options))
    }
    const median = (value: (load: Load) => number) => summarise(loads.map(value), hundredth)?.p50 ?? 0
    const load = { cpuUs: median(({ cpuUs }) => cpuUs), packets: median(({ packets }) => packets), lost: median(({ lost }) => lost) }
    steps.push({
      viewers: count,
      connected: (await viewers.report()).connected,
      packetsPerSecond: Math.round(load.packets),
      lostPerSecond: load.lost,
      serverCore: hundredth(load.cpuUs / 1_000_000),
      usPerPacket: least && options.pids.length > 0 ? hundredth((load.cpuUs - least.cpuUs) / (load.packets - least.packets)) : undefined,
    })
    least ??= load
  }
  return {
    target: options.url,
    at: new Date().toISOString(),
    machine: { cpus: cpus().length, loadBefore, loadAfter: loadavg().map(tenth) },
    steps,
  }
}

async function measure(viewers: NativeViewers, { pids, windowMs }: ServedPacketsOptions): Promise<Load> {
  viewers.reset()
  const before = await snapshot(pids)
  const start = performance.now()
  await delay(windowMs)
  const elapsedUs = (performance.now() - start) * 1_000
  const programs = programLoads(before, await snapshot(pids), elapsedUs)
  const { packets, audioPackets, lost } = await viewers.report()
  const perSecond = (value: number) => (value * 1_000_000) / elapsedUs
  return { cpuUs: total(programs, 'server').cpu * 10_000, packets: perSecond(packets + audioPackets), lost: perSecond(lost) }
}

async function join(viewers: NativeViewers, login: { url: string; username: string; password: string }): Promise<V3Viewer> {
  const viewer = await V3Viewer.open({ url: login.url, username: login.username, password: login.password, frames: false })
  viewer.send('signal/request', {})
  const sdp = textOf(await viewer.event('signal/provide', { ms: signalMs }), 'sdp')
  // Upstream names its addresses beside the offer.
  const candidate = /^a=candidate:/m.test(sdp) ? '' : textOf(await viewer.event('signal/candidate', { ms: signalMs }), 'candidate')
  const native = viewers.watch(sdp, { candidate })
  viewer.send('signal/answer', { sdp: native.answer })
  await native.connected
  return viewer
}

function textOf(payload: unknown, field: string): string {
  const value: unknown = typeof payload === 'object' && payload !== null ? Reflect.get(payload, field) : undefined
  if (typeof value !== 'string') {
    throw new NekoError('invalid', `signalling without ${field}: ${JSON.stringify(payload)?.slice(0, 200)}`)
  }
  return value
}
