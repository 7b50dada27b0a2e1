import { Backoff, type Clock, type Log } from '@neko-edge/kit'
import type { Uplinks } from '../uplink/uplinks.ts'

/** A relay whose uplink is down for so long is given up for another one, and for so long comes last, in milliseconds. */
const downMs = 8_000
const distrustMs = 60_000
/** How soon a relay is looked for again, where there is none. */
const seek = { firstMs: 500, maxMs: 5_000 }

export interface UplinkCareOptions {
  readonly uplinks: Pick<Uplinks, 'isOpen'>
  /** The relays that take the room from here. */
  readonly direct: () => readonly string[]
  /** Whether there is any relay that stays. */
  readonly hasRelay: () => boolean
  /** Finds a relay; whether there is one now. */
  readonly grow: () => Promise<boolean>
  readonly giveUp: (relay: string) => void
  /** Another relay has the uplink, or none. */
  readonly onUplink: (relay: string | null) => void
  readonly clock: Clock
  readonly log: Log
}

/** Sees to it that a room whose node nobody can reach has a relay before anybody asks for it, and says where there is none. */
export class UplinkCare {
  readonly #options: UplinkCareOptions
  readonly #downSince = new Map<string, number>()
  readonly #failedAt = new Map<string, number>()
  #backoff = new Backoff(seek)
  #seekAt = 0
  #to: string | null | undefined

  constructor(options: UplinkCareOptions) {
    this.#options = options
  }

  /** To be called every now and then, and at once where an uplink has opened. */
  look(): void {
    this.#lookAtRelays()
    const { uplinks, direct, hasRelay, onUplink, clock } = this.#options
    const to = direct().find((relay) => uplinks.isOpen(relay)) ?? null
    if (to !== this.#to) {
      this.#to = to
      onUplink(to)
    }
    if (!hasRelay() && clock.now() >= this.#seekAt) {
      this.#seekAt = Number.POSITIVE_INFINITY
      void this.#seek()
    }
  }

  /** 1 for a relay to which the uplink failed a while ago, else 0. */
  distrust(relay: string): 0 | 1 {
    const failedAt = this.#failedAt.get(relay)
    return failedAt !== undefined && this.#options.clock.now() - failedAt < distrustMs ? 1 : 0
  }

  /** The relay did not take the room, or is gone. */
  noteFailure(relay: string): void {
    this.#failedAt.set(relay, this.#options.clock.now())
  }

  #lookAtRelays(): void {
    const { uplinks, direct, giveUp, clock, log } = this.#options
    const relays = direct()
    for (const gone of [...this.#downSince.keys()].filter((relay) => !relays.includes(relay) || uplinks.isOpen(relay))) {
      this.#downSince.delete(gone)
    }
    for (const relay of relays.filter((each) => !uplinks.isOpen(each))) {
      const since = this.#downSince.get(relay) ?? clock.now()
      this.#downSince.set(relay, since)
      if (clock.now() - since > downMs) {
        log.warn({ relay }, 'uplink stays down: relay given up')
        this.noteFailure(relay)
        // It may be the only one, and be taken again: that is another try.
        this.#downSince.delete(relay)
        giveUp(relay)
      }
    }
  }

  async #seek(): Promise<void> {
    const { grow, clock, log } = this.#options
    if (await grow().catch(() => false)) {
      this.#backoff = new Backoff(seek)
      this.#seekAt = 0
      return
    }
    if (this.#backoff.failures === 0) {
      log.warn({}, 'no relay takes the room: nobody can watch it until one does, see node.uplink')
    }
    this.#seekAt = clock.now() + this.#backoff.next(0)
  }
}
