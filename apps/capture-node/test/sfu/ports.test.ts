import { until } from '@neko-edge/kit'
import { freeTcpPort, freeUdpPort } from '@neko-edge/testing'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { openMediasoupSfu } from '../../src/sfu/mediasoup-sfu.ts'
import type { Peer, PeerOptions } from '../../src/sfu/sfu.ts'
import { ChromiumPeer, openChromium } from './chromium-peer.ts'
import { keptLog, patienceMs, testRoom, workerBin } from './room.ts'

vi.setConfig({ testTimeout: 3 * patienceMs, hookTimeout: patienceMs })

const v3: PeerOptions = { kind: 'v3', canShare: false }
const candidates = (peer: Peer) =>
  peer.offer.candidates
    .map((one) => one.candidate.split(' ').slice(2, 6))
    .map(([protocol, , address, port]) => `${protocol} ${address} ${port}`)

let browser: Awaited<ReturnType<typeof openChromium>>
beforeAll(async () => {
  browser = await openChromium()
})
afterAll(() => browser[Symbol.asyncDispose]())

async function watches(peer: Peer): Promise<void> {
  const viewer = await ChromiumPeer.open(browser.context)
  await viewer.join(peer)
  await until(async () => (await viewer.video()).framesDecoded > 5, { ms: patienceMs, what: 'decoded frames' })
}

it('[SFU-23] fixed ports: all viewers of a worker on one UDP and one TCP port', async () => {
  const [udp, tcp] = [await freeUdpPort(), await freeTcpPort()]
  await using world = await testRoom({ ports: { listenIp: '127.0.0.1', udp, tcp } })
  const [one, other] = [await world.room.openPeer(v3), await world.room.openPeer(v3)]
  expect(candidates(one)).toEqual([`udp 127.0.0.1 ${udp}`, `tcp 127.0.0.1 ${tcp}`])
  expect(candidates(other)).toEqual(candidates(one))
  await watches(one)
  await watches(other)
})

it('[SFU-24] a TCP port alone means TCP only, and it works', async () => {
  const tcp = await freeTcpPort()
  await using world = await testRoom({ ports: { listenIp: '127.0.0.1', tcp } })
  const peer = await world.room.openPeer(v3)
  expect(candidates(peer)).toEqual([`tcp 127.0.0.1 ${tcp}`])
  await watches(peer)
  expect((await peer.stats()).protocol).toBe('tcp')
})

it('[SFU-25] a range: the port lies in it, one a worker', async () => {
  await using world = await testRoom({ workers: 2, ports: { listenIp: '127.0.0.1', range: { min: 52_000, max: 52_003 } } })
  const rooms = [world.room, await world.sfu.openRoom(world.sources)]
  const used = await Promise.all(rooms.map(async (room) => candidates(await room.openPeer(v3))))
  const ports = used.flat().map((one) => Number(one.split(' ')[2]))
  expect(ports.every((port) => port >= 52_000 && port <= 52_003)).toBe(true)
  expect(new Set(ports).size).toBe(2)
  expect((await world.sfu.workers()).map((one) => one.rooms)).toEqual([1, 1])
})

it('[SFU-26] every announced address is a candidate, in order of priority', async () => {
  await using world = await testRoom({ announced: ['203.0.113.7', 'media.example.org', '203.0.113.7'] })
  const peer = await world.room.openPeer(v3)
  expect(candidates(peer).map((one) => one.split(' ')[1])).toEqual(['203.0.113.7', 'media.example.org'])
  const priorities = peer.offer.candidates.map((one) => Number(one.candidate.split(' ')[3]))
  expect(priorities).toEqual(priorities.toSorted((a, b) => b - a))
})

it('[SFU-27] a port that is taken, or a program that is missing: one error that names it, and nothing is left running', async () => {
  const udp = await freeUdpPort()
  await using world = await testRoom({ ports: { listenIp: '127.0.0.1', udp } })
  const { log } = keptLog()
  const common = { announced: ['127.0.0.1'], log, workerBin }
  await expect(openMediasoupSfu({ ...common, workers: 2, ports: { listenIp: '127.0.0.1', udp: udp - 1 } })).rejects.toMatchObject({
    code: 'unavailable',
    message: expect.stringContaining(`udp ${udp} (option webrtc.udpmux)`),
  })
  await expect(openMediasoupSfu({ ...common, workerBin: '/nowhere/mediasoup-worker', ports: {} })).rejects.toMatchObject({
    code: 'unavailable',
    message: expect.stringContaining('/nowhere/mediasoup-worker'),
  })
  expect((await world.sfu.workers()).length).toBe(1)
})
