import type { Config } from '@neko-edge/config'
import { type Clock, type Log, newInstanceId } from '@neko-edge/kit'
import { Bus, connect, Fleet, joinPlanes, keepLease, NewsQueue } from '@neko-edge/store'
import { Hono } from 'hono'
import { notFound } from './http/error.ts'
import { createMetrics } from './metrics.ts'
import { roomPaths } from './rooms/paths.ts'
import { defaultRoom } from './rooms/room-id.ts'
import { Rooms } from './rooms/rooms.ts'
import { Surface } from './rooms/surface.ts'
import type { Runtime } from './runtime.ts'
import { keepSessionFile } from './session-file.ts'
import { checkSettings, httpOptions } from './settings.ts'
import { Webhooks } from './webhook/webhooks.ts'

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
  const fleet = opening.use(await Fleet.open(connection, { log }))
  const parts = {
    config,
    connection,
    bus,
    instance,
    client,
    metrics: createMetrics(),
    runtime,
    clock,
    log,
    leave: () => membership.leave(),
  }
  const news = new NewsQueue(connection)
  opening.use(new Webhooks({ fleet, news, config, metrics: parts.metrics, clock, log }))
  const rooms = opening.use(new Rooms(fleet, parts))
  const known = await fleet.find(defaultRoom)
  const atRoot = await Surface.open(defaultRoom, parts, { fleet: { rooms, config }, ...(known && { room: known }) })
  rooms.adopt(atRoot)
  if (config.session.file !== '') {
    opening.use(await keepSessionFile({ path: config.session.file, room: atRoot.hub.room, runtime, log }))
  }
  const app = roomPaths(rooms, { root: () => atRoot.app, hasDefault: config.rooms.default, options: httpOptions(config, client), log })
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
