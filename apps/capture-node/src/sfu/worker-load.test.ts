import { describe, expect, it } from 'vitest'
import { WorkerLoad, windowMs } from './worker-load.ts'

/** A worker that has used so much of a core for six seconds. */
function busy(share: number): WorkerLoad {
  const load = new WorkerLoad()
  for (let at = 0; at <= 6_000; at += 1_000) {
    load.note({ at, cpuMs: share * at })
  }
  return load
}

describe('the load of a worker', () => {
  it('[SFU-1700] is what it used over the last seconds, not what it used since its start', () => {
    expect(new WorkerLoad().share(0, 0)).toBe(0)
    expect(busy(0.5).share(6_000, 10)).toBeCloseTo(0.5)
    const load = busy(0.9)
    for (let at = 7_000; at <= 6_000 + windowMs + 1_000; at += 1_000) {
      load.note({ at, cpuMs: 5_400 })
    }
    expect(load.share(11_000, 10)).toBe(0)
  })

  it('[SFU-1701] counts those who have just come, each for what the others cost, until they are measured', () => {
    const load = busy(0.5)
    for (let index = 0; index < 50; index++) {
      load.arrive(6_000)
    }
    expect(load.share(6_000, 150)).toBeCloseTo(0.5 + 50 * 0.005)
    expect(load.share(6_000 + windowMs, 150)).toBeCloseTo(0.5)
    const idle = new WorkerLoad()
    idle.arrive(0)
    expect(idle.share(0, 1)).toBeCloseTo(0.001)
  })

  it('[SFU-1702] begins anew with a new run of the program', () => {
    const load = busy(0.5)
    load.note({ at: 7_000, cpuMs: 10 })
    expect(load.share(7_000, 1)).toBe(0)
    load.note({ at: 8_000, cpuMs: 110 })
    expect(load.share(8_000, 1)).toBeCloseTo(0.1)
  })
})
