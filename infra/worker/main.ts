/**
 * `node infra/worker/main.ts build | download`: obtains a mediasoup worker, verifies it and puts it into the cache, where `locate.ts`
 * finds it. `infra/setup` calls it after `npm ci` where no worker is there yet. Progress goes to stdout; on failure the exit code is 1,
 * nothing is cached and the log that the last line names is kept.
 */
import { copyFileSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { buildWorker } from './build.ts'
import { downloadWorker } from './download.ts'
import { cachedWorker, cacheFolder } from './locate.ts'
import { verifyWorker } from './verify.ts'

const ways = {
  build: (logFile: string) => buildWorker({ folder: join(cacheFolder(), 'worker', 'build'), logFile, onProgress: printPercent }),
  download: downloadWorker,
}

let printed = -1

const way = process.argv[2]
if (way !== 'build' && way !== 'download') {
  process.stderr.write('usage: node infra/worker/main.ts build | download\n')
  process.exit(2)
}
process.exitCode = await obtain(way)

async function obtain(chosen: keyof typeof ways): Promise<0 | 1> {
  const logFile = join(cacheFolder(), 'log', `worker-${chosen}.log`)
  mkdirSync(dirname(logFile), { recursive: true })
  writeFileSync(logFile, '')
  try {
    const fresh = await ways[chosen](logFile)
    await verifyWorker(fresh)
    keep(fresh)
    return 0
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error)
    writeFileSync(logFile, `${text}\n`, { flag: 'a' })
    process.stderr.write(`the mediasoup worker could not be had (${chosen}): ${text}\nlog: ${logFile}\n`)
    return 1
  } finally {
    rmSync(join(cacheFolder(), 'worker', 'build'), { recursive: true, force: true })
  }
}

/** Into the cache by a rename, so that nobody ever finds half a file there. */
function keep(fresh: string): void {
  const place = cachedWorker()
  mkdirSync(dirname(place), { recursive: true })
  const half = `${place}.${process.pid}`
  copyFileSync(fresh, half)
  renameSync(half, place)
}

/** One line that counts up on a terminal; elsewhere one line for every tenth. */
function printPercent(percent: number): void {
  const shown = process.stdout.isTTY ? percent : percent - (percent % 10)
  if (shown > printed) {
    printed = shown
    process.stdout.write(process.stdout.isTTY ? `\r  compiling ${shown} %${shown === 100 ? '\n' : ''}` : `  compiling ${shown} %\n`)
  }
}
