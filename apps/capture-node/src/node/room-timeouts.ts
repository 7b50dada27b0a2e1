import type { Config } from '@neko-edge/config'
import { type Clock, type Log, messageOf } from '@neko-edge/kit'
import type { Fleet, Room } from '@neko-edge/store'

const lookMs = 1_000

export interface RoomTimeoutsOptions {
  readonly room: Room
  readonly fleet: Pick<Fleet, 'end' | 'warn'>
  /** The present configuration: an admin of the fleet may change it while the room runs. */
  readonly timeouts: () => Config['rooms']['timeout']
  readonly clock: Clock
  readonly log: Log
}

const kinds = ['empty', 'inactive'] as const
type Kind = (typeof kinds)[number]

/** Ends a room that stands empty, or in which nothing happens, and tells so a while before. Time counts from the start of this run on. */
export class RoomTimeouts implements Disposable {
  readonly #options: RoomTimeoutsOptions
  readonly #since: Record<Kind, number>
  /** Which ends were told already. */
  readonly #warned = new Map<Kind, number>()
  readonly #stop: (() => void)[]

  constructor(options: RoomTimeoutsOptions) {
    this.#options = options
    const now = options.clock.now()
    this.#since = { empty: now, inactive: now }
    this.#stop = [options.room.onEvents.add(() => this.noteActivity()), options.clock.every(lookMs, () => void this.#look())]
  }

  /** Somebody did something: came, went, used the desktop. */
  noteActivity(): void {
    this.#since.inactive = this.#options.clock.now()
  }

  [Symbol.dispose](): void {
    this.#stop.forEach((stop) => stop())
  }

  async #look(): Promise<void> {
    const { room, timeouts, clock, log } = this.#options
    const now = clock.now()
    const { users, admins } = room.view.connected()
    if (users + admins > 0) {
      this.#since.empty = now
    }
    const { emptyMs, inactiveMs, warningMs } = timeouts()
    const limits = { empty: emptyMs, inactive: inactiveMs }
    try {
      await Promise.all(kinds.map((kind) => this.#check(kind, { now, limitMs: limits[kind], warningMs })))
    } catch (error) {
      log.debug({ error: messageOf(error) }, 'time-out not told, it is tried again')
    }
  }

  async #check(kind: Kind, { now, limitMs, warningMs }: { now: number; limitMs: number; warningMs: number }): Promise<void> {
    const { room, fleet } = this.#options
    const endsAt = this.#since[kind] + limitMs
    if (limitMs === 0) {
      return
    }
    if (endsAt <= now) {
      await fleet.end(room.id, `${kind} timeout`)
    } else if (endsAt - now <= warningMs && warningMs < limitMs && this.#warned.get(kind) !== endsAt) {
      this.#warned.set(kind, endsAt)
      await fleet.warn(room.id, { timeout: kind, endsAt })
    }
  }
}
