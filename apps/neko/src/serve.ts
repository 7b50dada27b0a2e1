import { rm } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { type Config, printBind } from '@neko-edge/config'
import { type Log, NekoError, systemClock } from '@neko-edge/kit'
import { type Child, Supervised, spawnChild } from '@neko-edge/process'
import { openDataFolder, runFolder } from './folder.ts'
import { readyVariable } from './readiness.ts'
import { startRedis } from './redis-server.ts'
import { provideWorker } from './sfu-worker.ts'

const main = fileURLToPath(new URL('main.ts', import.meta.url))

/** How long the parts may take to their first start, in milliseconds: a slow machine makes its list of GStreamer plugins. */
const startMs = 90_000

/**
 * Everything on one machine: a private Redis, one control plane and one capture node, the same processes as in a fleet, each
 * started again when it dies. Fails, with nothing left running, when one of them can not start at all.
 */
export async function serve({ config, argv, log }: { config: Config; argv: readonly string[]; log: Log }): Promise<AsyncDisposable> {
  // Before a capture node has to be ready in time.
  await provideWorker(config.sfu.worker, log)
  await using opening = new AsyncDisposableStack()
  const dataFolder = await openDataFolder(config.data.dir)
  const folder = await runFolder()
  opening.defer(() => rm(folder, { recursive: true, force: true }))
  const redisUrl = config.redis.url === '' ? opening.use(await startRedis({ dataFolder, runFolder: folder, log })).url : config.redis.url
  const parts = await Promise.allSettled(
    (['control-plane', 'capture-node'] as const).map((name) => startPart(name, { argv, redisUrl, log })),
  )
  for (const part of parts) {
    part.status === 'fulfilled' && opening.use(part.value)
  }
  if (parts.some(({ status }) => status === 'rejected')) {
    throw new NekoError('unavailable', 'neko-edge did not start: see the line above')
  }
  return opening.move()
}

function startPart(
  name: 'control-plane' | 'capture-node',
  { argv, redisUrl, log }: { argv: readonly string[]; redisUrl: string; log: Log },
): Promise<Supervised> {
  return Supervised.start({
    name,
    clock: systemClock,
    log,
    readyMs: startMs,
    spawn: () =>
      spawnChild({
        name,
        command: [process.execPath, main, name, ...argv],
        env: { ...ownEnvironment(), NEKO_REDIS_URL: redisUrl, [readyVariable]: '3' },
        cwd: process.cwd(),
        extraPipes: 1,
        stderr: 'inherit',
        graceMs: 4_000,
        log,
      }),
    ready,
  })
}

/** A part says that it is ready by its first byte on the pipe that it was given. */
function ready(child: Child, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    child.pipes[0]?.once('data', () => resolve())
    signal.addEventListener('abort', () => reject(new NekoError('unavailable', `${child.name} ended before it was ready`)))
  })
}

const ownEnvironment = (): Record<string, string> =>
  Object.fromEntries(Object.entries(process.env).flatMap(([key, value]) => (value === undefined ? [] : [[key, value]])))

/** What somebody who started the server wants to know: where to go, and how to come in. */
export function welcome(config: Config): string {
  const { bind, cert, pathPrefix } = config.server
  const address =
    bind.kind === 'unix'
      ? printBind(bind)
      : `${cert === '' ? 'http' : 'https'}://${printBind(bind.host === '' ? { ...bind, host: 'localhost' } : bind)}${pathPrefix}`
  const { provider, multiuser } = config.member
  const isDefault = multiuser.userPassword === 'neko' && multiuser.adminPassword === 'admin'
  const passwords =
    provider === 'multiuser' && isDefault ? '\n  any name; password "neko" to watch and take part, "admin" to run the room' : ''
  return `\n  neko-edge is ready: ${address}${passwords}\n\n`
}
