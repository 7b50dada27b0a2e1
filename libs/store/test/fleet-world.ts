import { type InstanceId, type NodeId, silentLog } from '@neko-edge/kit'
import { TempRedis } from '@neko-edge/testing'
import { type Beat, type Connection, type Created, connect, Fleet, type NodeOffer, type RoomRecord } from '../src/index.ts'

export const offer = (change: Partial<NodeOffer> = {}): NodeOffer => ({
  roles: ['capture'],
  isCapture: true,
  cores: 4,
  load: 0,
  viewers: 0,
  maxRooms: 3,
  maxLoad: 100,
  isDrained: false,
  ...change,
})

/** A node as the fleet sees it: it beats when the test says so. */
export class BeatingNode {
  readonly id: NodeId
  instance: InstanceId
  offer: NodeOffer
  #fleet: Fleet
  #isFirst = true

  constructor(fleet: Fleet, id: string, change: Partial<NodeOffer> = {}) {
    this.#fleet = fleet
    this.id = id as NodeId
    this.instance = `${id} run 1` as InstanceId
    this.offer = offer(change)
  }

  async beat(held: readonly string[] = []): Promise<Beat> {
    const isFirst = this.#isFirst
    this.#isFirst = false
    return this.#fleet.beat({ node: this.id, instance: this.instance, offer: this.offer, isFirst, held })
  }

  /** The rooms that the fleet says are its own. */
  async rooms(): Promise<RoomRecord[]> {
    const beat = await this.beat()
    return beat.is === 'kept' ? beat.rooms.map(({ record }) => record) : []
  }

  /** The same node, started anew. */
  restart(): void {
    this.instance = `${this.instance} again` as InstanceId
    this.#isFirst = true
  }

  note(record: RoomRecord, what: 'running' | 'failed' | 'stopped', why = ''): Promise<void> {
    return this.#fleet.note(record, { node: this.id, what, why })
  }

  leave(ends = false): Promise<void> {
    return this.#fleet.leave({ node: this.id, instance: this.instance, ends })
  }
}

/** Some processes over one Redis, each with its own view of the fleet. */
export class FleetWorld implements AsyncDisposable {
  readonly redis: TempRedis
  readonly fleets: readonly Fleet[]
  readonly connections: readonly Connection[]
  readonly #owned: AsyncDisposableStack

  private constructor(redis: TempRedis, parts: { fleets: Fleet[]; connections: Connection[]; owned: AsyncDisposableStack }) {
    this.redis = redis
    this.fleets = parts.fleets
    this.connections = parts.connections
    this.#owned = parts.owned
  }

  static async open({ processes = 1 }: { processes?: number } = {}): Promise<FleetWorld> {
    await using owned = new AsyncDisposableStack()
    const redis = owned.use(await TempRedis.open())
    const connections: Connection[] = []
    const fleets: Fleet[] = []
    for (let index = 0; index < processes; index++) {
      const connection = owned.use(await connect({ url: redis.url, log: silentLog }))
      connections.push(connection)
      fleets.push(owned.use(await Fleet.open(connection, { log: silentLog })))
    }
    return new FleetWorld(redis, { fleets, connections, owned: owned.move() })
  }

  fleet(index = 0): Fleet {
    const fleet = this.fleets[index % this.fleets.length]
    if (!fleet) {
      throw new Error('this world has no process')
    }
    return fleet
  }

  async node(id: string, change: Partial<NodeOffer> = {}): Promise<BeatingNode> {
    const node = new BeatingNode(this.fleet(), id, change)
    await node.beat()
    return node
  }

  create(id: string, more: Partial<Parameters<Fleet['create']>[0]> = {}, process = 0): Promise<Created> {
    return this.fleet(process).create({ id, spec: { label: '', config: {} }, endsInMs: 0, warningMs: 0, ...more })
  }

  /** The newest news for webhooks, oldest first. */
  async told(): Promise<{ type: string; room: string }[]> {
    const all = await this.connections[0]?.commands.lrange('neko:{fleet}:outbox', 0, -1)
    return (all ?? []).toReversed().map((text) => JSON.parse(text) as { type: string; room: string })
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#owned.disposeAsync()
  }
}
