import { NekoError } from '@neko-edge/kit'
import type { MemberProfile } from '@neko-edge/protocol'
import { deleteSession } from '@neko-edge/store'
import type { Hub } from '../session/hub.ts'
import { editProfile } from '../session/profile.ts'
import type { MemberProvider } from './provider.ts'

/* What is done to a member is done to its live session first, and then where members are kept. */

interface Parts {
  readonly hub: Hub
  readonly members: MemberProvider
}

/** The profile that counts: a live session's, or else what the provider keeps. Fails as the provider does. */
export async function memberProfile({ hub, members }: Parts, id: string): Promise<MemberProfile> {
  return hub.room.view.session(id)?.profile ?? (await members.select(id))
}

/** Changes a profile, with all that follows for a live session at once. Fails as the provider does; the session has changed then. */
export async function updateMember(
  parts: Parts,
  { id, actor, change }: { id: string; actor: string; change: (profile: MemberProfile) => MemberProfile },
): Promise<void> {
  const { hub, members } = parts
  const live = await editProfile(hub, id, { actor, change }).catch((error: unknown) => {
    if (error instanceof NekoError && error.code === 'notFound') {
      return undefined
    }
    throw error
  })
  await members.updateProfile(id, live ?? change(await members.select(id)))
}

/** Ends the session, and takes the member out. Fails as the provider does; the session is gone then. */
export async function deleteMember({ hub, members }: Parts, { id, actor }: { id: string; actor: string }): Promise<void> {
  await hub.room.run(deleteSession, [id, 'session deleted', actor])
  await members.delete(id)
}
