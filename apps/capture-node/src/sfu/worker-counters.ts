import { open, readdir, readlink } from 'node:fs/promises'
import { join } from 'node:path'

/** What a fast worker has counted since it started; `infra/worker/recipe/src/Counters.hpp` says what each is. */
export interface WorkerCounters {
  /** Which AES-GCM protects outgoing RTP. */
  readonly aead: 'openssl' | 'ipsec-mb'
  readonly datagrams: number
  readonly bytes: number
  readonly batches: number
  /** Batches with 1, 2, 3–4, 5–8 and 9–16 segments. */
  readonly batchesBySegments: readonly number[]
  readonly calls: number
  readonly fallbacks: number
  readonly again: number
  readonly backlogged: number
  readonly dropped: number
  readonly failed: number
  readonly holds: number
  readonly holdsExpired: number
  readonly strangers: number
  readonly forged: number
}

const memory = 'memfd:neko-edge-worker-counters'
const version = 2
const segmentClasses = 5
const words = 20

/**
 * The counters of the worker with this pid, out of the memory that it shares. `undefined`: a stock worker, which has none, one that is
 * gone, or one of another version.
 */
export async function workerCounters(pid: number): Promise<WorkerCounters | undefined> {
  try {
    const path = await sharedMemory(pid)
    return path === undefined ? undefined : await read(path)
  } catch (error) {
    // The worker has ended, or closed a descriptor while we went through them.
    if (error instanceof Error && 'code' in error) {
      return undefined
    }
    throw error
  }
}

/** The descriptor is one of the worker's first: it opens it before any socket. */
async function sharedMemory(pid: number): Promise<string | undefined> {
  const folder = `/proc/${pid}/fd`
  const descriptors = (await readdir(folder)).sort((a, b) => Number(a) - Number(b))
  for (const descriptor of descriptors) {
    const path = join(folder, descriptor)
    const target = await readlink(path).catch(() => '')
    if (target.includes(memory)) {
      return path
    }
  }
  return undefined
}

async function read(path: string): Promise<WorkerCounters | undefined> {
  await using file = await open(path)
  const { buffer, bytesRead } = await file.read(Buffer.alloc(words * 8), 0, words * 8, 0)
  const word = Array.from({ length: words }, (_, index) => Number(buffer.readBigUInt64LE(index * 8)))
  const [found, provider, datagrams, bytes, batches, ...rest] = word
  if (bytesRead < buffer.length || found !== version) {
    return undefined
  }
  const [calls, fallbacks, again, backlogged, dropped, failed, holds, holdsExpired, strangers, forged] = rest.slice(segmentClasses)
  return {
    aead: provider === 2 ? 'ipsec-mb' : 'openssl',
    datagrams: datagrams ?? 0,
    bytes: bytes ?? 0,
    batches: batches ?? 0,
    batchesBySegments: rest.slice(0, segmentClasses),
    calls: calls ?? 0,
    fallbacks: fallbacks ?? 0,
    again: again ?? 0,
    backlogged: backlogged ?? 0,
    dropped: dropped ?? 0,
    failed: failed ?? 0,
    holds: holds ?? 0,
    holdsExpired: holdsExpired ?? 0,
    strangers: strangers ?? 0,
    forged: forged ?? 0,
  }
}
