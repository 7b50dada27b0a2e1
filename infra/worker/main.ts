/**
 * `node infra/worker/main.ts build [fast | stock] | download`: obtains a mediasoup worker, verifies it and puts it into the cache, where
 * `locate.ts` finds it. `infra/setup` calls it after `npm ci` where no worker is there yet. Progress goes to stdout; on failure the exit
 * code is 1, nothing is cached and the log that the last line names is kept.
 *
 * `node infra/worker/main.ts sanitized PATH`: the fast worker with the address and undefined-behaviour sanitizers, for tests by hand; at
 * PATH, with the build's folder and log beside it.
 */
import { copyFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { buildWorker } from './build.ts'
import { obtainWorker, type Way } from './obtain.ts'

let printed = -1

const [verb, path] = process.argv.slice(2)
const way = wayOf(process.argv.slice(2))
const isSanitized = verb === 'sanitized' && path !== undefined
if (way === undefined && !isSanitized) {
  process.stderr.write('usage: node infra/worker/main.ts build [fast | stock] | download | sanitized PATH\n')
  process.exit(2)
}
try {
  await (way ? obtainWorker(way, printPercent) : sanitized(resolve(path ?? '')))
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
  process.exitCode = 1
}

async function sanitized(to: string): Promise<void> {
  const options = { flavour: 'fast', isSanitized: true, folder: `${to}.build`, logFile: `${to}.log`, onProgress: printPercent } as const
  copyFileSync(await buildWorker(options), to)
}

function wayOf([name, flavour = name === 'build' ? 'fast' : 'stock']: readonly string[]): Way | undefined {
  if (name === 'build' && (flavour === 'fast' || flavour === 'stock')) {
    return { way: 'build', flavour }
  }
  return name === 'download' && flavour === 'stock' ? { way: 'download', flavour } : undefined
}

/** One line that counts up on a terminal; elsewhere one line for every tenth. */
function printPercent(percent: number): void {
  const shown = process.stdout.isTTY ? percent : percent - (percent % 10)
  if (shown > printed) {
    printed = shown
    process.stdout.write(process.stdout.isTTY ? `\r  compiling ${shown} %${shown === 100 ? '\n' : ''}` : `  compiling ${shown} %\n`)
  }
}
