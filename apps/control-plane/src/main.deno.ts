import { fileURLToPath } from 'node:url'
import { formatProblem, hasErrors, loadConfig, printBind } from '@neko-edge/config'
import { createLog, messageOf, systemClock } from '@neko-edge/kit'
import { upgradeWebSocket } from 'hono/deno'
import { openControlPlane } from './control-plane.ts'
import { files } from './runtime/files.ts'
import { upgradeWith } from './runtime/websocket.ts'
import type { Runtime } from './runtime.ts'

/* The control plane on Deno: the same app as on Node. Only this file knows Deno. */

const log = createLog((level, fields, message) => console.error(JSON.stringify({ level, ...fields, message })))

const runtime: Runtime = {
  // Deno asks by itself, and closes a socket that stays silent.
  upgrade: upgradeWith(upgradeWebSocket as Parameters<typeof upgradeWith<WebSocket>>[0], () => ({
    ping: () => undefined,
    unanswered: () => 0,
  })),
  peerAddress: ({ env }) => (env as { remoteAddr?: { hostname?: string } }).remoteAddr?.hostname ?? 'unix',
  ...files,
}

function fail(message: string): never {
  console.error(message)
  Deno.exit(1)
}

const { config, problems } = loadConfig({ argv: Deno.args, env: Deno.env.toObject(), cwd: Deno.cwd() })
if (hasErrors(problems)) {
  fail(problems.map(formatProblem).join('\n'))
}
const { bind, cert, key, pprof } = config.server
if (bind.kind === 'unix') {
  fail('on Deno a control plane listens on TCP: set NEKO_SERVER_BIND to an address and a port')
}
if (pprof) {
  log.warn({}, 'on Deno no profiles are served: server.pprof has no effect')
}
if (config.redis.url === '') {
  fail('set NEKO_REDIS_URL to the Redis that the processes share')
}
try {
  const plane = await openControlPlane({
    config,
    redisUrl: config.redis.url,
    client: fileURLToPath(new URL('../../web/dist', import.meta.url)),
    runtime,
    clock: systemClock,
    log,
  })
  const tls = cert !== '' && key !== '' ? { cert: Deno.readTextFileSync(cert), key: Deno.readTextFileSync(key) } : {}
  const server = Deno.serve(
    {
      hostname: bind.host === '' ? '0.0.0.0' : bind.host,
      port: bind.port,
      ...tls,
      onListen: () => log.info({ address: printBind(bind), runtime: 'deno' }, 'control plane listens'),
    },
    (request: Request, info: unknown) => plane.fetch(request, info),
  )
  const stop = async () => {
    await plane[Symbol.asyncDispose]()
    await server.shutdown()
    Deno.exit(0)
  }
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    Deno.addSignalListener(signal, () => void stop())
  }
} catch (error) {
  fail(messageOf(error))
}
