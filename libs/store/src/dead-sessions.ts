import type { Clock } from '@neko-edge/kit'
import type { Session } from '@neko-edge/protocol'
import type { Connection } from './connection.ts'
import { deadInstances } from './lease.ts'
import type { Room } from './room.ts'
import { disconnectSession } from './session-facts.ts'

export interface DeadSessionsOptions {
  readonly room: Room
  readonly connection: Connection
  readonly clock: Clock
  /** How long the process of a session may be dead before the session is, in milliseconds. */
  readonly graceMs: number
}

/** Ends the sessions of a room whose processes died: whoever follows the room may do it, and several may at once. */
export class DeadSessions {
  readonly #options: DeadSessionsOptions
  /** Processes seen dead, and since when. */
  readonly #missed = new Map<string, number>()

  constructor(options: DeadSessionsOptions) {
    this.#options = options
  }

  /** The connected sessions by the process that holds their socket. */
  holders(): Map<string, Session[]> {
    const holders = new Map<string, Session[]>()
    for (const session of this.#options.room.view.sessions.values()) {
      const instance = session.state.is_connected ? session.state.instance?.split('.')[0] : undefined
      if (instance !== undefined) {
        holders.set(instance, [...(holders.get(instance) ?? []), session])
      }
    }
    return holders
  }

  /** Looks for dead processes among these, and ends what they held once their grace is over. Fails with `unavailable` while Redis is away. */
  async sweep(holders: ReadonlyMap<string, readonly Session[]>): Promise<void> {
    const { room, connection, clock, graceMs } = this.#options
    const now = clock.now()
    const dead = holders.size === 0 ? [] : await deadInstances(connection, [...holders.keys()])
    for (const instance of [...this.#missed.keys()].filter((one) => !dead.includes(one))) {
      this.#missed.delete(instance)
    }
    for (const instance of dead) {
      const since = this.#missed.get(instance) ?? now
      this.#missed.set(instance, since)
      if (now - since >= graceMs) {
        for (const { id, state } of holders.get(instance) ?? []) {
          await room.run(disconnectSession, [id, state.epoch, ''])
        }
      }
    }
  }
}
