export * from './bus.ts'
export { field, flag, int, lenientObject, optional, text, uint, whole } from './lenient.ts'
export {
  baseProfile,
  type MemberProfile,
  MemberProfile as MemberProfileSchema,
  mergePlugins,
  mergeProfile,
  type ProfileFlag,
  type ProfilePatch,
  ProfilePatch as ProfilePatchSchema,
} from './profile.ts'
export * from './relay.ts'
export * from './room.ts'
export * from './stream.ts'
export { StreamWordSchema } from './stream-word.ts'
export { decodeLegacyChannel } from './v2/channel.ts'
export * from './v2/client.ts'
export * from './v2/wire.ts'
export * from './v3/channel.ts'
export * from './v3/client.ts'
export * from './v3/wire.ts'
