import { type Session, wireSession } from '@neko-edge/protocol'
import type { RoomEvent, RoomView } from '@neko-edge/store'
import type { V3Announcement } from './announce.ts'

/**
 * Whom V3 clients know. In a room of very many, newcomers are counted and not told of: a change of somebody unknown is for his own
 * socket, who becomes listed is introduced, and who is no longer listed is taken off the clients' lists, so that no list says anything untrue.
 */
export class Listing {
  readonly #view: () => RoomView
  readonly #known: Set<string>

  /** Takes everybody who is listed as known. */
  constructor(view: () => RoomView) {
    this.#view = view
    this.#known = new Set([...view().sessions.values()].filter((session) => view().isListed(session)).map(({ id }) => id))
  }

  /** For whom the words about an event are, and what has to be said besides. */
  follow(event: RoomEvent, words: V3Announcement[]): V3Announcement[] {
    if (!('id' in event)) {
      return words
    }
    const { id } = event
    const session = this.#view().session(id)
    const isKnown = this.#known.has(id)
    if (session && this.#view().isListed(session)) {
      this.#known.add(id)
      return isKnown || event.is === 'created' ? words : [introduction(session)]
    }
    this.#known.delete(id)
    if (!isKnown) {
      return words.map((word) => ({ ...word, only: id }))
    }
    return event.is === 'deleted'
      ? words
      : [...words, { message: { event: 'session/deleted', payload: { id } }, to: (each) => each.id !== id }]
  }
}

const introduction = (session: Session): V3Announcement => ({ message: { event: 'session/created', payload: wireSession(session) } })
