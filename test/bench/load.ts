import { delay } from '@neko-edge/kit'
import { V3Viewer } from '@neko-edge/testing/viewer'
import { type Part, type ProgramLoad, programLoads, snapshot, total } from './program-load.ts'
import { type Summary, sum, summarise, tenth } from './summary.ts'
import type { Target } from './target.ts'

const settleMs = 4_000
const windowMs = 10_000

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
  /** Video frames a second, over the viewers. */
  frames: Summary | undefined
  /** Viewers whose WebRTC connection did not last: a machine that is too busy, or a fault. */
  gone: number
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
  const before = await snapshot(target.pids)
  const marks = viewers.map(({ peer: { video, audio } }) => ({
    packets: video.packets + audio.packets,
    frames: video.frames,
    missing: video.missing,
  }))
  const client = process.cpuUsage()
  const start = performance.now()
  await delay(ms)
  const after = await snapshot(target.pids)
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
    frames: summarise(gains.map((gain) => perSecond(gain.frames))),
    gone: viewers.filter(({ peer }) => peer.state !== 'connected').length,
    usPerPacket: undefined,
  }
}
