import { copyFileSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { buildWorker } from './build.ts'
import { downloadWorker } from './download.ts'
import { cachedWorker, cacheFolder, type Flavour } from './locate.ts'
import { verifyWorker } from './verify.ts'

/** Ways to a worker. What mediasoup offers for download is a stock one. */
export type Way = { readonly way: 'build'; readonly flavour: Flavour } | { readonly way: 'download'; readonly flavour: 'stock' }

/**
 * Obtains a mediasoup worker, verifies it, puts it into the cache and gives its path there. Throws when it can not be had: nothing is
 * cached then, and the log that the message names is kept.
 */
export async function obtainWorker(way: Way, onProgress: (percent: number) => void): Promise<string> {
  // The number of the process: two may be at it at once.
  const folder = join(cacheFolder(), 'worker', `build-${way.flavour}-${process.pid}`)
  const logFile = join(cacheFolder(), 'log', `worker-${way.way}-${way.flavour}.log`)
  mkdirSync(dirname(logFile), { recursive: true })
  writeFileSync(logFile, '')
  try {
    const fresh =
      way.way === 'build' ? await buildWorker({ flavour: way.flavour, folder, logFile, onProgress }) : await downloadWorker(logFile)
    await verifyWorker(fresh)
    return keep(fresh, cachedWorker(way.flavour))
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error)
    writeFileSync(logFile, `${text}\n`, { flag: 'a' })
    throw new Error(`the ${way.flavour} mediasoup worker could not be had (${way.way}): ${text}\nlog: ${logFile}`, { cause: error })
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Into the cache by a rename, so that nobody ever finds half a file there. */
function keep(fresh: string, place: string): string {
  mkdirSync(dirname(place), { recursive: true })
  const half = `${place}.${process.pid}`
  copyFileSync(fresh, half)
  renameSync(half, place)
  return place
}
