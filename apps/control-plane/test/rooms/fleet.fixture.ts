import { type InstanceId, type NodeId, silentLog, systemClock } from '@neko-edge/kit'
import { beatMs, type Connection, connect, Fleet, type NodeOffer, type RoomRecord } from '@neko-edge/store'
import { Planes, type PlanesOptions } from '../session/planes.fixture.ts'
import { StandInNode } from '../session/stand-in-node.fixture.ts'

export const fleetToken = 'the-token-of-the-whole-fleet'

/** The fleet's end of a capture node, without desktops: what is placed on it runs at once, and stops when it is to. */
export class StandInFleetNode implements AsyncDisposable {
  readonly offer: NodeOffer
  readonly fleet: Fleet
  readonly #connection: Connection
  readonly #id: NodeId
  #isFirst = true
  #stop: () => void = () => undefined

  private constructor(parts: { id: string; connection: Connection; fleet: Fleet; maxRooms: number }) {
    this.#id = parts.id as NodeId
    this.#connection = parts.connection
    this.fleet = parts.fleet
    this.offer = {
      roles: ['capture'],
      isCapture: true,
      cores: 8,
      load: 0,
      viewers: 0,
      maxRooms: parts.maxRooms,
      maxLoad: 100,
      isDrained: false,
    }
  }

  static async open(redisUrl: string, { id = 'stand-in', maxRooms = 8 } = {}): Promise<StandInFleetNode> {
    const connection = await connect({ url: redisUrl, log: silentLog })
    const node = new StandInFleetNode({ id, connection, fleet: await Fleet.open(connection, { log: silentLog }), maxRooms })
    await node.beat()
    const stops = [
      systemClock.every(beatMs, () => void node.beat().catch(() => undefined)),
      node.fleet.onRoom.add(() => void node.beat().catch(() => undefined)),
    ]
    node.#stop = () => stops.forEach((stop) => stop())
    return node
  }

  async beat(): Promise<void> {
    const isFirst = this.#isFirst
    this.#isFirst = false
    const beat = await this.fleet.beat({ node: this.#id, instance: `${this.#id} run` as InstanceId, offer: this.offer, isFirst, held: [] })
    for (const { record } of beat.is === 'kept' ? beat.rooms : []) {
      await this.#follow(record)
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop()
    await this.fleet[Symbol.asyncDispose]()
    await this.#connection[Symbol.asyncDispose]()
  }

  async #follow(record: RoomRecord): Promise<void> {
    if (record.state === 'starting') {
      await this.fleet.note(record, { node: this.#id, what: 'running' })
    } else if (record.state === 'draining') {
      await this.fleet.note(record, { node: this.#id, what: 'stopped' })
    }
  }
}

/** Control planes with the rooms API on, and a node that takes rooms. */
export class RoomWorld implements AsyncDisposable {
  readonly planes: Planes
  readonly node: StandInFleetNode
  #turn = 0

  private constructor(planes: Planes, node: StandInFleetNode) {
    this.planes = planes
    this.node = node
  }

  static async open({ env = {}, maxRooms = 50, ...more }: PlanesOptions & { maxRooms?: number } = {}): Promise<RoomWorld> {
    const planes = await Planes.open({ ...more, env: { ROOMS_API_TOKEN: fleetToken, ...env } })
    return new RoomWorld(planes, await StandInFleetNode.open(planes.redis.url, { maxRooms }))
  }

  /** Asks the rooms API, one control plane after the other; gives the status and what came. */
  async ask(
    method: string,
    path: string,
    { body, token = fleetToken, headers = {} }: { body?: unknown; token?: string | undefined; headers?: Record<string, string> } = {},
  ): Promise<{ status: number; json: Record<string, unknown>; headers: Headers }> {
    const response = await fetch(`${this.planes.url(this.#turn++)}${path}`, {
      method,
      headers: { ...(token !== '' && { authorization: `Bearer ${token}` }), ...headers },
      ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    })
    const text = await response.text()
    const isJson = response.headers.get('content-type') === 'application/json'
    // The answers of the API are objects.
    return { status: response.status, json: (isJson ? JSON.parse(text) : { text }) as Record<string, unknown>, headers: response.headers }
  }

  async create(body: Readonly<Record<string, unknown>> = {}): Promise<string> {
    const { status, json } = await this.ask('POST', '/api/rooms', { body })
    if (status !== 201) {
      throw new Error(`not created: ${status} ${JSON.stringify(json)}`)
    }
    return String(json['id'])
  }

  /** The capture node's end of a room's bus. */
  nodeOf(room: string): Promise<StandInNode> {
    return StandInNode.open(this.planes.redis.url, room)
  }

  /** Logs in to a room, by its path, as a browser would. */
  login(room: string, credentials: object, plane = 0): Promise<{ status: number; json: Record<string, unknown>; headers: Headers }> {
    return this.ask('POST', `/room/${room}/api/login`, { body: credentials, token: '', ...(plane > 0 && {}) })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.node[Symbol.asyncDispose]()
    await this.planes[Symbol.asyncDispose]()
  }
}
