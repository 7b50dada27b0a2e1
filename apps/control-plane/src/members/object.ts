import type { MemberStore } from '@neko-edge/store'
import { isSameSecret, sha256 } from '../secret.ts'
import { isPassword } from './password.ts'
import type { MemberProvider } from './provider.ts'
import { type NamedMember, profileOf } from './redis.ts'
import { storedMembers } from './stored.ts'

/**
 * The members of the configuration, and those that admins add. They are kept in Redis, so that all control planes know the same
 * ones, and made anew when the configuration names others; a password that nobody has changed stays in the configuration.
 */
export async function objectMembers(store: MemberStore, users: readonly NamedMember[]): Promise<MemberProvider> {
  const passwords = new Map(users.toReversed().map(({ username, password }) => [username, password]))
  const members = users.map((user) => [user.username, { profile: profileOf(user) }] as const)
  await store.seed(members, await sha256(JSON.stringify(members)))
  return storedMembers(store, ({ username, password }, record) => {
    const stored = record?.password
    return stored === undefined ? isSameSecret(password, passwords.get(username) ?? '') : isPassword(password, stored, () => '')
  })
}
