import { expect, test } from 'vitest'
import { type Placed, programLoads, total } from './program-load.ts'

const second = 1_000_000
const placed = (pid: number, fields: Partial<Placed>): Placed => ({
  pid,
  parent: 1,
  name: 'neko-server',
  cpuUs: 0,
  systemUs: 0,
  rssBytes: 0,
  pssBytes: 0,
  part: 'server',
  captureUs: 0,
  ...fields,
})

test('[TST-13] CPU is the difference of two snapshots, and a process that is new counts from nothing', () => {
  const before = [placed(1, { name: 'redis-server', cpuUs: 500_000 })]
  const after = [placed(1, { name: 'redis-server', cpuUs: 600_000 }), placed(2, { name: 'redis-server', cpuUs: 50_000, pssBytes: 2 ** 20 })]
  expect(programLoads(before, after, second)).toEqual([{ program: 'redis-server', part: 'server', processes: 2, cpu: 15, memoryMb: 1 }])
})

test('[TST-13] encoder threads inside of a server count as capture, and not twice', () => {
  const loads = programLoads([placed(1, {})], [placed(1, { cpuUs: 400_000, captureUs: 300_000 })], second)
  expect(total(loads, 'server').cpu).toBe(10)
  expect(total(loads, 'capture').cpu).toBe(30)
})
