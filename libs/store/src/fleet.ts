import { type InstanceId, Listeners, type Log, messageOf, NekoError, type NodeId } from '@neko-edge/kit'
import type { Connection } from './connection.ts'
import {
  beatNode,
  countFleetRooms,
  createRoom,
  drainNode,
  endRoom,
  fleetChannel,
  fleetKeys,
  idempotencyKey,
  leaveFleet,
  listFleetRooms,
  moveRoom,
  nodeLeaseMs,
  noteRun,
  readFleetRoom,
  readNodes,
  restoreRooms,
  updateRoom,
  warnRoom,
} from './fleet-lua.ts'
import {
  type FleetRoom,
  type NodeOffer,
  type NodeRecord,
  type RoomRecord,
  type RoomSpec,
  type RoomState,
  readNode,
  readRecord,
  readRoomPair,
} from './fleet-room.ts'
import { evaluate, type LuaScript } from './script.ts'

/** When a room ends by its absolute time-out, and how long before that this is told; in milliseconds, 0 for never. */
export interface RoomEnd {
  readonly endsInMs: number
  readonly warningMs: number
}

export interface NewRoom extends RoomEnd {
  readonly id: string
  readonly spec: RoomSpec
  /** It never ends, and waits for a node where none has a place. */
  readonly isPermanent?: boolean
  /** An `Idempotency-Key`, hashed, and a mark of all that was asked with it. */
  readonly request?: { readonly key: string; readonly mark: string }
}

export type Created =
  | { readonly is: 'created' | 'replayed'; readonly record: RoomRecord }
  | { readonly is: 'exists' | 'other-request' }
  | { readonly is: 'full'; readonly why: string }

/** Why a room was not moved, or its record under the newer claim. */
export type Moved =
  | { readonly is: 'moving'; readonly record: RoomRecord }
  | { readonly is: 'gone' | 'ending' | 'waiting' | 'there' | 'unknown' | 'no-capture' }
  | { readonly is: 'full'; readonly why: string }

/** What becomes of the rooms of a node that takes no new one. */
export const drainWays = ['stay', 'move', 'end'] as const
export type DrainWay = (typeof drainWays)[number]

/** What a node hears back from a beat: the rooms that are its own, and those that it has and Redis has forgotten. */
export type Beat =
  | { readonly is: 'replaced' }
  | { readonly is: 'kept'; readonly rooms: readonly FleetRoom[]; readonly unknown: readonly string[] }

/** All rooms and nodes, as one process sees and changes them. Every operation is one script; each fails with `unavailable` while Redis is away. */
export class Fleet implements AsyncDisposable {
  /** A room as it is from now on: its state, its node or its specification is another one. */
  readonly onRoom = new Listeners<RoomRecord>()
  /** News may have been missed: whoever follows rooms reads them again. */
  readonly onResumed = new Listeners<void>()
  readonly #connection: Connection
  readonly #stop: (() => void)[] = []

  private constructor(connection: Connection) {
    this.#connection = connection
  }

  static async open(connection: Connection, { log }: { log: Log }): Promise<Fleet> {
    const fleet = new Fleet(connection)
    const hear = (text: string) => {
      try {
        fleet.onRoom.emit(readRecord(text))
      } catch (error) {
        log.warn({ error: messageOf(error) }, 'news of a room not understood')
      }
    }
    fleet.#stop.push(await connection.subscribe(fleetChannel, hear))
    fleet.#stop.push(connection.onBack.add(() => fleet.onResumed.emit()))
    return fleet
  }

  /** Makes a room, and gives it to a node. */
  async create({ id, spec, endsInMs, warningMs, isPermanent = false, request }: NewRoom): Promise<Created> {
    const args = [id, JSON.stringify(spec), endsInMs, warningMs, request?.mark ?? '', isPermanent ? '1' : '0']
    const [is, text = ''] = await this.#words(createRoom, args, request && [idempotencyKey(request.key)])
    switch (is) {
      case 'created':
      case 'replayed':
        return { is, record: readRecord(text) }
      case 'exists':
      case 'other-request':
        return { is }
      default:
        return { is: 'full', why: text }
    }
  }

  async find(id: string): Promise<FleetRoom | undefined> {
    const [record, spec] = await this.#words(readFleetRoom, [id])
    return record === undefined || spec === undefined ? undefined : readRoomPair(record, spec)
  }

  /** The rooms behind `after` in the order of their ids, and where the next page begins. */
  async list({
    after = '',
    limit,
    state,
    node,
  }: {
    after?: string
    limit: number
    state?: RoomState | undefined
    node?: string | undefined
  }): Promise<{ rooms: FleetRoom[]; next: string | undefined }> {
    const [next = '', ...flat] = await this.#words(listFleetRooms, [after, limit, state ?? '', node ?? ''])
    return { rooms: roomPairs(flat), next: next === '' ? undefined : next }
  }

  async counts(): Promise<Partial<Record<RoomState, number>>> {
    const flat = await this.#words(countFleetRooms, [])
    return Object.fromEntries(Array.from({ length: flat.length / 2 }, (_, index) => [flat[2 * index], Number(flat[2 * index + 1])]))
  }

  /** `conflict`: somebody else changed the room since `rev`. */
  async update(
    id: string,
    { rev, spec, endsInMs, warningMs }: RoomEnd & { rev: number; spec: RoomSpec },
  ): Promise<RoomRecord | 'conflict' | 'gone'> {
    const [is, text = ''] = await this.#words(updateRoom, [id, rev, JSON.stringify(spec), endsInMs, warningMs])
    return is === 'changed' ? readRecord(text) : is === 'conflict' ? 'conflict' : 'gone'
  }

  /** Begins to end a room, or goes on ending it. */
  async end(id: string, reason: string): Promise<RoomRecord | 'permanent' | 'gone'> {
    const [is, text = ''] = await this.#words(endRoom, [id, reason])
    return is === 'draining' ? readRecord(text) : is === 'permanent' ? 'permanent' : 'gone'
  }

  /** Gives a room that runs to another node, the least loaded one where none is named: its application starts anew there. */
  async move(id: string, node = ''): Promise<Moved> {
    const [is, text = ''] = await this.#words(moveRoom, [id, node])
    switch (is) {
      case 'moving':
        return { is, record: readRecord(text) }
      case 'gone':
      case 'ending':
      case 'waiting':
      case 'there':
      case 'unknown':
      case 'no-capture':
        return { is }
      default:
        return { is: 'full', why: text }
    }
  }

  /** Every node, by its name. */
  async nodes(): Promise<NodeRecord[]> {
    return (await this.#words(readNodes, [])).map(readNode).toSorted((a, b) => (a.id < b.id ? -1 : 1))
  }

  /** Whether a node takes no new room, and what becomes of those that it has: one that finds no place elsewhere stays. */
  async drainNode(node: string, isDrained: boolean, rooms: DrainWay = 'stay'): Promise<void> {
    await this.#evaluate(drainNode, [node, isDrained ? '1' : '0', rooms])
  }

  /** A node says that it lives, and what it has; all that time has done to the fleet happens in the same step. */
  async beat({
    node,
    instance,
    offer,
    isFirst,
    held,
  }: {
    node: NodeId
    instance: InstanceId
    offer: NodeOffer
    isFirst: boolean
    held: readonly string[]
  }): Promise<Beat> {
    const args = [node, instance, JSON.stringify(offer), nodeLeaseMs, isFirst ? '1' : '0', JSON.stringify(held)]
    const [is, unknown = '[]', ...flat] = await this.#words(beatNode, args)
    // The script wrote a list of ids.
    return is === 'replaced' ? { is } : { is: 'kept', rooms: roomPairs(flat), unknown: JSON.parse(unknown) as string[] }
  }

  /** Puts back what a node has and a Redis without its memory does not know. */
  async restore(node: NodeId, rooms: readonly FleetRoom[]): Promise<void> {
    await this.#evaluate(restoreRooms, [node, ...rooms.flatMap(({ texts }) => texts)])
  }

  /** A node stops: its rooms end, or go elsewhere. */
  async leave({ node, instance, ends }: { node: NodeId; instance: InstanceId; ends: boolean }): Promise<void> {
    await this.#evaluate(leaveFleet, [node, instance, ends ? '1' : '0'])
  }

  /** What became of a room on its node, as of that claim. */
  async note(
    { id, claim }: Pick<RoomRecord, 'id' | 'claim'>,
    { node, what, why = '' }: { node: NodeId; what: 'running' | 'failed' | 'stopped'; why?: string },
  ): Promise<void> {
    await this.#evaluate(noteRun, [id, node, claim, what, why])
  }

  /** Tells that a time-out will end the room at that time (ms since 1970). */
  async warn(id: string, { timeout, endsAt }: { timeout: string; endsAt: number }): Promise<void> {
    await this.#evaluate(warnRoom, [id, timeout, endsAt])
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.forEach((stop) => stop())
  }

  async #words(script: LuaScript, args: readonly (string | number)[], moreKeys: readonly string[] = []): Promise<string[]> {
    const reply = await this.#evaluate(script, args, moreKeys)
    if (!Array.isArray(reply)) {
      throw new NekoError('internal', 'a script of the fleet gave no list')
    }
    return reply.map(String)
  }

  #evaluate(script: LuaScript, args: readonly (string | number)[], moreKeys: readonly string[] = []): Promise<unknown> {
    return evaluate(this.#connection.commands, script, { keys: [...fleetKeys, ...moreKeys], args: [fleetChannel, ...args] })
  }
}

const roomPairs = (flat: readonly string[]): FleetRoom[] =>
  Array.from({ length: flat.length / 2 }, (_, index) => readRoomPair(flat[2 * index] ?? '', flat[2 * index + 1] ?? ''))
