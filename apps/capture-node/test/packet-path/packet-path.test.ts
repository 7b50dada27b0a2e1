import { until } from '@neko-edge/kit'
import { expect, it, vi } from 'vitest'
import { nodeFamilies } from '../../src/room/metrics.ts'
import { workerBin } from '../sfu/room.ts'
import * as check from './packet-check.ts'
import { PacketRoom } from './packet-room.ts'
import { checkThinPathInNamespace } from './thin-path.ts'

vi.setConfig({ testTimeout: 90_000 })

it('[SFU-1200] every payload arrives as it was sent, in order, none lost, by each SRTP profile in both roles of DTLS', async () => {
  const { wrong, report } = await check.checkPayloads({ workerBin, viewers: 12, ms: 1_500 })
  expect(wrong).toEqual([])
  expect(report.packets).toBeGreaterThan(1_000)
})

it('[SFU-1201] of 2 % loss nothing is left: what is sent again is what it was', async () => {
  const { wrong } = await check.checkLosses({ workerBin, viewers: 8, ms: 1_500 })
  expect(wrong).toEqual([])
})

it('[SFU-1202] sequence numbers begin again at 0, and no viewer notices', async () => {
  const { wrong } = await check.checkRollover({ workerBin })
  expect(wrong).toEqual([])
})

it('[SFU-1203] a change of the layer begins with a key frame, and every layer is whole', async () => {
  const { wrong } = await check.checkLayers({ workerBin, viewers: 4, ms: 500 })
  expect(wrong).toEqual([])
})

it('[SFU-1204] slow receivers cost nobody else a packet', async () => {
  const { wrong } = await check.checkSlowReceivers({ workerBin, viewers: 4, ms: 1_500 })
  expect(wrong).toEqual([])
})

it('[SFU-1205] viewers come and go with frames on their way, and those who stay lose nothing', async () => {
  const { wrong } = await check.checkDepartures({ workerBin, viewers: 6, ms: 1_000 })
  expect(wrong).toEqual([])
})

it('[SFU-1206] a room closes with frames on their way, and the next one on its worker loses nothing', async () => {
  const { wrong } = await check.checkClosedRooms({ workerBin, viewers: 6, ms: 800 })
  expect(wrong).toEqual([])
})

it('[SFU-1207] over a path that takes half of what is sent, everything arrives late, whole and in order', async () => {
  const { wrong } = await checkThinPathInNamespace({ workerBin, viewers: 10, ms: 1_500 })
  expect(wrong).toEqual([])
})

it('[SFU-1208] automatic quality comes and goes on one transport: feedback only while it is on, and what is asked for by name comes at once', async () => {
  await using room = await PacketRoom.open({ workerBin, initialBitrate: 2_000_000 })
  const { peer, id } = await room.join()
  const offers: boolean[] = []
  peer.onEvent((event) => {
    if (event.on === 'offer') {
      offers.push(event.offer.sdp.includes('transport-cc'))
      void peer.answer(room.viewers.rewatch(id, event.offer.sdp))
    }
  })
  const arrives = async (packets: number) => {
    room.viewers.reset()
    await until(async () => (await room.viewers.report()).packets > packets, { ms: 20_000, what: `${packets} packets` })
    return room.viewers.report()
  }
  room.high.start()
  room.low.start()
  expect((await arrives(100)).feedbacks).toBe(0)
  await peer.setVideo({ auto: true })
  await until(async () => (await peer.stats()).availableBitrate > 0, { ms: 20_000, what: 'an estimate' })
  expect((await arrives(100)).feedbacks).toBeGreaterThan(0)
  // Half of it lost: the estimate falls until the lower rung is what is left.
  room.viewers.setLoss(0.5)
  await until(() => peer.video.id === 'low', { ms: 40_000, what: 'the lower rung' })
  room.viewers.setLoss(0)
  await peer.setVideo({ id: 'high', auto: false })
  await until(() => offers.length === 2, { ms: 20_000, what: 'an offer without transport-cc' })
  expect((await arrives(400)).feedbacks).toBe(0)
  expect(offers).toEqual([true, false])
  expect(peer.video).toEqual({ disabled: false, id: 'high', auto: false })
  const { outOfPlace, damaged, lost } = await room.viewers.report()
  expect([outOfPlace, damaged, lost]).toEqual([0, 0, 0])
})

it('[SFU-1209] metrics say which worker runs, and what a fast one has sent', async () => {
  await using room = await PacketRoom.open({ workerBin })
  await room.joinMany(3)
  room.high.start()
  await until(async () => (await room.viewers.report()).packets > 300, { ms: 20_000, what: 'packets' })
  const families = await nodeFamilies({
    capture: { numbers: () => [], screencast: { images: 0 } as never },
    peers: () => [],
    workers: () => room.sfu.workers(),
    relays: () => Promise.resolve([]),
    ignoredMessages: () => 0,
  })
  const samples = (name: string) => families.find((family) => family.name === `neko_edge_worker_${name}`)?.samples ?? []
  const [info] = samples('info')
  const [worker] = await room.sfu.workers()
  expect(info).toMatchObject({ labels: { worker: '0', flavour: worker?.counters ? 'fast' : 'stock' }, value: 1 })
  const [datagrams] = samples('datagrams_total')
  if (worker?.counters) {
    const batches = samples('batches_total')
    expect(batches.map(({ labels }) => labels['segments'])).toEqual(['1', '2', '3-4', '5-8', '9-16'])
    expect(datagrams?.value).toBeGreaterThan(300)
    expect(samples('send_calls_total')[0]?.value).toBeLessThan(datagrams?.value ?? 0)
  } else {
    expect(datagrams).toBeUndefined()
  }
})
