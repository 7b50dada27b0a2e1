import type { Loaded } from '@neko-edge/config'
import { type Log, type LogLevel, NekoError, silentLog } from '@neko-edge/kit'
import { openDataFolder, runFolder } from './folder.ts'
import { runUntilStopped } from './life.ts'
import { logFile } from './log-file.ts'
import { readOptions } from './options.ts'
import { readyVariable } from './readiness.ts'
import { textLog } from './text-log.ts'

/* The commands that run until they are stopped. What each needs is loaded with it: the supervisor stays small. */

export async function runServe(argv: readonly string[]): Promise<undefined> {
  const { loaded, log } = begin(argv)
  const { serve, welcome } = await import('./serve.ts')
  await runUntilStopped(
    () => serve({ config: loaded.config, argv, log }),
    log,
    () => process.stderr.write(welcome(loaded.config)),
  )
}

export async function runControlPlane(argv: readonly string[]): Promise<undefined> {
  const { loaded, log } = begin(argv)
  const { startControlPlane } = await import('../../control-plane/src/main.node.ts')
  await runUntilStopped(() => startControlPlane({ config: loaded.config, redisUrl: redisUrl(loaded), log }), log)
}

export async function runCaptureNode(argv: readonly string[]): Promise<undefined> {
  const { loaded, log } = begin(argv)
  const { config } = loaded
  const { startCaptureNode } = await import('../../capture-node/src/main.ts')
  const { sfuWorker } = await import('./sfu-worker.ts')
  const workerBin = await sfuWorker(config.sfu.worker, log)
  const dataFolder = await openDataFolder(config.data.dir)
  const folder = await runFolder()
  await runUntilStopped(() => startCaptureNode({ config, redisUrl: redisUrl(loaded), dataFolder, runFolder: folder, workerBin, log }), log)
}

/** The configuration of a server process, and its log, in which everything odd about the configuration is said once. */
function begin(argv: readonly string[]): { loaded: Loaded; log: Log } {
  const loaded = readOptions(argv)
  const { log: style, debug } = loaded.config
  const isFirst = process.env[readyVariable] === undefined
  const write = style.dir === '' ? (line: string) => process.stderr.write(line) : logFile(style.dir, { isFirst })
  const isColoured = style.dir === '' && process.stderr.isTTY && !style.nocolor && !process.env['NO_COLOR']
  const isSilent = style.level === 'disabled' && !debug
  const log = isSilent
    ? silentLog
    : textLog(write, { level: debug ? 'debug' : levelOf(style.level), json: style.json, colour: isColoured, time: style.time })
  if (isFirst) {
    for (const notice of loaded.notices) {
      log.warn({}, notice)
    }
  }
  return { loaded, log }
}

/** Upstream's levels have the names of its library; ours are four. */
function levelOf(name: string): LogLevel {
  switch (name) {
    case 'trace':
    case 'debug':
      return 'debug'
    case 'warn':
      return 'warn'
    case 'error':
    case 'fatal':
    case 'panic':
      return 'error'
    default:
      return 'info'
  }
}

function redisUrl({ config }: Loaded): string {
  if (config.redis.url === '') {
    throw new NekoError(
      'invalid',
      'set NEKO_REDIS_URL to the Redis that the processes share, or run everything on one machine with neko serve',
    )
  }
  return config.redis.url
}
