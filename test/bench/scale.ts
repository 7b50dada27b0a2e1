/** How far one machine goes: a worker, a room, a hop, a storm of people who come, idle sockets. Each part by itself, since each wants the machine. */
import { cpus, loadavg } from 'node:os'
import { NekoError } from '@neko-edge/kit'
import { tempRedis } from '@neko-edge/testing'
import { idleSockets, Plane } from './control-plane.ts'
import { measure, otherCore, type PacketPathStep, pin } from './packet-path.ts'
import { hop } from './scale-hop.ts'
import { storm } from './scale-storm.ts'
import { tenth } from './summary.ts'

export interface ScaleOptions {
  /** Names of parts; none: all. */
  readonly only: readonly string[]
  readonly workerBin: string
}

type Tell = (text: string) => void
type Part = (workerBin: string, tell: Tell) => Promise<object>

/** Of the packets that were due, per cent: with less, somebody sees it. */
const enough = 99.5
/** Shares of a core from which it counts as full. */
const full = 0.93
const idleCount = 10_000

/** 187 packets and 1.42 Mbit/s a viewer: the synthetic source as it is. */
const livekitShape = {}
/** 2 Mbit/s in 30 frames a second, in the packets that our encoders' payloaders make. */
const hdShape = { fps: 30, frameBytes: [5_800, 10_867], packetBytes: 1_170 } as const
/** 0.5 Mbit/s in 15 frames a second, and Opus in packets of 60 ms. */
const classroomShape = { fps: 15, frameBytes: [2_900, 5_433], packetBytes: 1_170 } as const
const classroomSound = { fps: 1_000 / 60, frameBytes: [240, 241], packetBytes: 1_170 } as const

const parts: Readonly<Record<string, Part>> = {
  worker: async (workerBin, tell) => ({
    shape: '187 packets/s, 1.42 Mbit/s',
    ...(await rise(workerBin, { source: livekitShape, viewers: [300, 600, 900, 1_200], tell })),
  }),
  'worker-720p': async (workerBin, tell) => ({
    shape: '720p30, 2 Mbit/s',
    ...(await rise(workerBin, { source: hdShape, viewers: [300, 600, 900, 1_200], tell })),
  }),
  room: async (workerBin, tell) => ({
    shape: '0.5 Mbit/s, Opus 60 ms',
    ...(await rise(workerBin, { source: classroomShape, sound: classroomSound, viewers: [500, 1_000, 1_500, 2_000], tell })),
  }),
  hop,
  storm,
  idle: async (_workerBin, tell) => {
    await using redis = await tempRedis()
    await using plane = await Plane.start(redis.url)
    return await idleSockets(plane, { count: idleCount, progress: tell })
  },
}

/** Measures the parts, and gives what is printed as JSON. Fails with `invalid` for a part that there is not. */
export async function scale({ only, workerBin }: ScaleOptions, progress: Tell): Promise<object> {
  const names = only.length > 0 ? only : Object.keys(parts)
  const results: Record<string, object> = {}
  for (const name of names) {
    const part = Object.hasOwn(parts, name) ? parts[name] : undefined
    if (!part) {
      throw new NekoError('invalid', `--only ${name}: there is no such part; there are ${Object.keys(parts).join(', ')}`)
    }
    const loadBefore = tenth(loadavg()[0] ?? 0)
    const result = await part(workerBin, (text) => progress(`${name}: ${text}`))
    results[name] = { ...result, machine: { cpus: cpus().length, loadBefore, loadAfter: tenth(loadavg()[0] ?? 0) } }
  }
  return { at: new Date().toISOString(), results }
}

/** More and more viewers on one worker, until they do not get all of it. */
async function rise(
  workerBin: string,
  options: Pick<Parameters<typeof measure>[1], 'source' | 'sound' | 'viewers' | 'tell'>,
): Promise<object> {
  pin(process.pid, otherCore)
  const isEnough = (step: PacketPathStep) => !isWhole(step)
  const { steps, endedBy } = await measure(workerBin, { ...options, hasTransportCc: false, windows: 3, windowMs: 3_000, isEnough })
  const good = steps.filter(isWhole)
  return {
    viewersServed: good.at(-1)?.viewers ?? 0,
    viewersPerCore: good.at(-1)?.viewersPerCore ?? 0,
    stoppedBy: endedBy ?? limitOf(steps),
    steps,
  }
}

const isWhole = ({ arrived, soundArrived = 100 }: PacketPathStep): boolean => Math.min(arrived, soundArrived) >= enough

function limitOf(steps: readonly PacketPathStep[]): string {
  const last = steps.at(-1)
  if (!last) {
    return 'nothing was measured'
  }
  const worker = last.core?.p50 ?? 0
  const bench = last.viewersCore + last.feederCore
  const reasons = [
    ...(worker >= full ? ['the media worker: its core is full'] : []),
    ...(bench >= full ? ['the bench: viewers and feeder fill the other core'] : []),
  ]
  return last.arrived >= enough
    ? 'nothing: all viewers of the last step had all of it'
    : reasons.join('; ') || 'neither core was full: see the steps'
}
