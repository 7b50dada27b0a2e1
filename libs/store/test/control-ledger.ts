import type { Room, RoomEvent } from '../src/index.ts'

/** Every turn at the controls, as one process hears of it; checks that they could only ever be in one hand. */
export class ControlLedger {
  readonly #room: Room
  readonly #turns: { fence: number; host: string | null; previous: string | null }[] = []
  #checked = 0

  constructor(room: Room) {
    this.#room = room
    room.onEvents.add((events) => events.forEach((event) => this.#note(event)))
  }

  turns(): readonly { fence: number; host: string | null }[] {
    return this.#turns
  }

  /** Throws where a turn did not follow from the one before: a fence that did not grow, or another host than the last one was replaced. */
  check(): void {
    for (; this.#checked < this.#turns.length; this.#checked++) {
      const [turn, before] = [this.#turns[this.#checked], this.#turns[this.#checked - 1]]
      if (turn && before && (turn.fence <= before.fence || turn.previous !== before.host)) {
        throw new Error(`turn ${JSON.stringify(turn)} does not follow from ${JSON.stringify(before)}`)
      }
    }
    const { host } = this.#room.view
    const session = host === undefined ? undefined : this.#room.view.session(host)
    if (host !== undefined && !session?.profile.can_host) {
      throw new Error(`${host} has the controls and may not host`)
    }
  }

  #note(event: RoomEvent): void {
    if (event.is === 'host') {
      this.#turns.push({ fence: event.fence, host: event.host, previous: event.previous })
    }
  }
}
