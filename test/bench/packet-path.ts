/** What a forwarded packet costs: our SFU with one worker on a core of its own, fed with synthetic frames, before native viewers on the other. */
import { execFileSync } from 'node:child_process'
import { cpus, loadavg, setPriority } from 'node:os'
import { delay, messageOf, NekoError, until } from '@neko-edge/kit'
import { threadsOf, usageOf } from '@neko-edge/testing'
import { PacketRoom, type PacketRoomOptions } from '../../apps/capture-node/test/packet-path/packet-room.ts'
import type { ViewersReport } from '../../infra/viewers/native-viewers.ts'
import { hundredth, type Summary, sum, summarise, tenth } from './summary.ts'

/** The worker has a core of its own; the feeder and the viewers share the other one. */
export const workerCore = 0
export const otherCore = 1
const warmUpMs = 2_500
/** What is quiet for so long has settled. */
const settleMs = 250
/** Where nothing came for a second, viewers wait for a key frame, and those are a second apart: it flows for so long before it is counted. */
export const resumeMs = 1_500
const pictureMs = 5_000
const drainMs = 10_000
const silentViewers = 200

export interface PacketPathOptions {
  /** What each is called, and the path of its program. */
  readonly workers: readonly { name: string; path: string }[]
  readonly viewers: readonly number[]
  /** Windows measured for each number of viewers. */
  readonly windows: number
  readonly windowMs: number
}

/** How one worker is measured: `PacketPathOptions` of one, and what it is fed. */
export interface MeasureOptions extends Omit<PacketPathOptions, 'workers'> {
  readonly hasTransportCc: boolean
  readonly tell: (text: string) => void
  readonly source?: PacketRoomOptions['source']
  /** Of those who hear, too. */
  readonly sound?: PacketRoomOptions['sound']
  /** Whether more viewers are no use after this step; default: never. */
  readonly isEnough?: (step: PacketPathStep) => boolean
}

export interface Window {
  userUs: number
  systemUs: number
  totalUs: number
  core: number
  report: ViewersReport
  /** Packets that were due to all viewers together. */
  sent: number
  soundSent: number
  /** Of the picture, to one viewer. */
  packetsPerSecond: number
  feederCore: number
  viewersCore: number
}

export interface PacketPathStep {
  viewers: number
  /** Of those, the ones whose connection lasted. */
  connected: number
  /** Of the packets that were due to them, the share that came, per cent; less than 100: the worker is overloaded. */
  arrived: number
  /** The same of the sound, where there is one. */
  soundArrived: number | undefined
  /** CPU of the worker by each packet that it sent on, microseconds. */
  packetsPerSecond: number
  usPerPacket: { user: Summary | undefined; system: Summary | undefined; total: Summary | undefined }
  viewersPerCore: number
  /** Memory of the worker, in MB. */
  workerMb: number
  /** Share of the worker's core that was used. */
  core: Summary | undefined
  /** From the frame's birth in the feeder to the arrival of its first and last packet at the viewer, milliseconds; of the medians and 99th percentiles of all windows, the median. */
  firstPacketMs: { p50: number; p99: number }
  lastPacketMs: { p50: number; p99: number }
  packetsPerFrame: number
  thousandPacketsPerSecond: number
  /** All over all windows: none of these should be. */
  faults: Pick<ViewersReport, 'lost' | 'reordered' | 'damaged' | 'outOfPlace' | 'authFailures' | 'retransmitted'>
  /** Cores that the feeder (with all of Node's part in the SFU) and the viewers took. */
  feederCore: number
  viewersCore: number
}

/** Measures each worker without and with transport-cc, and gives what is printed as JSON. */
export async function packetPath(options: PacketPathOptions, progress: (part: string) => void): Promise<object> {
  const before = loadavg().map(tenth)
  pin(process.pid, otherCore)
  const results: object[] = []
  for (const worker of options.workers) {
    for (const hasTransportCc of [false, true]) {
      const tell = (text: string) => progress(`${worker.name}, transport-cc ${hasTransportCc ? 'on' : 'off'}: ${text}`)
      results.push({
        worker: worker.name,
        transportCc: hasTransportCc,
        ...(await measure(worker.path, { hasTransportCc, tell, ...options })),
      })
    }
  }
  return {
    at: new Date().toISOString(),
    machine: { cpus: cpus().length, loadBefore: before, loadAfter: loadavg().map(tenth) },
    results,
  }
}

/** Measures a worker with more and more viewers before it, on a core that it has alone. */
export async function measure(
  workerBin: string,
  { hasTransportCc, tell, viewers, windows, windowMs, source, sound, isEnough = () => false }: MeasureOptions,
): Promise<{ steps: PacketPathStep[]; idleCore: Summary | undefined; endedBy: string | undefined }> {
  await using room = await PacketRoom.open({
    workerBin,
    ...(source && { source }),
    ...(sound && { sound }),
    ...(hasTransportCc && { initialBitrate: 10_000_000 }),
  })
  const pid = await room.workerPid()
  pin(pid, workerCore)
  pin(room.viewers.pid, otherCore)
  // Behind the feeder, who has to ask the worker in time whether it lives: where viewers have too much to do, they are late, and no more.
  setPriority(room.viewers.pid, 5)
  const wish = { video: hasTransportCc ? { auto: true } : {}, hears: sound !== undefined }
  const join = async (count: number) => {
    const missing = count - room.room.peers.size
    await room.joinMany(missing, wish, (done) => tell(`${count - missing + done} of ${count} viewers`))
  }
  await join(Math.min(silentViewers, ...viewers))
  const steps: PacketPathStep[] = []
  let idleCore: Summary | undefined
  let endedBy: string | undefined
  const windowsOf = async (count: number): Promise<Window[]> => {
    await join(count)
    startFeeding(room, { hasTransportCc, hasSound: sound !== undefined })
    await delay(warmUpMs)
    // A worker that can not do it any more is measured as it is: it shows in what its viewers miss.
    await until(async () => (await room.viewers.report()).least > 0, { ms: pictureMs, what: 'a picture for every viewer' }).catch(() =>
      tell('not every viewer has a picture'),
    )
    const taken: Window[] = []
    for (let index = 0; index < windows; index++) {
      tell(`${count} viewers, window ${index + 1} of ${windows}`)
      taken.push(await takeWindow(room, pid, windowMs))
    }
    stopFeeding(room)
    if ((await room.workerPid()) !== pid) {
      throw new NekoError('unavailable', 'the worker had so much to do that it was taken for hung, and replaced')
    }
    return taken
  }
  for (const count of viewers) {
    // Too many for this machine, of whatever part of it: what was measured before holds.
    const taken = await windowsOf(count).catch((error: unknown) => {
      endedBy = `${count} viewers: ${messageOf(error)}`
      tell(endedBy)
    })
    if (!taken) {
      break
    }
    const step = { ...summed(count, taken), workerMb: tenth(((await usageOf(pid))?.rssBytes ?? 0) / 2 ** 20) }
    steps.push(step)
    if (isEnough(step)) {
      break
    }
    if (count === silentViewers) {
      tell(`${count} viewers, silent`)
      idleCore = summarise(await idle(pid, windowMs), hundredth)
    }
  }
  return { steps, idleCore, endedBy }
}

function startFeeding(room: PacketRoom, { hasTransportCc, hasSound }: { hasTransportCc: boolean; hasSound: boolean }): void {
  room.high.start()
  if (hasTransportCc) {
    // The estimator is for those who have a choice.
    room.low.start()
  }
  if (hasSound) {
    room.sound.start()
  }
}

function stopFeeding(room: PacketRoom): void {
  for (const source of [room.high, room.low, room.sound]) {
    source.stop()
  }
}

/** Feeds the room's viewers for so long, and gives what reached them and what it cost. */
export async function takeWindow(room: PacketRoom, pid: number, ms: number): Promise<Window> {
  const feeds = { hasTransportCc: (await room.viewers.report()).feedbacks + room.low.packets > 0, hasSound: room.sound.packets > 0 }
  if (!room.high.isRunning) {
    startFeeding(room, feeds)
    await delay(resumeMs)
  }
  stopFeeding(room)
  await allArrived(room)
  room.viewers.reset()
  const viewersBefore = await room.viewers.report()
  const own = process.cpuUsage()
  const fed = room.high.packets
  const soundFed = room.sound.packets
  const before = await cpuOf(pid)
  const start = performance.now()
  startFeeding(room, feeds)
  await delay(ms)
  stopFeeding(room)
  const elapsedMs = performance.now() - start
  const report = await allArrived(room)
  const after = await cpuOf(pid)
  const { user, system } = process.cpuUsage(own)
  const sent = (room.high.packets - fed) * report.connected
  const soundSent = (room.sound.packets - soundFed) * report.connected
  const total = after.totalUs - before.totalUs
  const systemUs = (total * (after.systemUs - before.systemUs)) / (after.tickUs - before.tickUs)
  return {
    userUs: (total - systemUs) / report.packets,
    systemUs: systemUs / report.packets,
    totalUs: total / report.packets,
    core: total / 1_000 / elapsedMs,
    report,
    sent,
    soundSent,
    packetsPerSecond: ((room.high.packets - fed) * 1_000) / elapsedMs,
    feederCore: (user + system) / 1_000 / elapsedMs,
    viewersCore: (report.cpuMs - viewersBefore.cpuMs) / elapsedMs,
  }
}

/** The report once nothing comes any more: a worker with too much to do sends on long after the last frame. */
export async function allArrived({ viewers }: Pick<PacketRoom, 'viewers'>): Promise<ViewersReport> {
  let report = await viewers.report()
  const start = performance.now()
  for (let before = -1; before !== report.packets && performance.now() - start < drainMs; ) {
    before = report.packets
    await delay(settleMs)
    report = await viewers.report()
  }
  return report
}

/** Nanoseconds of all threads, and the ticks by which the kernel tells user and system apart. */
export async function cpuOf(pid: number): Promise<{ totalUs: number; tickUs: number; systemUs: number }> {
  const [threads, usage] = await Promise.all([threadsOf(pid), usageOf(pid)])
  return { totalUs: sum(threads.map(({ cpuUs }) => cpuUs)), tickUs: usage?.cpuUs ?? 0, systemUs: usage?.systemUs ?? 0 }
}

async function idle(pid: number, ms: number): Promise<number[]> {
  const shares: number[] = []
  for (let run = 0; run < 3; run++) {
    const before = await cpuOf(pid)
    const start = performance.now()
    await delay(ms)
    const after = await cpuOf(pid)
    shares.push((after.totalUs - before.totalUs) / 1_000 / (performance.now() - start))
  }
  return shares
}

function summed(viewers: number, windows: readonly Window[]): Omit<PacketPathStep, 'workerMb'> {
  const each = (value: (window: Window) => number) => summarise(windows.map(value), hundredth)
  const median = (value: (window: Window) => number) => each(value)?.p50 ?? 0
  const all = (name: keyof PacketPathStep['faults']) => sum(windows.map(({ report }) => report[name]))
  const total = each(({ totalUs }) => totalUs)
  return {
    viewers,
    connected: Math.min(...windows.map(({ report }) => report.connected)),
    arrived:
      shareOf(
        windows.map(({ report }) => report.packets),
        windows.map(({ sent }) => sent),
      ) ?? 0,
    soundArrived: shareOf(
      windows.map(({ report }) => report.audioPackets),
      windows.map(({ soundSent }) => soundSent),
    ),
    packetsPerSecond: median((window) => window.packetsPerSecond),
    usPerPacket: { user: each(({ userUs }) => userUs), system: each(({ systemUs }) => systemUs), total },
    viewersPerCore: total ? Math.round(1_000_000 / (total.p50 * median((window) => window.packetsPerSecond))) : 0,
    core: each(({ core }) => core),
    firstPacketMs: { p50: median(({ report }) => report.firstUs.p50 / 1_000), p99: median(({ report }) => report.firstUs.p99 / 1_000) },
    lastPacketMs: { p50: median(({ report }) => report.lastUs.p50 / 1_000), p99: median(({ report }) => report.lastUs.p99 / 1_000) },
    packetsPerFrame: hundredth(sum(windows.map(({ report }) => report.packets)) / sum(windows.map(({ report }) => report.frames))),
    thousandPacketsPerSecond: median(({ core, totalUs }) => (core / totalUs) * 1_000),
    faults: {
      lost: all('lost'),
      reordered: all('reordered'),
      damaged: all('damaged'),
      outOfPlace: all('outOfPlace'),
      authFailures: all('authFailures'),
      retransmitted: all('retransmitted'),
    },
    feederCore: median(({ feederCore }) => feederCore),
    viewersCore: median(({ viewersCore }) => viewersCore),
  }
}

/** Of what was due, the part that came, per cent; undefined where nothing was. */
function shareOf(came: readonly number[], due: readonly number[]): number | undefined {
  return sum(due) === 0 ? undefined : tenth((sum(came) * 100) / sum(due))
}

/** All threads of a process on one core, where there is a choice. */
export function pin(pid: number, core: number): void {
  if (cpus().length > 1) {
    execFileSync('taskset', ['-a', '-c', '-p', String(core), String(pid)], { stdio: 'ignore' })
  }
}
