import type { Session, V2Message } from '@neko-edge/protocol'
import type { RoomEvent, RoomView } from '@neko-edge/store'
import { toMembers, type V2Announcement } from './announce.ts'
import { isMember, isMuted, wireMember } from './member.ts'

/** The reasons for which somebody is removed by somebody, and V2's word for each. */
const removals: ReadonlyMap<string, 'admin/kick' | 'admin/ban'> = new Map([
  ['kicked', 'admin/kick'],
  ['banned', 'admin/ban'],
])

/** What V2 clients of this process have been told of somebody. */
interface Known {
  readonly name: string
  readonly isMuted: boolean
  readonly mayHost: boolean
  /** In a room of very many, a newcomer is known to himself alone. */
  readonly isListed: boolean
}

/**
 * Whom V2 clients know: everybody is announced once when he comes and once when he goes, whatever the states in between,
 * and a mute only when it changes.
 */
export class Crowd {
  readonly #view: () => RoomView
  readonly #known = new Map<string, Known>()

  /** Takes everybody who is there as known. */
  constructor(view: () => RoomView) {
    this.#view = view
    for (const session of view().sessions.values()) {
      if (isMember(session)) {
        this.#remember(session)
      }
    }
  }

  /** What a change of somebody means to those who know him. */
  follow(event: RoomEvent): V2Announcement[] {
    switch (event.is) {
      case 'state':
        // Who is removed is told of as removed, by the event that follows; before that he does not just leave.
        return removals.has(event.reason ?? '') ? [] : this.#settle(event.id, '')
      case 'connected':
      case 'listed':
        return this.#settle(event.id, '')
      case 'profile':
        // What is about him comes first: what everybody hears overwrites what is known of him.
        return [...this.#ownLock(event.id, event.actor), ...this.#settle(event.id, event.actor)]
      case 'deleted':
        return this.#gone(event)
      default:
        return []
    }
  }

  // A right that V2 does not know: to whom it is taken, the controls are locked.
  #ownLock(id: string, actor: string): V2Announcement[] {
    const view = this.#view()
    const [session, known] = [view.session(id), this.#known.get(id)]
    if (!session || !known || known.mayHost === session.profile.can_host || view.locks.control !== undefined) {
      return []
    }
    const event = session.profile.can_host ? 'admin/unlock' : 'admin/lock'
    return [{ message: { event, resource: 'control', id: actor }, only: id }]
  }

  #settle(id: string, actor: string): V2Announcement[] {
    const session = this.#view().session(id)
    const known = this.#known.get(id)
    if (!session || !isMember(session)) {
      return known && !session?.state.is_connected ? this.#forget(id) : []
    }
    this.#remember(session)
    const tell = (message: V2Message): V2Announcement => (this.#view().isListed(session) ? toMembers(message) : { message, only: id })
    const connected: V2Message = { event: 'member/connected', ...wireMember(session) }
    if (!known || known.name !== session.profile.name) {
      return [tell(connected)]
    }
    if (!known.isListed && this.#view().isListed(session)) {
      return [{ message: connected, to: (each) => isMember(each) && each.id !== id }]
    }
    return known.isMuted === isMuted(session)
      ? []
      : [tell({ event: isMuted(session) ? 'admin/mute' : 'admin/unmute', id: actor, target: id })]
  }

  // The words for a kick come before the member goes: afterwards his name would not be known.
  #gone({ id, reason, actor }: Extract<RoomEvent, { is: 'deleted' }>): V2Announcement[] {
    const removal = removals.get(reason)
    const word = removal ? [toMembers({ event: removal, id: actor, target: id })] : []
    return this.#known.get(id)?.isListed ? [...word, ...this.#forget(id)] : this.#forget(id)
  }

  #forget(id: string): V2Announcement[] {
    const isListed = this.#known.get(id)?.isListed
    this.#known.delete(id)
    return isListed ? [toMembers({ event: 'member/disconnected', id })] : []
  }

  #remember(session: Session): void {
    this.#known.set(session.id, {
      name: session.profile.name,
      isMuted: isMuted(session),
      mayHost: session.profile.can_host,
      isListed: this.#view().isListed(session),
    })
  }
}
