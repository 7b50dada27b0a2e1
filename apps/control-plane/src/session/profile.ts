import { NekoError } from '@neko-edge/kit'
import type { MemberProfile } from '@neko-edge/protocol'
import { changeProfile } from '@neko-edge/store'
import type { Hub } from './hub.ts'

/** How often a change is tried again when somebody else changed the same thing meanwhile. */
const tries = 10

/**
 * Changes the profile of a live session, with all that follows from it at once (a host who may host no more, a member who may
 * not be here), and gives the new one. `change` may run more than once. Fails with `notFound` where there is no such session.
 */
export async function editProfile(
  hub: Hub,
  id: string,
  { actor, change }: { actor: string; change: (profile: MemberProfile) => MemberProfile },
): Promise<MemberProfile> {
  for (let attempt = 0; attempt < tries; attempt++) {
    const session = hub.room.view.session(id)
    if (!session) {
      break
    }
    const next = change(session.profile)
    const outcome = await hub.room.run(changeProfile, [id, JSON.stringify(session.profile), JSON.stringify(next), actor])
    if (outcome === 'changed') {
      return next
    }
    if (outcome === 'gone') {
      break
    }
  }
  throw new NekoError('notFound', 'session not found')
}
