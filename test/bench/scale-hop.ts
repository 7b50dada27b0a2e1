/** What a hop costs: the same viewers at the node that has the room and at a relay that takes it from there. */
import { delay } from '@neko-edge/kit'
import { PacketRoom } from '../../apps/capture-node/test/packet-path/packet-room.ts'
import { allArrived, cpuOf, otherCore, pin, resumeMs, workerCore } from './packet-path.ts'
import { hundredth, summarise, tenth } from './summary.ts'

const viewersEach = 200
const windows = 5
const windowMs = 3_000
const settleMs = 2_000

interface Window {
  readonly originUs: number
  readonly relayUs: number
  readonly originPackets: number
  readonly relayPackets: number
  /** Of the room's picture. */
  readonly fed: number
  readonly elapsedMs: number
  /** From a frame's birth to the arrival of its first packet, microseconds, here and there. */
  readonly delayUs: readonly [origin: Delays, relay: Delays]
  readonly lost: number
  readonly piped: number
}
type Delays = { readonly p50: number; readonly p99: number }

/** Gives the CPU of both workers by packet, what leaves the origin for the relay, and how much later a frame arrives there. */
export async function hop(workerBin: string, tell: (text: string) => void): Promise<object> {
  pin(process.pid, otherCore)
  await using origin = await PacketRoom.open({ workerBin })
  await using relay = await PacketRoom.relayOf(origin, workerBin)
  const [originPid, relayPid] = await Promise.all([origin.workerPid(), relay.workerPid()])
  for (const pid of [originPid, relayPid]) {
    pin(pid, workerCore)
  }
  for (const { viewers } of [origin, relay]) {
    pin(viewers.pid, otherCore)
  }
  tell(`${viewersEach} viewers at each`)
  const near = await origin.joinMany(viewersEach)
  await relay.joinMany(viewersEach)
  const pids = { originPid, relayPid }
  const both = await measured({ origin, relay }, pids, tell)
  for (const { peer } of near) {
    peer.close()
  }
  tell('all viewers behind the relay')
  const behind = await measured({ origin, relay }, pids, tell)
  const each = (list: readonly Window[], value: (window: Window) => number) => summarise(list.map(value), hundredth)
  const delayed = (node: 0 | 1, which: keyof Delays) => each(both, ({ delayUs }) => delayUs[node][which] / 1_000)
  return {
    viewersEach,
    usPerPacket: {
      origin: each(both, ({ originUs, originPackets }) => originUs / originPackets),
      relay: each(both, ({ relayUs, relayPackets }) => relayUs / relayPackets),
    },
    // With nobody there, all that it does is to take the room and to send one copy of it.
    originForOneCopy: {
      usPerPacket: each(behind, ({ originUs, fed }) => originUs / fed),
      percentOfACore: each(behind, ({ originUs, elapsedMs }) => originUs / 10 / elapsedMs),
    },
    pipeBitsPerSecond: { with400Viewers: pipeBits(both), with200Viewers: pipeBits(behind) },
    firstPacketMs: {
      origin: { p50: delayed(0, 'p50'), p99: delayed(0, 'p99') },
      relay: { p50: delayed(1, 'p50'), p99: delayed(1, 'p99') },
      hop: each(both, ({ delayUs: [here, there] }) => (there.p50 - here.p50) / 1_000),
    },
    lost: [...both, ...behind].reduce((all, { lost }) => all + lost, 0),
  }
}

const pipeBits = (list: readonly Window[]) =>
  summarise(
    list.map(({ piped, elapsedMs }) => (piped * 8_000) / elapsedMs),
    tenth,
  )?.p50

async function measured(
  rooms: { origin: PacketRoom; relay: PacketRoom },
  pids: { originPid: number; relayPid: number },
  tell: (text: string) => void,
): Promise<Window[]> {
  rooms.origin.high.start()
  await delay(settleMs)
  const taken: Window[] = []
  for (let index = 0; index < windows; index++) {
    tell(`window ${index + 1} of ${windows}`)
    taken.push(await takeWindow(rooms, pids))
  }
  return taken
}

async function takeWindow(
  { origin, relay }: { origin: PacketRoom; relay: PacketRoom },
  { originPid, relayPid }: { originPid: number; relayPid: number },
): Promise<Window> {
  if (!origin.high.isRunning) {
    origin.high.start()
    await delay(resumeMs)
  }
  origin.high.stop()
  await allArrived(relay)
  origin.viewers.reset()
  relay.viewers.reset()
  const fed = origin.high.packets
  const [originBefore, relayBefore, pipedBefore] = await Promise.all([cpuOf(originPid), cpuOf(relayPid), piped(origin)])
  const start = performance.now()
  origin.high.start()
  await delay(windowMs)
  origin.high.stop()
  const elapsedMs = performance.now() - start
  const [near, far] = await Promise.all([allArrived(origin), allArrived(relay)])
  const [originAfter, relayAfter, pipedAfter] = await Promise.all([cpuOf(originPid), cpuOf(relayPid), piped(origin)])
  return {
    originUs: originAfter.totalUs - originBefore.totalUs,
    relayUs: relayAfter.totalUs - relayBefore.totalUs,
    originPackets: near.packets,
    relayPackets: far.packets,
    fed: origin.high.packets - fed,
    elapsedMs,
    delayUs: [near.firstUs, far.firstUs],
    lost: near.lost + far.lost,
    piped: pipedAfter - pipedBefore,
  }
}

async function piped({ room }: PacketRoom): Promise<number> {
  return (await room.pipeStats()).reduce((all, { bytesSent }) => all + bytesSent, 0)
}
