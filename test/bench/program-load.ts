/** Which programs a server is made of, and what each of them uses. */
import { commandLineOf, type ProcessUsage, processTree, threadsOf } from '@neko-edge/testing'
import { sum, tenth } from './summary.ts'

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
export type Part = 'server' | 'capture' | 'desktop' | 'application'

/** A process and the part of the server that it belongs to. */
export interface Placed extends ProcessUsage {
  part: Part
  /** Of `cpuUs`, what encoder threads used inside of a server's process. */
  captureUs: number
}

/** All processes of the server; what runs below the room's cage or browser is the application. */
export async function snapshot(roots: readonly number[]): Promise<Placed[]> {
  const placed = new Map<number, Placed>()
  for (const pid of roots) {
    for (const usage of await processTree(pid)) {
      const part = placed.get(usage.parent)?.part === 'application' ? 'application' : partOf(usage.name)
      const captureUs = part === 'server' ? await encoderUs(usage.pid) : 0
      placed.set(usage.pid, { ...usage, name: await programOf(usage), part, captureUs })
    }
  }
  return [...placed.values()]
}

/** Node calls each of its processes `MainThread`: ours are told apart by their command, `main.ts control-plane`. */
async function programOf({ pid, name }: ProcessUsage): Promise<string> {
  const command = /main\.ts (\S+)/.exec(await commandLineOf(pid))?.[1]
  return command === undefined ? name : `neko ${command}`
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

/** What each program used between two snapshots that are `elapsedUs` apart. */
export function programLoads(before: readonly Placed[], after: readonly Placed[], elapsedUs: number): ProgramLoad[] {
  const used = new Map(before.map((usage) => [usage.pid, usage]))
  const percent = (us: number) => tenth((Math.max(0, us) * 100) / elapsedUs)
  const loads: ProgramLoad[] = []
  for (const group of Map.groupBy(after, (usage) => `${usage.part} ${usage.name}`).values()) {
    const { name: program = '', part = 'server' } = group[0] ?? {}
    const processes = group.length
    // A thread that ended takes its count along: then there is less than before, which says nothing.
    const captureUs = Math.max(0, sum(group.map((usage) => usage.captureUs - (used.get(usage.pid)?.captureUs ?? 0))))
    const ownUs = sum(group.map((usage) => usage.cpuUs - (used.get(usage.pid)?.cpuUs ?? 0))) - captureUs
    const memoryMb = tenth(sum(group.map((usage) => usage.pssBytes)) / mebi)
    loads.push({ program, part, processes, cpu: percent(ownUs), memoryMb })
    if (captureUs > 0) {
      loads.push({ program: `${program} (encoder threads)`, part: 'capture', processes: 0, cpu: percent(captureUs), memoryMb: 0 })
    }
  }
  return loads
}

/** The sum over the programs of one part. */
export function total(programs: readonly ProgramLoad[], part: Part): { cpu: number; memoryMb: number } {
  const mine = programs.filter((program) => program.part === part)
  return { cpu: tenth(sum(mine.map((program) => program.cpu))), memoryMb: tenth(sum(mine.map((program) => program.memoryMb))) }
}
