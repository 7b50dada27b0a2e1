import { expect, it, vi } from 'vitest'
import { workerBin } from '../sfu/room.ts'
import * as check from './packet-check.ts'
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
