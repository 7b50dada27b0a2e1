import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, test, vi } from 'vitest'
import { cachedWorker, type Flavour, findWorker, workerBinary } from './locate.ts'

const root = join(import.meta.dirname, '../..')

afterEach(() => {
  vi.unstubAllEnvs()
})

test.for<Flavour>(['fast', 'stock'])('[INF-4] set-up and the server look for the %s worker in the same place', (flavour) => {
  const script = `cache=/c/neko-edge; . infra/setup/worker.sh; worker_path ${flavour}`
  vi.stubEnv('XDG_CACHE_HOME', '/c')
  expect(execFileSync('sh', ['-c', script], { cwd: root, encoding: 'utf8' }).trim()).toBe(cachedWorker(flavour))
})

test('[INF-5] MEDIASOUP_WORKER_BIN wins; without it and without a cached worker there is none', () => {
  vi.stubEnv('XDG_CACHE_HOME', '/nowhere')
  vi.stubEnv('MEDIASOUP_WORKER_BIN', '/opt/worker')
  expect(workerBinary()).toBe('/opt/worker')
  vi.stubEnv('MEDIASOUP_WORKER_BIN', '')
  expect(workerBinary()).toBeUndefined()
})

test('[INF-1100] the fast worker where it was built, else the stock one that is there', () => {
  const cache = mkdtempSync(join(tmpdir(), 'neko-cache-'))
  try {
    vi.stubEnv('XDG_CACHE_HOME', cache)
    vi.stubEnv('MEDIASOUP_WORKER_BIN', '')
    for (const flavour of ['stock', 'fast'] as const) {
      mkdirSync(join(cachedWorker(flavour), '..'), { recursive: true })
      writeFileSync(cachedWorker(flavour), '')
      expect(findWorker()).toEqual({ path: cachedWorker(flavour), why: expect.stringContaining(`the ${flavour} one`) })
    }
  } finally {
    rmSync(cache, { recursive: true })
  }
})
