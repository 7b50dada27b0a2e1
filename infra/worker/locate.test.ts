import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { afterEach, expect, test, vi } from 'vitest'
import { cachedWorker, workerBinary } from './locate.ts'

const root = join(import.meta.dirname, '../..')

afterEach(() => {
  vi.unstubAllEnvs()
})

test('[INF-4] set-up and the server look for the worker in the same place', () => {
  const script = 'cache=/c/neko-edge; . infra/setup/worker.sh; worker_path'
  vi.stubEnv('XDG_CACHE_HOME', '/c')
  expect(execFileSync('sh', ['-c', script], { cwd: root, encoding: 'utf8' }).trim()).toBe(cachedWorker())
})

test('[INF-5] MEDIASOUP_WORKER_BIN wins; without it and without a cached worker there is none', () => {
  vi.stubEnv('XDG_CACHE_HOME', '/nowhere')
  vi.stubEnv('MEDIASOUP_WORKER_BIN', '/opt/worker')
  expect(workerBinary()).toBe('/opt/worker')
  vi.stubEnv('MEDIASOUP_WORKER_BIN', '')
  expect(workerBinary()).toBeUndefined()
})
