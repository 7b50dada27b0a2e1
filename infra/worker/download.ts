import { closeSync, existsSync, openSync } from 'node:fs'
import { join } from 'node:path'
import { run } from './command.ts'
import { mediasoupFolder } from './locate.ts'

const limitMs = 60_000

/**
 * mediasoup's own prebuilt worker, fetched by the install script of its package, and its path. Throws when it can not be had.
 * Where that script finds no prebuilt one it would go on to download tools and build with them, for minutes and to no end on the
 * machines that get here: without a Python it gives up at once.
 */
export async function downloadWorker(logFile: string): Promise<string> {
  const log = openSync(logFile, 'a')
  try {
    const options = { cwd: mediasoupFolder, env: { ...process.env, PYTHON: 'false' }, timeout: limitMs }
    await run(process.execPath, ['npm-scripts.mjs', 'postinstall'], { log, options })
  } finally {
    closeSync(log)
  }
  const path = join(mediasoupFolder, 'worker', 'out', 'Release', 'mediasoup-worker')
  if (!existsSync(path)) {
    throw new Error('mediasoup offers no prebuilt worker for this machine')
  }
  return path
}
