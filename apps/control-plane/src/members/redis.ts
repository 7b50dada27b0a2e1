import { baseProfile, mergeProfile, type ProfilePatch } from '@neko-edge/protocol'
import type { MemberRecord, MemberStore } from '@neko-edge/store'
import { comparesLike, hashPassword, isPassword } from './password.ts'
import type { MemberProvider } from './provider.ts'
import { storedMembers } from './stored.ts'

/** A member that the configuration names. */
export interface NamedMember {
  readonly username: string
  readonly password: string
  readonly profile: ProfilePatch
}

/** What a member's profile does not say is not granted, as in upstream. */
export const profileOf = ({ profile }: NamedMember) => mergeProfile(baseProfile({ granted: false }), profile)

/** Members in Redis, for any number of control planes. Those of the configuration are made where there are none yet. */
export async function redisMembers(store: MemberStore, users: readonly NamedMember[]): Promise<MemberProvider> {
  if (users.length > 0 && (await store.isEmpty())) {
    const hashed = users.map(
      async (user): Promise<[string, MemberRecord]> => [
        user.username,
        { profile: profileOf(user), password: await hashPassword(user.password) },
      ],
    )
    await store.seed(await Promise.all(hashed))
  }
  // A record without a password is none of ours: nobody comes in by it.
  return storedMembers(store, async ({ password }, record) =>
    record?.password ? isPassword(password, record.password, () => '') : (await comparesLike(password)) === true,
  )
}
