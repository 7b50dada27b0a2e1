import { delay } from '@neko-edge/kit'
import { type ProcessUsage, processTree, threadsOf } from '@neko-edge/testing'
import { V3Viewer } from '@neko-edge/testing/viewer'
import { tenth } from './summary.ts'
import type { Target } from './target.ts'

const settleMs = 4_000
const windowMs = 10_000
const mebi = 1024 * 1024

/** What one program of the server used while some people watched. */
export interface ProgramLoad {
  program: string
  part: Part
  processes: number
  /** Share of one core, per cent. */
  cpu: number
  /** Shared pages divided by their users, so that the lines add up. */
  memoryMb: number
}

/** `server`: answers and forwards; `capture`: grabs and encodes; `desktop`: X, sound, window manager; `application`: what the room runs. */
type Part = 'server' | 'capture' | 'desktop' | 'application'

export interface LoadStep {
  viewers: number
  programs: ProgramLoad[]
  totals: Record<Part, { cpu: number; memoryMb: number }>
  /** Of the viewers themselves, in this process. */
  clientCpu: number
  /** RTP packets a second that reached all viewers together. */
  packets: number
  /** Of those sent, the share that did not arrive, per cent. */
  lost: number
  /** Video frames a second, of the viewer that got the fewest. */
  leastFrames: number
  /** CPU of the server part beyond that for one viewer, by each packet beyond those for one viewer, microseconds. */
  usPerPacket: number | undefined
}

/** CPU and memory of the server's processes with each number of viewers, in rising order. Empty without the server's pids. */
export async function measureLoad(target: Target, counts: readonly number[]): Promise<LoadStep[]> {
  await using crowd = new AsyncDisposableStack()
  const viewers: V3Viewer[] = []
  const steps: LoadStep[] = []
  let one: LoadStep | undefined
  for (const count of target.pids.length === 0 ? [] : counts) {
    while (viewers.length < count) {
      const viewer = await V3Viewer.open({ url: target.url, username: `bench-${viewers.length}`, password: target.password, frames: false })
      crowd.use(viewer)
      await viewer.watch()
      viewers.push(viewer)
    }
    await delay(settleMs)
    const step = await watchFor(windowMs, target, viewers)
    const more = one && { us: (step.totals.server.cpu - one.totals.server.cpu) * 10_000, packets: step.packets - one.packets }
    steps.push({ ...step, usPerPacket: more && tenth(more.us / more.packets) })
    one ??= count === 1 ? step : undefined
  }
  await Promise.all(viewers.map((viewer) => viewer.logout()))
  return steps
}

async function watchFor(ms: number, target: Target, viewers: readonly V3Viewer[]): Promise<LoadStep> {
  const before = await snapshot(target)
  const marks = viewers.map(({ peer: { video, audio } }) => ({
    packets: video.packets + audio.packets,
    frames: video.frames,
    missing: video.missing,
  }))
  const client = process.cpuUsage()
  const start = performance.now()
  await delay(ms)
  const after = await snapshot(target)
  const elapsedUs = (performance.now() - start) * 1_000
  const own = process.cpuUsage(client)
  const gains = viewers.map(({ peer: { video, audio } }, i) => ({
    packets: video.packets + audio.packets - (marks[i]?.packets ?? 0),
    frames: video.frames - (marks[i]?.frames ?? 0),
    missing: Math.max(0, video.missing - (marks[i]?.missing ?? 0)),
  }))
  const perSecond = (value: number) => tenth((value * 1_000_000) / elapsedUs)
  const packets = sum(gains.map((gain) => gain.packets))
  const missing = sum(gains.map((gain) => gain.missing))
  const programs = programLoads(before, after, elapsedUs)
  return {
    viewers: viewers.length,
    programs,
    totals: {
      server: total(programs, 'server'),
      capture: total(programs, 'capture'),
      desktop: total(programs, 'desktop'),
      application: total(programs, 'application'),
    },
    clientCpu: tenth(((own.user + own.system) * 100) / elapsedUs),
    packets: perSecond(packets),
    lost: packets === 0 ? 0 : tenth((missing * 100) / (packets + missing)),
    leastFrames: viewers.length === 0 ? 0 : perSecond(Math.min(...gains.map((gain) => gain.frames))),
    usPerPacket: undefined,
  }
}

interface Placed extends ProcessUsage {
  part: Part
  /** Of `cpuUs`, what encoder threads used inside of a server's process. */
  captureUs: number
}

/** All processes of the server; what runs below the room's cage or browser is the application. */
async function snapshot(target: Target): Promise<Placed[]> {
  const placed = new Map<number, Placed>()
  for (const pid of target.pids) {
    for (const usage of await processTree(pid)) {
      const part = placed.get(usage.parent)?.part === 'application' ? 'application' : partOf(usage.name)
      const captureUs = part === 'server' ? await encoderUs(usage.pid) : 0
      placed.set(usage.pid, { ...usage, part, captureUs })
    }
  }
  return [...placed.values()]
}

function partOf(name: string): Part {
  if (/^(bwrap|chrom|firefox)/.test(name)) {
    return 'application'
  }
  if (/^(Xorg|Xvfb|openbox|pulseaudio)/.test(name)) {
    return 'desktop'
  }
  return name.startsWith('gst-') ? 'capture' : 'server'
}

/** Upstream encodes inside of its one process: GStreamer names its threads `element:pad`, and libpulse's is `threaded-ml`. */
async function encoderUs(pid: number): Promise<number> {
  const threads = await threadsOf(pid)
  return sum(threads.filter(({ name }) => name.includes(':') || name === 'threaded-ml').map(({ cpuUs }) => cpuUs))
}

function programLoads(before: readonly Placed[], after: readonly Placed[], elapsedUs: number): ProgramLoad[] {
  const used = new Map(before.map((usage) => [usage.pid, usage]))
  const percent = (us: number) => tenth((Math.max(0, us) * 100) / elapsedUs)
  const loads: ProgramLoad[] = []
  for (const group of Map.groupBy(after, (usage) => `${usage.part} ${usage.name}`).values()) {
    const { name: program = '', part = 'server' } = group[0] ?? {}
    const processes = group.length
    const captureUs = sum(group.map((usage) => usage.captureUs - (used.get(usage.pid)?.captureUs ?? 0)))
    const ownUs = sum(group.map((usage) => usage.cpuUs - (used.get(usage.pid)?.cpuUs ?? 0))) - captureUs
    const memoryMb = tenth(sum(group.map((usage) => usage.pssBytes)) / mebi)
    loads.push({ program, part, processes, cpu: percent(ownUs), memoryMb })
    if (captureUs > 0) {
      loads.push({ program: `${program} (encoder threads)`, part: 'capture', processes: 0, cpu: percent(captureUs), memoryMb: 0 })
    }
  }
  return loads
}

function total(programs: readonly ProgramLoad[], part: Part): { cpu: number; memoryMb: number } {
  const mine = programs.filter((program) => program.part === part)
  return { cpu: tenth(sum(mine.map((program) => program.cpu))), memoryMb: tenth(sum(mine.map((program) => program.memoryMb))) }
}

function sum(values: readonly number[]): number {
  return values.reduce((all, value) => all + value, 0)
}
