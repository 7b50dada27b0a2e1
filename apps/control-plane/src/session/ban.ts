import type { Session } from '@neko-edge/protocol'
import { changeBan, deleteSession } from '@neko-edge/store'
import type { Hub } from './hub.ts'

/** Removes somebody from the room, and lets nobody in from that address until the ban is lifted. */
export async function banSession(hub: Hub, { actor, target }: { actor: { id: string; name: string }; target: Session }): Promise<void> {
  const { address } = target.state
  if (address !== undefined) {
    const ban = { owner: actor.id, name: actor.name, since: hub.clock.now(), target: target.id }
    await hub.room.run(changeBan, [address, JSON.stringify(ban), actor.id])
  }
  await hub.room.run(deleteSession, [target.id, 'banned', actor.id])
}
