import { availableParallelism } from 'node:os'
import { type Log, messageOf, type NekoError } from '@neko-edge/kit'
import { beatMs, type FleetRoom, type NodeOffer } from '@neko-edge/store'
import { Load } from './load.ts'
import { defaultRoom } from './place.ts'
import { type NodeParts, RoomSeat } from './room-seat.ts'

/**
 * A node's part in the fleet. It says twice a second that it lives and what it can take, hears in the same breath which rooms are its own, starts
 * those and stops the others. While Redis is away, or takes long, the rooms go on as they are.
 */
export class NodeRooms implements AsyncDisposable {
  readonly #parts: NodeParts
  readonly #log: Log
  readonly #load = new Load()
  readonly #seats = new Map<string, RoomSeat>()
  readonly #stop: (() => void)[] = []
  /** Whether rooms end with the node; otherwise they go elsewhere. */
  readonly #endsRooms: boolean
  #isFirst = true
  #beating: Promise<void> | undefined
  #isAsked = false
  #isClosed = false

  private constructor(parts: NodeParts) {
    this.#parts = { ...parts, noPlace: () => this.#noPlace() }
    this.#log = parts.log
    this.#endsRooms = parts.config.node.onStop === 'end'
  }

  /** Joins the fleet. Where the room default is this node's, it runs when this resolves; fails when it does not start. */
  static async open(parts: Omit<NodeParts, 'noPlace'>): Promise<NodeRooms> {
    const rooms = new NodeRooms({ ...parts, noPlace: () => undefined })
    const { fleet, config, connection, clock } = parts
    const isCapture = config.node.roles.includes('capture')
    if (isCapture && config.rooms.default) {
      await fleet.create({ id: defaultRoom, spec: { label: '', config: {} }, endsInMs: 0, warningMs: 0, isPermanent: true })
    }
    await rooms.#beat()
    rooms.#stop.push(
      clock.every(beatMs, () => rooms.#wake()),
      // A room was placed, or is to end: no need to wait for the next beat.
      fleet.onRoom.add(({ id, node }) => (node === parts.node || rooms.#seats.has(id)) && rooms.#wake()),
      connection.onBack.add(() => rooms.#wake()),
    )
    await rooms.#untilDefaultRuns()
    return rooms
  }

  /** Leaves the fleet; then everything of its rooms here ends. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true
    this.#stop.forEach((stop) => stop())
    const { fleet, node, instance } = this.#parts
    const ends = this.#endsRooms
    await this.#beating
    await fleet.leave({ node, instance, ends }).catch((error: unknown) => this.#log.warn({ error: messageOf(error) }, 'fleet not left'))
    await Promise.all([...this.#seats.values()].map((seat) => seat.stop({ isOver: ends && seat.assigned.record.isPermanent !== true })))
    this.#seats.clear()
  }

  async #untilDefaultRuns(): Promise<void> {
    const seat = this.#seats.get(defaultRoom)
    await seat?.start()
    if (seat?.failure) {
      const failure: NekoError = seat.failure
      await this[Symbol.asyncDispose]()
      throw failure
    }
  }

  #wake(): void {
    this.#isAsked = true
    this.#beating ??= this.#run().finally(() => {
      this.#beating = undefined
    })
  }

  async #run(): Promise<void> {
    while (this.#isAsked && !this.#isClosed) {
      this.#isAsked = false
      try {
        await this.#beat()
      } catch (error) {
        this.#log.debug({ error: messageOf(error) }, 'no beat, the rooms go on')
      }
    }
  }

  async #beat(): Promise<void> {
    const { fleet, node, instance } = this.#parts
    const isFirst = this.#isFirst
    const beat = await fleet.beat({ node, instance, offer: this.#offer(), isFirst, held: [...this.#seats.keys()] })
    this.#isFirst = false
    if (beat.is === 'replaced') {
      return this.#replaced()
    }
    const unknown = beat.unknown.flatMap((id) => this.#seats.get(id)?.assigned ?? [])
    if (unknown.length > 0) {
      await fleet.restore(node, unknown)
      this.#log.warn({ rooms: beat.unknown }, 'redis had forgotten rooms of this node')
      this.#isAsked = true
      return
    }
    this.#follow(beat.rooms)
    const isFull = this.#noPlace() !== undefined
    for (const seat of this.#seats.values()) {
      seat.tellFull(isFull)
    }
  }

  /** Makes what runs here what the fleet says. */
  #follow(rooms: readonly FleetRoom[]): void {
    const wanted = new Map(rooms.map((room) => [room.record.id, room]))
    for (const [id, seat] of this.#seats) {
      const room = wanted.get(id)
      if (room?.record.state === 'draining') {
        this.#end(id, seat)
      } else if (room?.record.claim === seat.assigned.record.claim) {
        seat.follow(room)
      } else {
        // Another node has it, or it was given to this one anew.
        this.#drop(id, seat)
      }
    }
    for (const [id, room] of wanted) {
      if (!this.#seats.has(id) && !this.#ending.has(id)) {
        if (room.record.state === 'draining') {
          this.#end(id, new RoomSeat(room, this.#parts))
        } else {
          const seat = new RoomSeat(room, this.#parts)
          this.#seats.set(id, seat)
          void seat.start()
        }
      }
    }
  }

  /** Rooms that are being stopped here: not to be started again before that is done. */
  readonly #ending = new Set<string>()

  #drop(id: string, seat: RoomSeat): void {
    this.#close(id, seat, { isOver: false })
  }

  #end(id: string, seat: RoomSeat): void {
    this.#close(id, seat, { isOver: true })
  }

  #close(id: string, seat: RoomSeat, { isOver }: { isOver: boolean }): void {
    const { fleet, node } = this.#parts
    this.#seats.delete(id)
    this.#ending.add(id)
    const closing = async () => {
      await seat.stop({ isOver })
      if (isOver) {
        await fleet.note(seat.assigned.record, { node, what: 'stopped' })
      }
    }
    closing()
      .catch((error: unknown) => this.#log.warn({ room: id, error: messageOf(error) }, 'room not ended as it should be'))
      .finally(() => {
        this.#ending.delete(id)
        this.#isClosed || this.#wake()
      })
  }

  /** Another process has this node's name: what runs here is started there. */
  #replaced(): void {
    this.#log.error({ node: this.#parts.node }, 'another capture node has this name: give each its own with node.id')
    this.#isClosed = true
    this.#stop.forEach((stop) => stop())
    this.#follow([])
  }

  /** Viewers of the rooms that run here, and of those that it has from other nodes. */
  get #viewers(): number {
    return [...this.#seats.values()].reduce((sum, seat) => sum + seat.viewers, 0) + this.#parts.relaying.own.viewers
  }

  #noPlace(): string | undefined {
    const { maxViewers, uplink } = this.#parts.config.node
    if (uplink === 'relay') {
      return 'this machine serves nobody itself (node.uplink), and no relay has a place: try again in a moment'
    }
    const viewers = this.#viewers
    return maxViewers > 0 && viewers >= maxViewers
      ? `this machine has ${viewers} of ${maxViewers} viewers: try again in a moment`
      : undefined
  }

  #offer(): NodeOffer {
    const { roles, maxRooms, maxLoad } = this.#parts.config.node
    const cores = availableParallelism()
    return {
      roles,
      isCapture: roles.includes('capture'),
      cores,
      load: this.#load.read(),
      viewers: this.#viewers,
      maxRooms: maxRooms === 0 ? cores : maxRooms,
      maxLoad,
      isDrained: false,
      withoutRelay: [...this.#seats.values()].filter((seat) => seat.isWithoutRelay).length,
    }
  }
}
