import { type Clock, type Log, NekoError, type NodeId } from '@neko-edge/kit'
import type { RelayArgs, RelayCall } from '@neko-edge/protocol'
import type { Bus, Connection } from '@neko-edge/store'
import type { Sfu } from '../sfu/sfu.ts'
import { RelayBus, type RelayHandlers } from './relay-bus.ts'
import { RelayRoom } from './relay-room.ts'

export interface NodeRelaysOptions {
  readonly connection: Connection
  readonly bus: Bus
  readonly sfu: Sfu
  readonly node: NodeId
  /** Whether this node takes rooms of others. */
  readonly isRelay: boolean
  /** How many viewers it serves; 0: as many as come. */
  readonly maxViewers: number
  readonly clock: Clock
  readonly log: Log
}

/** What a node has to do with relays: it answers for the rooms whose origin it is, and for those that it has from others. */
export class NodeRelays implements AsyncDisposable {
  readonly bus: RelayBus
  readonly #options: NodeRelaysOptions
  readonly #origins = new Map<string, RelayHandlers>()
  readonly #rooms = new Map<string, Promise<RelayRoom>>()
  readonly #running = new Map<string, RelayRoom>()
  /** Whom each of them comes from. */
  readonly #origin = new Map<string, string>()
  #stop: () => void = () => undefined
  #isClosed = false

  private constructor(options: NodeRelaysOptions) {
    this.#options = options
    this.bus = new RelayBus(options.bus)
  }

  static async open(options: NodeRelaysOptions): Promise<NodeRelays> {
    const relays = new NodeRelays(options)
    relays.#stop = await relays.bus.serve(options.node, (name, room) => relays.#handlersOf(name, room))
    return relays
  }

  /** Viewers of rooms that this node has from others. */
  get viewers(): number {
    return [...this.#running.values()].reduce((sum, { viewers }) => sum + viewers, 0)
  }

  /** This node is the origin of a room, until the returned function is called. */
  serveOrigin(room: string, handlers: RelayHandlers): () => void {
    this.#origins.set(room, handlers)
    return () => this.#origins.delete(room)
  }

  /** Sends the viewers of relayed rooms elsewhere, in bounded time, and gives the rooms up. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true
    await Promise.all([...this.#running.values()].map((room) => room.leave()))
    this.#stop()
    await Promise.all([...this.#rooms.keys()].map((room) => this.#close(room)))
  }

  #handlersOf(name: RelayCall, room: string): RelayHandlers {
    if (name === 'relay.open') {
      return { 'relay.open': (args) => this.#take(args) }
    }
    if (name === 'relay.close') {
      return {
        'relay.close': async ({ origin }) => {
          // A node that had the room before and wakes up late ends nothing of who has it now.
          if (this.#origin.get(room) === origin) {
            await this.#close(room)
          }
          return null
        },
      }
    }
    return this.#origins.get(room) ?? this.#running.get(room)?.handlers ?? {}
  }

  async #take(opened: RelayArgs<'relay.open'>): Promise<null> {
    const { isRelay, connection, sfu, node, clock, log } = this.#options
    if (!isRelay || this.#isClosed || this.#origins.has(opened.room)) {
      throw new NekoError('unavailable', 'this node takes no room of others')
    }
    // What an earlier run of the origin gave is over.
    await this.#close(opened.room)
    const opening = RelayRoom.open({
      ...{ opened, node, connection, sfu, clock },
      relayBus: this.bus,
      noPlace: () => this.#noPlace(),
      onOver: () => void this.#close(opened.room),
      log: log.child({ room: opened.room }),
    })
    this.#rooms.set(opened.room, opening)
    this.#origin.set(opened.room, opened.origin)
    try {
      this.#running.set(opened.room, await opening)
      return null
    } catch (error) {
      this.#rooms.delete(opened.room)
      throw error
    }
  }

  async #close(room: string): Promise<void> {
    const opening = this.#rooms.get(room)
    this.#rooms.delete(room)
    this.#running.delete(room)
    this.#origin.delete(room)
    const opened = await opening?.catch(() => undefined)
    await opened?.[Symbol.asyncDispose]()
  }

  #noPlace(): string | undefined {
    const { maxViewers, sfu } = this.#options
    if (this.#isClosed) {
      return 'this relay stops'
    }
    if (maxViewers > 0 && this.viewers >= maxViewers) {
      return `this relay has ${this.viewers} of ${maxViewers} viewers`
    }
    return sfu.isFull ? 'the media workers of this relay are full' : undefined
  }
}
