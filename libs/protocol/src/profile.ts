import { z } from 'zod'
import { anyJson, lenientObject, optional } from './lenient.ts'

/** Flat `"<plugin>.<setting>"` keys; `null` where none was ever set. */
export const Plugins = z.record(z.string(), anyJson).nullable()

const flagNames = [
  'is_admin',
  'can_login',
  'can_connect',
  'can_watch',
  'can_host',
  'can_share_media',
  'can_access_clipboard',
  'sends_inactive_cursor',
  'can_see_inactive_cursors',
] as const
export type ProfileFlag = (typeof flagNames)[number]

const flagsOf = <T>(value: T) => Object.fromEntries(flagNames.map((name) => [name, value])) as Record<ProfileFlag, T>

/** What a member is called and may do, as V3 writes it: all keys, in this order. */
export const MemberProfile = z.object({ name: z.string(), ...flagsOf(z.boolean()), plugins: Plugins })
export type MemberProfile = z.infer<typeof MemberProfile>

/** A change of a profile: absent and `null` fields stay as they are, `plugins` is merged key by key. */
export const ProfilePatch = lenientObject({ name: optional(z.string()), ...flagsOf(optional(z.boolean())), plugins: Plugins.optional() })
export type ProfilePatch = z.infer<typeof ProfilePatch>

/** A profile in which every permission is `granted`, without admin rights. */
export function baseProfile({ granted, name = '' }: { granted: boolean; name?: string }): MemberProfile {
  return { name, ...flagsOf(granted), is_admin: false, plugins: null }
}

/** `null` resets the map, an object is merged into it, absent leaves it. */
export function mergePlugins(current: MemberProfile['plugins'], patch: MemberProfile['plugins'] | undefined): MemberProfile['plugins'] {
  return patch === undefined ? current : patch === null ? null : { ...current, ...patch }
}

export function mergeProfile(current: MemberProfile, patch: ProfilePatch): MemberProfile {
  const changed = Object.fromEntries(Object.entries(patch).filter(([key, value]) => key !== 'plugins' && value !== undefined))
  return { ...current, ...changed, plugins: mergePlugins(current.plugins, patch.plugins) }
}
