import { mkdir } from 'node:fs/promises'
import { createConnection } from 'node:net'
import { join } from 'node:path'
import { type Log, systemClock, until } from '@neko-edge/kit'
import { Supervised, spawnChild } from '@neko-edge/process'

export interface PrivateRedis extends AsyncDisposable {
  /** What the other processes are given as NEKO_REDIS_URL. */
  readonly url: string
  readonly pid: () => number | undefined
}

/**
 * A Redis of this server alone, on a unix socket: what it knows is written to an append-only file in the data directory each
 * second, so that sessions and settings survive a restart and a kill.
 */
export async function startRedis({
  dataFolder,
  runFolder,
  log,
}: {
  dataFolder: string
  runFolder: string
  log: Log
}): Promise<PrivateRedis> {
  const directory = join(dataFolder, 'redis')
  await mkdir(directory, { recursive: true, mode: 0o700 })
  const socket = join(runFolder, 'redis.sock')
  const supervised = await Supervised.start({
    name: 'redis',
    clock: systemClock,
    log,
    spawn: () =>
      spawnChild({
        name: 'redis-server',
        command: ['redis-server', ...redisOptions(socket, directory)],
        env: {},
        log,
        aptPackage: 'redis-server',
        graceMs: 2_000,
      }),
    ready: async (_, signal) =>
      void (await until(async () => signal.aborted || (await isListening(socket)), { ms: 10_000, what: 'the private redis', everyMs: 5 })),
  })
  return {
    url: `unix://${socket}`,
    pid: () => supervised.pid,
    [Symbol.asyncDispose]: () => supervised[Symbol.asyncDispose](),
  }
}

const redisOptions = (socket: string, directory: string) => [
  ...['--port', '0', '--unixsocket', socket, '--unixsocketperm', '700'],
  ...['--dir', directory, '--appendonly', 'yes', '--appendfsync', 'everysec', '--save', ''],
  ...['--loglevel', 'warning', '--databases', '1'],
]

/** Whether Redis takes commands: while it loads its file it takes connections, and says LOADING. */
function isListening(socket: string): Promise<boolean> {
  return new Promise((resolve) => {
    const connection = createConnection(socket)
    connection.setTimeout(1_000, () => connection.destroy())
    connection.on('connect', () => connection.write('PING\r\n'))
    connection.on('data', (data) => {
      resolve(data.toString().startsWith('+PONG'))
      connection.destroy()
    })
    connection.on('error', () => resolve(false))
    connection.on('close', () => resolve(false))
  })
}
