/** Five hundred people who come within ten seconds to a room that is watched already. */
import { setTimeout as sleep } from 'node:timers/promises'
import { delay, messageOf, until } from '@neko-edge/kit'
import { PacketRoom } from '../../apps/capture-node/test/packet-path/packet-room.ts'
import type { ViewersReport } from '../../infra/viewers/native-viewers.ts'
import { cpuOf, otherCore, pin, workerCore } from './packet-path.ts'
import { hundredth, summarise, tenth } from './summary.ts'

const alreadyIn = 50
const comers = 500
const stormMs = 10_000
const settleMs = 2_000
const calmMs = 4_000
const pictureMs = 15_000
/** A key frame is some times as long as others are. */
const keyFrameBytes = 40_000

interface Comer {
  readonly id: number
  /** From the wish to come to the beginning of ICE. */
  readonly offerMs: number
}

/** Gives key frames a second, the bitrate of those who were in, and how long it takes those who come to see the first packet of their first frame. */
export async function storm(workerBin: string, tell: (text: string) => void): Promise<object> {
  pin(process.pid, otherCore)
  await using room = await PacketRoom.open({ workerBin, source: { keyFrameBytes } })
  await using coming = await PacketRoom.alongside(room)
  const pid = await room.workerPid()
  pin(pid, workerCore)
  pin(room.viewers.pid, otherCore)
  pin(coming.viewers.pid, otherCore)
  await room.joinMany(alreadyIn)
  room.high.start()
  await delay(settleMs)
  const before = await watchFor(room, calmMs)
  tell(`${alreadyIn} are in, ${comers} come`)

  const joined: Comer[] = []
  const failures: string[] = []
  const cpuBefore = await cpuOf(pid)
  room.viewers.reset()
  const asked: number[] = []
  const counted = setInterval(() => {
    asked.push(room.high.keyFrameRequests)
    tell(`${joined.length} of ${comers} have come`)
  }, 1_000)
  asked.push(room.high.keyFrameRequests)
  const start = performance.now()
  await Promise.all(
    Array.from({ length: comers }, async (_, index) => {
      await sleep((index * stormMs) / comers)
      await coming.join().then(
        ({ id, offerMs }) => joined.push({ id, offerMs }),
        (error: unknown) => failures.push(messageOf(error)),
      )
    }),
  )
  const elapsedMs = performance.now() - start
  clearInterval(counted)
  const during = bitrateOf(await room.viewers.report(), elapsedMs)
  const cpuAfter = await cpuOf(pid)
  const seen = ({ id, offerMs }: Comer) => {
    const ms = coming.viewers.firstPacketMs.get(id)
    return ms === undefined ? [] : offerMs + ms
  }
  await until(() => joined.flatMap(seen).length === joined.length, { ms: pictureMs, what: 'a picture for all who came' }).catch(
    (error: unknown) => failures.push(messageOf(error)),
  )
  const perSecond = asked.slice(1).map((count, index) => count - (asked[index] ?? 0))
  return {
    alreadyIn,
    came: joined.length,
    failures: [...new Set(failures)],
    seconds: tenth(elapsedMs / 1_000),
    firstFrameMs: summarise(joined.flatMap(seen)),
    offerMs: summarise(joined.map(({ offerMs }) => offerMs)),
    keyFramesAsked: {
      perSecond: hundredth(((asked.at(-1) ?? 0) - (asked[0] ?? 0)) / perSecond.length),
      mostInASecond: Math.max(...perSecond),
    },
    ofThoseInside: { before, during },
    workerCore: hundredth((cpuAfter.totalUs - cpuBefore.totalUs) / 1_000 / elapsedMs),
  }
}

async function watchFor(room: PacketRoom, ms: number) {
  room.viewers.reset()
  const start = performance.now()
  await delay(ms)
  return bitrateOf(await room.viewers.report(), performance.now() - start)
}

/** By viewer, in bit/s; and what got lost. */
function bitrateOf({ bytes, connected, keyFrames, lost, retransmitted }: ViewersReport, elapsedMs: number) {
  return {
    bitsPerSecond: Math.round((bytes * 8_000) / elapsedMs / connected),
    keyFramesPerSecond: hundredth((keyFrames * 1_000) / elapsedMs / connected),
    lost,
    retransmitted,
  }
}
