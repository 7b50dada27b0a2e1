import type { Config } from '@neko-edge/config'
import { type Clock, type Log, newInstanceId, type RoomId } from '@neko-edge/kit'
import { Bus, connect, joinPlanes, keepLease } from '@neko-edge/store'
import { Hono } from 'hono'
import { createApp } from './app.ts'
import { notFound } from './http/error.ts'
import { loginLimit } from './login-limit.ts'
import { createMetrics, metricsPage } from './metrics.ts'
import type { Runtime } from './runtime.ts'
import { Hub } from './session/hub.ts'
import { keepSessionFile } from './session-file.ts'
import { checkSettings, features, httpOptions, memberProvider, roomDefaults } from './settings.ts'

/** The room of a deployment that has one. */
export const defaultRoom = 'default' as RoomId

export interface ControlPlane extends AsyncDisposable {
  /** Answers one request: the whole surface. */
  readonly fetch: Hono['fetch']
}

export interface ControlPlaneOptions {
  readonly config: Config
  readonly redisUrl: string
  /** The directory of the built web client. */
  readonly client: string
  readonly runtime: Runtime
  readonly clock: Clock
  readonly log: Log
}

/** Everything of a control plane but its listening socket: what it holds is gone when it is closed, what it knew is in Redis. */
export async function openControlPlane({ config, redisUrl, client, runtime, clock, log }: ControlPlaneOptions): Promise<ControlPlane> {
  await checkSettings(config, runtime)
  await using opening = new AsyncDisposableStack()
  const connection = opening.use(await connect({ url: redisUrl, log }))
  const instance = newInstanceId()
  opening.use(await keepLease(connection, { instance, clock, log }))
  const membership = opening.use(await joinPlanes(connection, { instance, clock, log }))
  const bus = opening.use(await Bus.open(connection, { instance, log }))
  const metrics = createMetrics()
  const hub = opening.use(
    await Hub.open(defaultRoom, {
      connection,
      bus,
      instance,
      clock,
      log,
      metrics,
      leave: () => membership.leave(),
      defaults: roomDefaults(config),
      features: features(config),
    }),
  )
  if (config.session.file !== '') {
    opening.use(await keepSessionFile({ path: config.session.file, room: hub.room, runtime, log }))
  }
  const { perAddress, perAccount, windowMs } = config.server.loginLimit
  const app = createApp({
    hub,
    members: await memberProvider(config, { connection, runtime }),
    limit: loginLimit(connection, { perAddress, perAccount, windowMs }),
    metrics,
    options: httpOptions(config, client),
    runtime,
    clock,
    log,
    isReady: () => connection.isUp(),
    metricsPage: () => metricsPage({ metrics, hub, connection }),
  })
  const held = opening.move()
  return {
    fetch: below(config.server.pathPrefix, app).fetch,
    [Symbol.asyncDispose]: () => held.disposeAsync(),
  }
}

/** The same app below a path; the bare prefix leads to its page. */
function below(prefix: string, app: Hono): Hono {
  if (prefix === '/') {
    return app
  }
  const root = new Hono()
  root.notFound(() => notFound())
  root.get(prefix, (context) => context.redirect(`${prefix}/`, 301))
  root.mount(prefix, app.fetch)
  return root
}
