import { NekoError } from '@neko-edge/kit'
import type { MemberProfile } from '@neko-edge/protocol'
import type { MemberRecord, MemberStore } from '@neko-edge/store'
import { hashPassword } from './password.ts'
import type { Member, MemberProvider } from './provider.ts'

export const unknownMember = () => new NekoError('notFound', 'member not found')
export const memberExists = () => new NekoError('unprocessable', 'member already exists')

/** The operations of a provider whose members are in Redis, under their names; `matches` decides who may come in. */
export function storedMembers(
  store: MemberStore,
  matches: (credentials: { username: string; password: string }, record: MemberRecord | undefined) => Promise<boolean>,
): MemberProvider {
  const must = (isThere: boolean): void => {
    if (!isThere) {
      throw unknownMember()
    }
  }
  return {
    async authenticate(username, password): Promise<Member | undefined> {
      const record = await store.get(username)
      const isRight = await matches({ username, password }, record)
      return record && isRight ? { id: username, profile: record.profile } : undefined
    },
    async insert(username, password, profile) {
      if (!(await store.insert(username, { profile, password: await hashPassword(password) }))) {
        throw memberExists()
      }
      return { id: username, profile }
    },
    updateProfile: async (id, profile) => must(await store.change(id, (record) => ({ ...record, profile }))),
    async updatePassword(id, password) {
      const hash = await hashPassword(password)
      must(await store.change(id, (record) => ({ ...record, password: hash })))
    },
    async select(id): Promise<MemberProfile> {
      const record = await store.get(id)
      if (!record) {
        throw unknownMember()
      }
      return record.profile
    },
    list: async () => (await store.all()).map(([id, { profile }]) => ({ id, profile })),
    delete: async (id) => must(await store.remove(id)),
  }
}
