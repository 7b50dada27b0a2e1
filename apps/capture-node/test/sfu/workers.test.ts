import { until } from '@neko-edge/kit'
import { expect, it, vi } from 'vitest'
import type { CloseReason, Peer, PeerOptions } from '../../src/sfu/sfu.ts'
import { patienceMs, testRoom } from './room.ts'
import { WeriftPeer } from './werift-peer.ts'

vi.setConfig({ testTimeout: 3 * patienceMs, hookTimeout: patienceMs })

const v3: PeerOptions = { kind: 'v3', canShare: false }
const quiet: PeerOptions = { ...v3, video: { disabled: true }, audio: { disabled: true } }

type World = Awaited<ReturnType<typeof testRoom>>

/** A room on two workers, of which one is full as soon as it does anything at all. */
const twoWorkers = () => testRoom({ workers: 2, maxLoad: 0.002 })

/** Reads which worker has how many viewers. */
const viewersOf = async ({ sfu }: World) => (await sfu.workers()).map(({ viewers }) => viewers)
const roomsOf = async ({ sfu }: World) => (await sfu.workers()).map(({ rooms }) => rooms)
const isMeasured = ({ sfu }: World) =>
  until(async () => (await sfu.workers()).some(({ load }) => load > 0.002), { ms: patienceMs, what: 'the first worker to be full' })

async function join({ room }: World, options = v3) {
  const peer = await room.openPeer(options)
  const viewer = new WeriftPeer()
  await viewer.join(peer)
  return { peer, viewer }
}
const flows = ({ viewer }: { viewer: WeriftPeer }, from = viewer.packets.video) =>
  until(() => viewer.packets.video > from + 5, { ms: patienceMs, what: 'video packets' })
const endOf = (peer: Peer) =>
  new Promise<CloseReason>((resolve) => {
    peer.onEvent((event) => (event.on === 'closed' ? resolve(event.reason) : undefined))
  })

it('[SFU-1705] viewers fill one worker by its measured load, and the next ones go to the next: picture, sound, channel and key frames there too', async () => {
  await using world = await twoWorkers()
  const first = await join(world)
  await flows(first)
  await isMeasured(world)
  const second = await join(world)
  expect(await viewersOf(world)).toEqual([1, 1])
  expect(await roomsOf(world)).toEqual([1, 1])
  await flows(second, 0)
  await flows(first)
  expect(second.viewer.packets.audio).toBeGreaterThan(0)
  // One encoder for both, and one message to both.
  expect(world.sources.hq.runs).toBe(1)
  await Promise.all([first, second].map(({ peer }) => peer.stats()))
  world.room.broadcast(Uint8Array.of(1, 1))
  world.room.broadcast(Uint8Array.of(2, 2), second.peer.id)
  await until(() => first.viewer.messages.length === 2, { ms: patienceMs, what: 'both messages' })
  await until(() => second.viewer.messages.length === 1, { ms: patienceMs, what: 'the message for all' })
  expect(second.viewer.messages).toEqual([[1, 1]])
  await second.peer.setVideo({ id: 'lq' })
  await until(() => world.sources.lq.packets > 5, { ms: patienceMs, what: 'the other rung' })
  await Promise.all([first, second].map(({ viewer }) => viewer[Symbol.asyncDispose]()))
})

it('[SFU-1706] not by their number: a hundred who see nothing are one worker’s', async () => {
  await using world = await testRoom({ workers: 2 })
  await Promise.all(Array.from({ length: 100 }, () => world.room.openPeer(quiet)))
  expect(await viewersOf(world)).toEqual([100, 0])
  expect(await roomsOf(world)).toEqual([1, 0])
})

it('[SFU-1707] a worker that is killed costs its viewers alone, who come back at once on another one; others miss no packet', async () => {
  await using world = await twoWorkers()
  const first = await join(world)
  await flows(first)
  await isMeasured(world)
  const second = await join(world)
  await flows(second)
  const events: string[] = []
  world.room.onEvent(({ on }) => events.push(on))
  const [pid] = (await world.sfu.workers()).map((worker) => worker.pid)
  const ended = endOf(first.peer)
  process.kill(pid ?? 0, 'SIGKILL')
  expect(await ended).toBe('worker')
  const killedAt = performance.now()
  const again = await join(world)
  await flows(again, 0)
  expect(performance.now() - killedAt).toBeLessThan(2_000)
  await flows(second)
  expect(second.viewer.missing).toBe(0)
  expect(second.peer.state).toBe('connected')
  expect(events).toEqual([])
  expect(world.room.peers.size).toBe(2)
  await Promise.all([first, second, again].map(({ viewer }) => viewer[Symbol.asyncDispose]()))
})

it('[SFU-1708] a worker that has no viewer of a room any more gives it up, but for the last one', async () => {
  await using world = await twoWorkers()
  const first = await join(world)
  await flows(first)
  await isMeasured(world)
  const second = await join(world)
  expect(await roomsOf(world)).toEqual([1, 1])
  second.peer.close()
  await until(async () => (await roomsOf(world)).join() === '1,0', { ms: patienceMs, what: 'the second worker to be free' })
  first.peer.close()
  const third = await join(world)
  await flows(third)
  expect(world.room.isUp).toBe(true)
  await Promise.all([first, second, third].map(({ viewer }) => viewer[Symbol.asyncDispose]()))
})
