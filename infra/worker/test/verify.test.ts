import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { assert, expect, test } from 'vitest'
import { workerBinary } from '../locate.ts'
import { verifyWorker } from '../verify.ts'

test('[INF-6] the worker that set-up left carries a packet from RTP to a peer’s SRTP', async () => {
  const worker = workerBinary()
  assert(worker, 'no mediasoup worker here: npm run setup')
  await verifyWorker(worker)
})

test('[INF-7] a program that is no worker, and one that dies, are refused', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'neko-worker-'))
  try {
    const program = join(folder, 'mediasoup-worker')
    writeFileSync(program, '#!/bin/sh\nexit 3\n')
    chmodSync(program, 0o755)
    await expect(verifyWorker(program)).rejects.toThrow('code:3')
    await expect(verifyWorker(join(folder, 'missing'))).rejects.toThrow('ENOENT')
  } finally {
    rmSync(folder, { recursive: true })
  }
})
