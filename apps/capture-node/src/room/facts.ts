import type { Config } from '@neko-edge/config'
import { type Log, messageOf, SerialQueue } from '@neko-edge/kit'
import type { NodeFacts } from '@neko-edge/protocol'
import { type FactsChange, type Room, tellFacts } from '@neko-edge/store'

/** What a room shows before its desktop runs: what the configuration says. */
export function initialFacts({ desktop, capture }: Config): NodeFacts {
  return {
    screen: desktop.screen,
    screens: [],
    touch: false,
    screencast: capture.screencast.enabled,
    videos: capture.video.ids.length > 0 ? [...capture.video.ids] : ['main'],
    broadcast: { is_active: false, url: capture.broadcast.url },
    dialog: null,
    files: null,
  }
}

/** What this node shows of its room, written to Redis at each change, in order. */
export class Facts {
  readonly #room: Room
  readonly #instance: string
  readonly #log: Log
  readonly #queue = new SerialQueue()
  #facts: NodeFacts

  constructor(room: Room, { instance, initial, log }: { instance: string; initial: NodeFacts; log: Log }) {
    this.#room = room
    this.#instance = instance
    this.#facts = initial
    this.#log = log
  }

  get current(): NodeFacts {
    return this.#facts
  }

  /** Changes some facts and tells the room; `actor` did it, empty where nobody did. */
  async tell(change: FactsChange, { facts, actor }: { facts: Partial<NodeFacts>; actor: string }): Promise<void> {
    this.#facts = { ...this.#facts, ...facts }
    const text = JSON.stringify(this.#facts)
    try {
      await this.#queue.run(() => this.#room.run(tellFacts, [this.#instance, text, change, actor]))
    } catch (error) {
      // They are told again, whole, with the next change or claim.
      this.#log.warn({ change, error: messageOf(error) }, 'facts not told')
    }
  }
}
