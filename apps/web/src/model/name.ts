import type { Room } from '@neko-edge/client'
import { words } from '../words/words.ts'

/** A member's name as people should see it. */
export function nameOf(room: Room, id: string): string {
  return room.sessions.get(id)?.profile.name || words.value.people.unnamed
}
