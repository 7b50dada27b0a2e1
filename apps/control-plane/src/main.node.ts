import { once } from 'node:events'
import { chmod, lstat, rm } from 'node:fs/promises'
import { createServer as createHttpServer, type IncomingMessage, type Server } from 'node:http'
import { createServer as createHttpsServer, Server as HttpsServer } from 'node:https'
import { connect } from 'node:net'
import { fileURLToPath } from 'node:url'
import { createAdaptorServer, upgradeWebSocket, type WebSocketServerLike } from '@hono/node-server'
import { getConnInfo } from '@hono/node-server/conninfo'
import { type Bind, type Config, printBind } from '@neko-edge/config'
import { type Clock, errorCode, type Log, NekoError, systemClock } from '@neko-edge/kit'
import { type WebSocket, WebSocketServer } from 'ws'
import { openControlPlane } from './control-plane.ts'
import { followCertificate, readCertificate } from './runtime/certificate.ts'
import { files } from './runtime/files.ts'
import { profiler } from './runtime/profiler.ts'
import { type Probe, upgradeWith } from './runtime/websocket.ts'
import type { Runtime } from './runtime.ts'
import { maxFrame } from './session/socket-life.ts'

/** The built web client, beside this app. */
const ownClient = fileURLToPath(new URL('../../web/dist', import.meta.url))

const runtime: Runtime = {
  // node-server hands out the sockets of the WebSocketServer below: they are ws's.
  upgrade: upgradeWith(upgradeWebSocket as unknown as Parameters<typeof upgradeWith<WebSocket>>[0], probeOf),
  peerAddress: (context) => getConnInfo(context).remote.address ?? 'unix',
  ...files,
  profiler,
}

/** Counts the pings of one socket that no pong came back for. */
function probeOf(socket: WebSocket): Probe {
  let unanswered = 0
  socket.on('pong', () => {
    unanswered = 0
  })
  return {
    ping() {
      unanswered++
      socket.ping()
    },
    unanswered: () => unanswered,
  }
}

/** Runs a control plane on Node until it is closed: listens where the configuration says, over TLS where it names a certificate. */
export async function startControlPlane({
  config,
  redisUrl,
  log,
  clock = systemClock,
}: {
  config: Config
  redisUrl: string
  log: Log
  clock?: Clock
}): Promise<AsyncDisposable> {
  await using opening = new AsyncDisposableStack()
  const plane = opening.use(await openControlPlane({ config, redisUrl, client: ownClient, runtime, clock, log }))
  // Longer frames end the connection with 1009 before they are in memory.
  const sockets = new WebSocketServer({ noServer: true, maxPayload: 4 * maxFrame, perMessageDeflate: false })
  const { cert, key } = config.server
  const tls = cert !== '' && key !== '' ? readCertificate({ cert, key }) : undefined
  // The adaptor is made for ws; their types differ in overloads only.
  const websocket = { server: sockets as unknown as WebSocketServerLike }
  const common = { fetch: plane.fetch, websocket, overrideGlobalObjects: false }
  // Without HTTP/2 options the adaptor makes a server of node:http or node:https.
  const server = (
    tls
      ? createAdaptorServer({ ...common, createServer: createHttpsServer, serverOptions: { ...tls, shouldUpgradeCallback } })
      : createAdaptorServer({ ...common, createServer: createHttpServer, serverOptions: { shouldUpgradeCallback } })
  ) as Server
  await listen(server, config.server.bind)
  if (server instanceof HttpsServer) {
    opening.defer(followCertificate({ cert, key }, { server, clock, log }))
  }
  opening.defer(async () => {
    const closed = once(server, 'close')
    server.close()
    await plane[Symbol.asyncDispose]()
    // Everybody has been told goodbye: what is still open is idle, or does not listen.
    setTimeout(() => {
      server.closeAllConnections()
      for (const socket of sockets.clients) {
        socket.terminate()
      }
    }, 500)
    await closed
  })
  log.info({ address: printBind(config.server.bind), tls: tls !== undefined }, 'control plane listens')
  return opening.move()
}

/** An upgrade to something else (`curl --http2` offers h2c) is an ordinary request: unanswered, its connection would stay for ever. */
const shouldUpgradeCallback = (request: IncomingMessage) => request.headers.upgrade?.toLowerCase() === 'websocket'

async function listen(server: Server, bind: Bind): Promise<void> {
  if (bind.kind === 'unix') {
    await freeSocket(bind.path)
  }
  const listening = once(server, 'listening')
  if (bind.kind === 'unix') {
    server.listen(bind.path)
  } else {
    server.listen(bind.port, bind.host === '' ? undefined : bind.host)
  }
  try {
    await listening
  } catch (error) {
    throw new NekoError('unavailable', listenProblem(error, bind), { cause: error })
  }
  if (bind.kind === 'unix') {
    await chmod(bind.path, 0o660)
  }
}

/** Removes the socket that a server left behind; nothing else, and not one that somebody listens on. */
async function freeSocket(path: string): Promise<void> {
  const facts = await lstat(path).catch(() => undefined)
  if (facts === undefined) {
    return
  }
  if (!facts.isSocket() || (await answers(path))) {
    const why = facts.isSocket() ? 'is in use: stop what listens there' : 'is there, and no socket: remove it'
    throw new NekoError('unavailable', `${path} ${why}, or set NEKO_SERVER_BIND to another path`)
  }
  await rm(path, { force: true })
}

function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path)
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })
}

function listenProblem(error: unknown, bind: Bind): string {
  const address = printBind(bind)
  switch (errorCode(error)) {
    case 'EADDRINUSE':
      return `${address} is in use: stop what listens there, or set NEKO_SERVER_BIND to a free address`
    case 'EACCES':
      return `${address} may not be opened by this user: choose a port from 1024 up with NEKO_SERVER_BIND`
    case 'EADDRNOTAVAIL':
      return `${address} is no address of this machine: set NEKO_SERVER_BIND to one that is`
    default:
      return `can not listen on ${address}: ${String(error)}`
  }
}
