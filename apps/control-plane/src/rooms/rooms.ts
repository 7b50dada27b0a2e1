import { type Log, messageOf, NekoError, type RoomId } from '@neko-edge/kit'
import { type Fleet, type FleetRoom, forgetRoom, type RoomRecord } from '@neko-edge/store'
import { defaultRoom, isRoomId } from './room-id.ts'
import { type PlaneParts, Surface } from './surface.ts'

/** A room that nobody asked for so long, and in which nobody is connected here, is closed in this process, in milliseconds. */
const idleMs = 300_000
/** What people hear whose room is over. */
const farewell = 'room ended'
/** How long a room may be missing in a Redis that came back before it counts as gone: its node puts it back. */
const missingMs = 10_000

/** The rooms of the fleet in this process: each is opened when somebody asks for it, and follows what the fleet says. */
export class Rooms implements AsyncDisposable {
  readonly fleet: Fleet
  readonly #parts: PlaneParts
  readonly #log: Log
  readonly #open = new Map<string, Promise<Surface>>()
  readonly #stop: (() => void)[]

  constructor(fleet: Fleet, parts: PlaneParts) {
    this.fleet = fleet
    this.#parts = parts
    this.#log = parts.log
    this.#stop = [
      fleet.onRoom.add((record) => void this.#follow(record).catch((error: unknown) => this.#warn(record.id, error))),
      fleet.onResumed.add(() => this.#resume()),
      parts.clock.every(idleMs / 5, () => void this.#closeIdle()),
    ]
  }

  /** Gives a room that is open anyway, such as the one at `/`. */
  adopt(surface: Surface): void {
    this.#open.set(surface.id, Promise.resolve(surface))
  }

  /** The surface of a room; `undefined` where there is no such room, or it has ended. Fails with `unavailable` while Redis is away. */
  async surface(id: string): Promise<Surface | undefined> {
    const known = this.#open.get(id)
    if (known || !isRoomId(id)) {
      const surface = await known
      if (surface) {
        surface.usedAt = this.#parts.clock.now()
      }
      return surface
    }
    const room = await this.fleet.find(id)
    if (!room || room.record.state === 'ended') {
      return undefined
    }
    return this.#opened(id, room)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.forEach((stop) => stop())
    await Promise.all([...this.#open.values()].map(async (opening) => (await opening.catch(() => undefined))?.[Symbol.asyncDispose]()))
    this.#open.clear()
  }

  /** Several may ask at once: the first opens it. */
  #opened(id: RoomId, room: FleetRoom): Promise<Surface> {
    const known = this.#open.get(id)
    if (known) {
      return known
    }
    const opening = Surface.open(id, this.#parts, { room })
    this.#open.set(id, opening)
    opening.catch(() => this.#open.delete(id))
    return opening
  }

  async #follow(record: RoomRecord): Promise<void> {
    const { id, state } = record
    if (state === 'ended') {
      // Whoever is still inside hears it; and nothing of the room is kept, also where its node could not see to it.
      await this.#close(id, farewell)
      await forgetRoom(this.#parts.connection, { id: id as RoomId, reason: farewell })
      return
    }
    const surface = await this.#open.get(id)
    if (surface) {
      const room = surface.room?.record.rev === record.rev ? { ...surface.room, record } : await this.fleet.find(id)
      if (room) {
        await surface.update(room)
      }
    }
  }

  #resume(): void {
    for (const id of this.#open.keys()) {
      void this.#check(id, missingMs).catch((error: unknown) => this.#warn(id, error))
    }
  }

  /** What became of a room while this process heard nothing. */
  async #check(id: string, patienceMs: number): Promise<void> {
    const room = await this.fleet.find(id)
    if (room) {
      await this.#follow(room.record)
    } else if (id !== defaultRoom && patienceMs > 0) {
      this.#parts.clock.after(patienceMs, () => void this.#check(id, 0).catch((error: unknown) => this.#warn(id, error)))
    } else if (id !== defaultRoom) {
      await this.#close(id, farewell)
    }
  }

  async #closeIdle(): Promise<void> {
    const before = this.#parts.clock.now() - idleMs
    for (const [id, opening] of this.#open) {
      const surface = await opening.catch(() => undefined)
      if (id !== defaultRoom && surface?.isIdle && surface.usedAt < before) {
        await this.#close(id, farewell)
      }
    }
  }

  async #close(id: string, reason: string): Promise<void> {
    const opening = this.#open.get(id)
    this.#open.delete(id)
    const surface = await opening?.catch(() => undefined)
    await surface?.hub.close(reason)
  }

  #warn(room: string, error: unknown): void {
    const known = error instanceof NekoError
    this.#log[known ? 'debug' : 'warn']({ room, error: messageOf(error) }, 'news of a room not followed')
  }
}
