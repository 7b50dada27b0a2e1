import { NekoError, randomText } from '@neko-edge/kit'
import { baseProfile, type MemberProfile, mergeProfile, type ProfilePatch } from '@neko-edge/protocol'
import { isSameSecret } from '../secret.ts'
import type { Member, MemberProvider } from './provider.ts'

export interface MultiuserOptions {
  readonly userPassword: string
  readonly adminPassword: string
  readonly userProfile: ProfilePatch
  readonly adminProfile: ProfilePatch
}

/** The session id of somebody whose name need not be unique: the name, and five random characters. */
export const idOf = (username: string): string => `${username}-${randomText(5)}`

/** What users and admins may do, by the configuration. */
export function multiuserProfiles({
  userProfile,
  adminProfile,
}: Pick<MultiuserOptions, 'userProfile' | 'adminProfile'>): Record<'user' | 'admin', MemberProfile> {
  return {
    user: mergeProfile({ ...baseProfile({ granted: true }), can_see_inactive_cursors: false }, userProfile),
    admin: mergeProfile({ ...baseProfile({ granted: true }), is_admin: true }, adminProfile),
  }
}

/** One password for users, one for admins, any name: every login is a member of its own, who lives as long as his session. */
export function multiuser({ userPassword, adminPassword, userProfile, adminProfile }: MultiuserOptions): MemberProvider {
  const { user, admin } = multiuserProfiles({ userProfile, adminProfile })
  const named = (profile: MemberProfile, name: string): MemberProfile => ({ ...profile, name: profile.name || name })
  return {
    async authenticate(username, password): Promise<Member | undefined> {
      // Both are compared always: the time must not tell which of them is near.
      const [isAdmin, isUser] = await Promise.all([isSameSecret(password, adminPassword), isSameSecret(password, userPassword)])
      if (isAdmin && adminPassword !== '') {
        return { id: idOf(username), profile: named(admin, username) }
      }
      return isUser && userPassword !== '' ? { id: idOf(username), profile: named(user, username) } : undefined
    },
    ...memberless('multiuser'),
  }
}

/** The operations of a provider that keeps no members. */
export function memberless(name: string): Omit<MemberProvider, 'authenticate'> {
  const refuse = async (): Promise<never> => {
    throw new NekoError('internal', `the member provider ${name} keeps no members`)
  }
  return {
    insert: refuse,
    updateProfile: async () => undefined,
    updatePassword: refuse,
    select: refuse,
    list: async () => [],
    delete: refuse,
  }
}
