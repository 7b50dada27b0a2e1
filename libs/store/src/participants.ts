import { type Clock, type Log, messageOf } from '@neko-edge/kit'
import type { News, NewsQueue } from './news.ts'
import type { Room } from './room.ts'
import type { RoomEvent } from './room-event.ts'

export interface ParticipantsOptions {
  readonly room: Room
  readonly news: Pick<NewsQueue, 'tell'>
  /** Whether anybody is to hear of it. */
  readonly isWanted: () => boolean
  readonly clock: Clock
  readonly log: Log
}

interface Presence {
  readonly since: number
  readonly name: string
  readonly isAdmin: boolean
}

/** Tells who comes into a room and who leaves it. Every process that follows the room is a witness; their word counts once. */
export function tellParticipants({ room, news, isWanted, clock, log }: ParticipantsOptions): () => void {
  const present = new Map<string, Presence>()
  for (const { id, state } of room.view.sessions.values()) {
    if (state.is_connected) {
      present.set(id, presenceOf(room, id, state.connected_since))
    }
  }
  const tell = (what: 'joined' | 'left', id: string, { since, name, isAdmin }: Presence) => {
    if (isWanted()) {
      const piece: News = {
        id: `participant.${what}.${room.id}.${id}.${since}`,
        type: `participant.${what}`,
        room: room.id,
        at: clock.now(),
        participant: { id, name, is_admin: isAdmin },
      }
      news.tell(piece).catch((error: unknown) => log.debug({ error: messageOf(error) }, 'news of a participant lost'))
    }
  }
  const leave = (id: string) => {
    const before = present.get(id)
    if (before && present.delete(id)) {
      tell('left', id, before)
    }
  }
  const follow = (event: RoomEvent) => {
    if (event.is === 'connected' && !present.has(event.id)) {
      const presence = presenceOf(room, event.id, event.state.connected_since)
      present.set(event.id, presence)
      tell('joined', event.id, presence)
    } else if (event.is === 'deleted' || (event.is === 'state' && !event.state.is_connected)) {
      leave(event.id)
    }
  }
  return room.onEvents.add((events) => events.forEach(follow))
}

function presenceOf(room: Room, id: string, since = 0): Presence {
  const profile = room.view.session(id)?.profile
  return { since, name: profile?.name ?? '', isAdmin: profile?.is_admin ?? false }
}
