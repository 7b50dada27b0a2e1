import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { until } from '@neko-edge/kit'
import { expect, it, vi } from 'vitest'
import { RemoteSource } from '../../src/relay/remote-source.ts'
import { type MediasoupSfuOptions, openMediasoupSfu } from '../../src/sfu/mediasoup-sfu.ts'
import type { PeerOptions, PipeEnd, RoomSources, SfuRoom } from '../../src/sfu/sfu.ts'
import { keptLog, patienceMs, testRoom, workerBin } from './room.ts'
import { WeriftPeer } from './werift-peer.ts'

vi.setConfig({ testTimeout: 3 * patienceMs, hookTimeout: patienceMs })

const v3: PeerOptions = { kind: 'v3', canShare: false }
const pipes = { ip: '127.0.0.1', range: { min: 51_000, max: 51_999 } }

/** A node that has the room from another one, whose encoders run as long as somebody here wants them. */
async function relayOf(from: SfuRoom, origin: RoomSources, options: Partial<MediasoupSfuOptions> = {}) {
  const { log, lines } = keptLog()
  const releases = new Map<string, () => void>()
  const follow = (id: string, source: RoomSources['audio']) => {
    const remote: RemoteSource = new RemoteSource({
      id,
      codec: source.codec,
      onHeld: () => {
        releases.get(id)?.()
        releases.delete(id)
        if (remote.isHeld) {
          releases.set(id, source.retain())
        }
      },
    })
    return remote
  }
  const sources = {
    rungs: origin.rungs.map((rung) => follow(rung.id, rung)),
    cursorVideo: follow(origin.cursorVideo.id, origin.cursorVideo),
    audio: follow(origin.audio.id, origin.audio),
  }
  const sfu = await openMediasoupSfu({
    workerBin,
    ports: { listenIp: '127.0.0.1', range: { min: 40_000, max: 49_999 } },
    pipes,
    announced: ['127.0.0.1'],
    log,
    ...options,
  })
  const ends: PipeEnd[] = []
  const connect = async (end: PipeEnd) => {
    const offer = await from.openPipe(`relay ${pipesOpened++}`, end, () => room.reconnect())
    ends.push(end, offer)
    return offer
  }
  const room: SfuRoom = await sfu.openRelayedRoom(sources, () => ({ by: 'pipe', connect }))
  return { sfu, room, sources, ends, lines, [Symbol.asyncDispose]: () => sfu[Symbol.asyncDispose]() }
}
let pipesOpened = 0

async function join(room: SfuRoom, options = v3) {
  const peer = await room.openPeer(options)
  const viewer = new WeriftPeer()
  await viewer.join(peer)
  return { peer, viewer, [Symbol.asyncDispose]: () => viewer[Symbol.asyncDispose]() }
}
const flows = ({ viewer }: { viewer: WeriftPeer }) => {
  const from = viewer.packets.video
  return until(() => viewer.packets.video > from + 5, { ms: patienceMs, what: 'video packets' })
}

it('[SFU-1720] origin, relay, second relay: picture, sound and rungs at every hop, from one encoder that runs while somebody anywhere looks', async () => {
  await using world = await testRoom({ pipes })
  await using relay = await relayOf(world.room, world.sources)
  await using second = await relayOf(relay.room, relay.sources)
  expect(world.sources.all.map(({ runs }) => runs)).toEqual([0, 0, 0, 0])
  {
    await using last = await join(second.room)
    await flows(last)
    await using middle = await join(relay.room)
    await using first = await join(world.room)
    await Promise.all([first, middle, last].map(flows))
    expect(world.sources.hq.runs).toBe(1)
    expect([first, middle, last].every(({ viewer }) => viewer.packets.audio > 0)).toBe(true)
    await last.peer.setVideo({ id: 'lq' })
    await until(() => last.peer.video.id === 'lq' && world.sources.lq.packets > 20, { ms: patienceMs, what: 'the other rung' })
    await flows(last)
    await using legacy = await join(second.room, { kind: 'v2', canShare: false })
    await flows(legacy)
    expect(legacy.peer.video.id).toBe('legacy')
    expect([first, middle].every(({ viewer }) => viewer.missing === 0)).toBe(true)
    for (const { peer } of [first, middle, last, legacy]) {
      peer.close()
    }
  }
  await until(() => world.sources.all.every(({ retains }) => retains === 0), { ms: patienceMs, what: 'the encoders to be let go' })
})

it('[SFU-1721] a relay of two workers takes one copy, and gives it to the second worker itself', async () => {
  await using world = await testRoom({ pipes })
  await using relay = await relayOf(world.room, world.sources, { workers: 2, maxLoad: 0.002 })
  await using first = await join(relay.room)
  await flows(first)
  await until(async () => (await relay.sfu.workers()).some(({ load }) => load > 0.002), {
    ms: patienceMs,
    what: 'the first worker to be full',
  })
  await using second = await join(relay.room)
  await Promise.all([first, second].map(flows))
  expect((await relay.sfu.workers()).map(({ viewers }) => viewers)).toEqual([1, 1])
  expect(relay.ends).toHaveLength(2)
})

it('[SFU-1722] what leaves the origin does not depend on how many are behind the relay; key frames are asked for once for all of them', async () => {
  await using world = await testRoom({ pipes })
  await using relay = await relayOf(world.room, world.sources)
  await using one = await join(relay.room)
  await flows(one)
  const made = () => world.sources.all.reduce((sum, { bytes }) => sum + bytes, 0)
  /** As of one moment: the worker is asked in the middle between two looks at the encoders. */
  const both = async () => {
    const early = made()
    const sent = await piped(world.room)
    return { sent, made: (early + made()) / 2 }
  }
  /** Bytes that leave for each byte of the encoders, over so many of their packets. */
  const costOf = async (packets: number) => {
    const from = world.sources.hq.packets
    const before = await both()
    await until(() => world.sources.hq.packets > from + packets, { ms: patienceMs, what: 'packets' })
    const after = await both()
    return (after.sent - before.sent) / (after.made - before.made)
  }
  const alone = await costOf(60)
  const asked = world.sources.hq.keyFrameRequests
  const more = await Promise.all(Array.from({ length: 20 }, () => join(relay.room)))
  await Promise.all(more.map(flows))
  const ratio = (await costOf(60)) / alone
  console.log(JSON.stringify({ egressWith21Against1: Number(ratio.toFixed(4)) }))
  expect(ratio).toBeGreaterThan(0.95)
  expect(ratio).toBeLessThan(1.05)
  expect(world.sources.hq.keyFrameRequests - asked).toBeLessThanOrEqual(6)
  await Promise.all(more.map(({ viewer }) => viewer[Symbol.asyncDispose]()))
})

it('[SFU-1723] the origin’s worker dies: the relay takes the room anew, and its viewers come back', async () => {
  await using world = await testRoom({ pipes })
  await using relay = await relayOf(world.room, world.sources)
  await using first = await join(relay.room)
  await flows(first)
  const ended = new Promise((resolve) => {
    first.peer.onEvent((event) => (event.on === 'closed' ? resolve(event.reason) : undefined))
  })
  process.kill((await world.sfu.workers())[0]?.pid ?? 0, 'SIGKILL')
  const killedAt = performance.now()
  expect(await ended).toBe('worker')
  await using again = await join(relay.room)
  await flows(again)
  expect(performance.now() - killedAt).toBeLessThan(3_000)
})

it('[SFU-1724] what strangers send to the ends of a pipe is refused and counted, and nobody is harmed', async () => {
  await using world = await testRoom({ pipes })
  await using relay = await relayOf(world.room, world.sources)
  await using viewer = await join(relay.room)
  await flows(viewer)
  const counted = async () => {
    const both = [...(await world.sfu.workers()), ...(await relay.sfu.workers())]
    return { strangers: both.map(({ counters }) => counters?.strangers), forged: both.map(({ counters }) => counters?.forged) }
  }
  expect(await counted()).toEqual({ strangers: [0, 0], forged: [0, 0] })
  const stranger = createSocket('udp4')
  stranger.bind(0, '127.0.0.1')
  await once(stranger, 'listening')
  const heard: Buffer[] = []
  stranger.on('message', (message) => heard.push(message))
  // VP8 of an SSRC that the room has, as if it were ours, in clear; noise; and requests for key frames, of which none may come through.
  const rtp = Buffer.from('8060000100000001000003e9101020f0009d012a40010001', 'hex')
  const pli = Buffer.from('81ce000200000001000003e9', 'hex')
  const asked = world.sources.hq.keyFrameRequests
  const visit = (rounds: number) => {
    for (const { port } of relay.ends) {
      for (let index = 0; index < rounds; index++) {
        rtp.writeUInt16BE(index, 2)
        stranger.send(rtp, port, '127.0.0.1')
        stranger.send(pli, port, '127.0.0.1')
        stranger.send(Buffer.alloc(1 + (index % 1_400), index), port, '127.0.0.1')
      }
    }
  }
  // More than a socket holds; then so few that all of them arrive.
  visit(2_000)
  await flows(viewer)
  const before = (await counted()).strangers
  visit(10)
  const areAll = async () => (await counted()).strangers.every((count, index) => (count ?? 0) >= (before[index] ?? 0) + 30)
  await until(areAll, { ms: patienceMs, what: 'all to be counted' })
  expect((await counted()).forged).toEqual([0, 0])
  await flows(viewer)
  expect(viewer.viewer.missing).toBe(0)
  expect(viewer.peer.state).toBe('connected')
  expect(world.sources.hq.keyFrameRequests).toBe(asked)
  expect(heard).toEqual([])
  stranger.close()
})

it('[MOV-1975] who sends from the very address of the other end, and has not its key, is refused and counted, too', async () => {
  await using world = await testRoom({ pipes })
  const impostor = createSocket('udp4')
  impostor.bind(0, '127.0.0.1')
  await once(impostor, 'listening')
  const key = { cryptoSuite: 'AEAD_AES_256_GCM', keyBase64: Buffer.alloc(44, 7).toString('base64') }
  const { port } = await world.room.openPipe('impostor', { ip: '127.0.0.1', port: impostor.address().port, srtp: key }, () => undefined)
  const forged = async () => (await world.sfu.workers())[0]?.counters?.forged ?? 0
  const before = world.sources.hq.keyFrameRequests
  // A request for a key frame and a packet, each with bytes where its authentication tag would be.
  const rtp = Buffer.concat([Buffer.from('8060000100000001000003e9101020f0009d012a40010001', 'hex'), Buffer.alloc(16, 1)])
  const pli = Buffer.concat([Buffer.from('81ce000200000001000003e9', 'hex'), Buffer.alloc(20, 1)])
  for (let index = 0; index < 20; index++) {
    impostor.send(rtp, port, '127.0.0.1')
    impostor.send(pli, port, '127.0.0.1')
  }
  await until(async () => (await forged()) === 40, { ms: patienceMs, what: 'all to be counted' })
  expect(world.sources.hq.keyFrameRequests).toBe(before)
  impostor.close()
})

it('[SFU-1725] an end that is none, or streams of another room: refused, and the room goes on', async () => {
  await using world = await testRoom({ pipes })
  const end = { ip: '127.0.0.1', port: 51_500, srtp: { cryptoSuite: 'AEAD_AES_256_GCM', keyBase64: Buffer.alloc(44).toString('base64') } }
  for (const wrong of [
    { ...end, ip: 'nowhere' },
    { ...end, port: 0 },
    { ...end, srtp: { cryptoSuite: 'ROT13', keyBase64: '' } },
  ]) {
    await expect(world.room.openPipe('wrong', wrong, () => undefined)).rejects.toThrow()
  }
  await using other = await testRoom({ pipes, video: 'vp9' })
  await expect(relayOf(other.room, { ...world.sources, rungs: [world.sources.hq] })).rejects.toMatchObject({ code: 'invalid' })
  await using viewer = await join(world.room)
  await flows(viewer)
})

/** Bytes that all the room's pipes have sent so far. */
async function piped(room: SfuRoom): Promise<number> {
  return (await room.pipeStats()).reduce((sum, { bytesSent }) => sum + bytesSent, 0)
}
