import { type Config, roomConfig } from '@neko-edge/config'
import type { Clock, InstanceId, Log, RoomId } from '@neko-edge/kit'
import type { Bus, Connection, FleetRoom } from '@neko-edge/store'
import type { Hono } from 'hono'
import { createApp } from '../app.ts'
import type { Deps } from '../http/context.ts'
import { loginLimit } from '../login-limit.ts'
import { type Metrics, metricsPage } from '../metrics.ts'
import type { Runtime } from '../runtime.ts'
import { Hub } from '../session/hub.ts'
import { features, httpOptions, memberProvider, roomDefaults } from '../settings.ts'
import { createLinks, type Links } from './link.ts'
import { closedFor } from './place.ts'
import { defaultRoom } from './room-id.ts'

/** What all rooms of a control plane share. */
export interface PlaneParts {
  readonly config: Config
  readonly connection: Connection
  readonly bus: Bus
  readonly instance: InstanceId
  /** The directory of the built web client. */
  readonly client: string
  readonly metrics: Metrics
  readonly runtime: Runtime
  /** Says that this process stops; gives whether another one takes its clients. */
  readonly leave: () => Promise<boolean>
  readonly clock: Clock
  readonly log: Log
}

/** The whole interface of one room, V3 and V2, in this process: its sockets, and the app that answers below its path. */
export class Surface implements AsyncDisposable {
  readonly id: RoomId
  readonly hub: Hub
  readonly #parts: PlaneParts
  /** What only the room at `/` has besides. */
  readonly #more: Pick<Deps, 'fleet'>
  #room: FleetRoom | undefined
  #served: { app: Hono; links: Links }
  usedAt: number

  private constructor(hub: Hub, { parts, more, room }: { parts: PlaneParts; more: Pick<Deps, 'fleet'>; room: FleetRoom | undefined }) {
    this.id = hub.room.id
    this.hub = hub
    this.#parts = parts
    this.#more = more
    this.#room = room
    this.usedAt = parts.clock.now()
    // Made before anybody sees the surface.
    this.#served = undefined as unknown as { app: Hono; links: Links }
  }

  /** `room` is what the fleet knows; the room at `/` may be opened before any fleet knows it. */
  static async open(
    id: RoomId,
    parts: PlaneParts,
    { room, ...more }: { room?: FleetRoom; fleet?: NonNullable<Deps['fleet']> } = {},
  ): Promise<Surface> {
    const config = configFor(id, parts.config, room)
    const hub = await Hub.open(id, { ...parts, ...meaning(config) })
    try {
      const surface = new Surface(hub, { parts, more, room })
      surface.#served = await surface.#serve(config)
      return surface
    } catch (error) {
      await hub[Symbol.asyncDispose]()
      throw error
    }
  }

  get app(): Hono {
    return this.#served.app
  }

  get links(): Links {
    return this.#served.links
  }

  /** The revision of the room's specification that counts here. */
  get room(): FleetRoom | undefined {
    return this.#room
  }

  /** Whether nobody is connected here. */
  get isIdle(): boolean {
    return [...this.hub.sockets].length === 0
  }

  /** A newer word of the fleet: what the room's configuration says counts from now on. Sockets stay. */
  async update(room: FleetRoom): Promise<void> {
    const before = this.#room
    if (before && room.record.rev < before.record.rev) {
      return
    }
    this.#room = room
    if (before ? before.record.rev !== room.record.rev : Object.keys(room.spec.config).length > 0) {
      const config = configFor(this.id, this.#parts.config, room)
      await this.hub.configure(meaning(config))
      this.#served = await this.#serve(config)
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.hub[Symbol.asyncDispose]()
  }

  async #serve(config: Config): Promise<{ app: Hono; links: Links }> {
    const { connection, client, metrics, runtime, clock, log } = this.#parts
    const { hub } = this
    const { perAddress, perAccount, windowMs } = config.server.loginLimit
    const isDefault = this.id === defaultRoom
    const links = createLinks(this.id, {
      connection,
      clock,
      secret: config.rooms.apiToken,
      // There is one room of this name for ever.
      madeAt: () => (isDefault ? 0 : (this.#room?.record.createdAt ?? 0)),
      profiles: config.member.multiuser,
    })
    const app = createApp({
      hub,
      members: await memberProvider(config, { connection, runtime }),
      links,
      whyClosed: () => closedFor(hub.room.view, { maxMembers: config.rooms.maxMembers, room: this.#room }),
      limit: loginLimit(connection, { perAddress, perAccount, windowMs, scope: isDefault ? '' : `${this.id}/` }),
      metrics,
      options: httpOptions(config, client),
      runtime,
      clock,
      log,
      isReady: () => connection.isUp(),
      metricsPage: () => metricsPage({ metrics, hub, connection, fleet: this.#more.fleet?.rooms.fleet }),
      ...this.#more,
    })
    return { app, links }
  }
}

/** What a configuration means to the sockets of a room. */
const meaning = (config: Config) => ({ defaults: roomDefaults(config), features: features(config) })

/** The configuration of a room: its own values over ours, a path of its own, and a cookie that goes nowhere else. */
function configFor(id: RoomId, base: Config, room: FleetRoom | undefined): Config {
  const overrides = room?.spec.config ?? {}
  if (id === defaultRoom && Object.keys(overrides).length === 0) {
    return base
  }
  const { config } = roomConfig(base, overrides)
  if (id === defaultRoom) {
    return config
  }
  const prefix = `${base.server.pathPrefix === '/' ? '' : base.server.pathPrefix}/room/${id}`
  const { server, session } = config
  return {
    ...config,
    server: { ...server, pathPrefix: prefix },
    session: { ...session, file: '', cookie: { ...session.cookie, path: `${prefix}/` } },
  }
}
