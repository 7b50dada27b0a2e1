/**
 * What must hold for every packet, whichever worker forwards it. Each check makes a room of its own, and gives what its viewers saw and what was wrong
 * with that; the integration tests run them for seconds, `npm run bench -- packet-check` for millions of packets.
 */
import { delay, until } from '@neko-edge/kit'
import type { ViewersReport } from '../../../../infra/viewers/native-viewers.ts'
import { PacketRoom } from './packet-room.ts'

/** How long a busy machine may take for what is a matter of milliseconds. */
const patienceMs = 20_000
/** By OpenSSL's names; the worker takes the first that both know. */
const profiles = ['SRTP_AEAD_AES_256_GCM', 'SRTP_AEAD_AES_128_GCM', 'SRTP_AES128_CM_SHA1_80']

export interface Outcome {
  /** Empty: all is well. */
  wrong: string[]
  report: ViewersReport
}

export interface CheckOptions {
  readonly workerBin: string
  readonly viewers: number
  /** How long frames flow; with `packets`, until so many have arrived. */
  readonly ms: number
  readonly packets?: number
}

/** Every payload arrives as it was sent, in order, none is lost: for each SRTP profile, in both roles of DTLS. */
export async function checkPayloads({ workerBin, viewers, ms, packets = 0 }: CheckOptions): Promise<Outcome> {
  await using room = await PacketRoom.open({ workerBin })
  const wrong: string[] = []
  for (let index = 0; index < viewers; index += profiles.length) {
    const some = await Promise.all(
      profiles.map(async (profile, place) => {
        const setup = (index + place) % 2 === 0 ? ('active' as const) : ('actpass' as const)
        return { profile, agreed: await (await room.join({ profiles: profile, setup })).connected }
      }),
    )
    wrong.push(...some.filter(({ profile, agreed }) => profile !== agreed).map(({ profile }) => `${profile} was not agreed`))
  }
  room.high.start()
  await delay(ms)
  await until(async () => (await room.viewers.report()).packets >= packets, {
    ms: Math.max(patienceMs, packets),
    what: `${packets} packets`,
  })
  return await settled(room, wrong)
}

/** What is lost on the way comes again, and is what it was. */
export async function checkLosses({ workerBin, viewers, ms }: CheckOptions): Promise<Outcome> {
  await using room = await PacketRoom.open({ workerBin })
  await room.joinMany(viewers)
  room.high.start()
  await allSee(room)
  room.viewers.setLoss(0.02)
  await delay(ms)
  room.viewers.setLoss(0)
  // A packet that was lost at the very end is noticed by the next one only.
  await delay(200)
  const { wrong, report } = await settled(room)
  if (report.retransmitted === 0 || report.simulatedLosses === 0) {
    wrong.push('nothing was lost and sent again: the check did not check')
  }
  return { wrong, report }
}

/** Sequence numbers begin again at 0, and the receivers' roll-over counter goes on; `packets` as many as it takes. */
export async function checkRollover({ workerBin, packets = 70_000 }: Pick<CheckOptions, 'workerBin' | 'packets'>): Promise<Outcome> {
  // Small packets: their number counts.
  await using room = await PacketRoom.open({ workerBin, source: { frameBytes: [1_500, 2_500], packetBytes: 40 } })
  for (const profile of profiles) {
    await room.join({ profiles: profile })
  }
  room.viewers.setLoss(0.002)
  for (let frames = 1; room.high.packets < packets; frames++) {
    room.high.frame()
    await delay(2)
    // So fast that what is sent again could come after more packets than a viewer keeps in mind.
    if (frames % 40 === 0) {
      await until(async () => (await room.viewers.report()).waiting === 0, { ms: patienceMs, what: 'what was lost', everyMs: 5 })
    }
  }
  room.viewers.setLoss(0)
  room.high.frame()
  const outcome = await settled(room)
  if (outcome.report.least < packets * 0.98) {
    outcome.wrong.push(`one viewer had ${outcome.report.least} packets only`)
  }
  return outcome
}

/** Viewers change between the layers of a simulcast picture and begin each with a key frame; every layer is whole. */
export async function checkLayers({ workerBin, viewers, ms }: CheckOptions): Promise<Outcome> {
  await using room = await PacketRoom.open({ workerBin })
  const joined = await room.joinMany(viewers)
  room.high.start()
  room.low.start()
  await allSee(room)
  const end = performance.now() + ms
  let switches = 0
  for (let turn = 0; performance.now() < end || turn < 2; turn++) {
    const id = turn % 2 === 0 ? 'low' : 'high'
    await Promise.all(joined.map(({ peer }) => peer.setVideo({ id })))
    switches += viewers
    await until(async () => (await room.viewers.report()).switches >= switches, { ms: patienceMs, what: `everybody on ${id}` })
  }
  const { wrong, report } = await settled(room)
  if (report.switches !== switches) {
    wrong.push(`${report.switches} changes of the layer, where ${switches} were asked for`)
  }
  return { wrong, report }
}

/** Receivers that are slow or lose most of it cost nobody else a packet. */
export async function checkSlowReceivers({ workerBin, viewers, ms }: CheckOptions): Promise<Outcome> {
  await using room = await PacketRoom.open({ workerBin })
  await using slow = await PacketRoom.alongside(room)
  await room.joinMany(viewers)
  await slow.joinMany(viewers, { receiveBuffer: 2_500 })
  await slow.joinMany(viewers, { everyMs: 150, receiveBuffer: 65_536 })
  room.high.start()
  await delay(ms)
  const outcome = await settled(room)
  const { nacks } = await slow.viewers.report()
  if (nacks === 0) {
    outcome.wrong.push('the slow receivers lost nothing: the check did not check')
  }
  return outcome
}

/** Viewers that go while a frame is on its way, with or without a word, and new ones that come: those who stay lose nothing. */
export async function checkDepartures({ workerBin, viewers, ms }: CheckOptions): Promise<Outcome> {
  await using room = await PacketRoom.open({ workerBin, source: { fps: 120 } })
  await using fleeting = await PacketRoom.alongside(room)
  const pid = await room.workerPid()
  await room.joinMany(viewers)
  room.high.start()
  const end = performance.now() + ms
  while (performance.now() < end) {
    const joined = await fleeting.joinMany(3)
    await delay(30)
    for (const [index, { id, peer }] of joined.entries()) {
      // A frame goes to the worker, and the end of a viewer right behind it.
      room.high.frame()
      index === 0 ? peer.close() : fleeting.viewers.end(id, index === 1 ? 'close' : 'vanish')
    }
  }
  const outcome = await settled(room)
  if ((await room.workerPid()) !== pid) {
    outcome.wrong.push('the worker is another one: it died')
  }
  return outcome
}

/** The room closes while frames are on their way to its viewers; the worker goes on with the next one. */
export async function checkClosedRooms({ workerBin, viewers, ms }: CheckOptions): Promise<Outcome> {
  await using room = await PacketRoom.open({ workerBin })
  const pid = await room.workerPid()
  await room.joinMany(viewers)
  room.high.start()
  await allSee(room)
  const end = performance.now() + ms
  while (performance.now() < end) {
    await using other = await PacketRoom.anotherOn(room, { fps: 200 })
    await other.joinMany(5)
    other.high.start()
    await delay(60)
    other.high.frame()
  }
  const outcome = await settled(room)
  if ((await room.workerPid()) !== pid) {
    outcome.wrong.push('the worker is another one: it died')
  }
  return outcome
}

/**
 * A path that takes half of what is sent (run it where loopback is such a path): what waits, in the worker's socket and before it, arrives late,
 * and whole and in order all the same.
 */
export async function checkThinPath({ workerBin, viewers, ms }: CheckOptions): Promise<Outcome> {
  await using room = await PacketRoom.open({ workerBin })
  await room.joinMany(viewers)
  room.high.start()
  await delay(ms)
  const outcome = await settled(room)
  if (outcome.report.lastUs.p95 < 200_000) {
    outcome.wrong.push(`the path was not thin: the last packet of a frame took ${outcome.report.lastUs.p95} µs`)
  }
  return outcome
}

/** Everybody has begun with a key frame. */
async function allSee(room: PacketRoom): Promise<void> {
  await until(
    async () => {
      const { least, viewers, connected } = await room.viewers.report()
      return least > 0 && viewers === connected
    },
    { ms: patienceMs, what: 'a picture for everybody' },
  )
}

/** Stops the frames, waits for what is still missing, and says what is wrong. */
async function settled(room: PacketRoom, before: readonly string[] = []): Promise<Outcome> {
  room.high.stop()
  room.low.stop()
  let report = await room.viewers.report()
  for (let packets = -1; packets !== report.datagrams || report.waiting > 0; ) {
    packets = report.datagrams
    await delay(250)
    report = await room.viewers.report()
  }
  const wrong = [...before]
  for (const name of ['lost', 'damaged', 'outOfPlace', 'authFailures', 'reordered', 'stunErrors'] as const) {
    if (report[name] > 0) {
      wrong.push(`${name}: ${report[name]}`)
    }
  }
  if (report.connected !== report.viewers || report.least === 0) {
    wrong.push(`of ${report.viewers} viewers ${report.connected} were connected, and one had ${report.least} packets`)
  }
  if (report.starts !== report.viewers) {
    wrong.push(`${report.starts} beginnings for ${report.viewers} viewers`)
  }
  return { wrong, report }
}
