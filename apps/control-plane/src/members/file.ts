import { errorCode, messageOf, NekoError, SerialQueue } from '@neko-edge/kit'
import { baseProfile, type MemberProfile, mergeProfile, ProfilePatchSchema } from '@neko-edge/protocol'
import { z } from 'zod'
import type { Runtime } from '../runtime.ts'
import { comparesLike, hashPassword, isPassword } from './password.ts'
import type { Member, MemberProvider } from './provider.ts'
import { memberExists, unknownMember } from './stored.ts'

const Entry = z.object({ password: z.string().default(''), profile: ProfilePatchSchema.nullish() })
const Entries = z.record(z.string(), Entry)
type Entries = Map<string, z.output<typeof Entry>>

/** SHA-256 in base64: how upstream hashes. Read, never written. */
async function upstreamHash(password: string): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(password))
  return btoa(String.fromCharCode(...new Uint8Array(digest)))
}

const profileIn = ({ profile }: z.output<typeof Entry>): MemberProfile => mergeProfile(baseProfile({ granted: false }), profile ?? {})

/**
 * Members in a JSON file of upstream's form, `{name: {password, profile}}`: read for every operation, so that it may be edited meanwhile,
 * and replaced whole by every change. New passwords are hashed by scrypt, unless `hash` is off.
 */
export function fileMembers(
  { path, hash }: { path: string; hash: boolean },
  { readText, writeText }: Pick<Runtime, 'readText' | 'writeText'>,
): MemberProvider {
  const queue = new SerialQueue()
  const read = () => readEntries(path, readText)
  const change = (act: (entries: Entries) => void): Promise<void> =>
    queue.run(async () => {
      const entries = await read()
      act(entries)
      await writeText(path, `${JSON.stringify(Object.fromEntries(entries), undefined, 2)}\n`)
    })
  const entryIn = (entries: Entries, id: string): z.output<typeof Entry> => {
    const entry = entries.get(id)
    if (!entry) {
      throw unknownMember()
    }
    return entry
  }
  const stored = (password: string) => (hash ? hashPassword(password) : password)
  return {
    async authenticate(username, password): Promise<Member | undefined> {
      const entry = (await read()).get(username)
      if (!entry) {
        return comparesLike(password)
      }
      const isRight = await isPassword(password, entry.password, hash ? upstreamHash : (plain) => plain)
      return isRight ? { id: username, profile: profileIn(entry) } : undefined
    },
    async insert(username, password, profile) {
      const entry = { password: await stored(password), profile }
      await change((entries) => {
        if (entries.has(username)) {
          throw memberExists()
        }
        entries.set(username, entry)
      })
      return { id: username, profile }
    },
    updateProfile: (id, profile) => change((entries) => entries.set(id, { ...entryIn(entries, id), profile })),
    async updatePassword(id, password) {
      const next = await stored(password)
      await change((entries) => entries.set(id, { ...entryIn(entries, id), password: next }))
    },
    select: async (id) => profileIn(entryIn(await read(), id)),
    list: async () => [...(await read())].map(([id, entry]) => ({ id, profile: profileIn(entry) })),
    delete: (id) =>
      change((entries) => {
        entryIn(entries, id)
        entries.delete(id)
      }),
  }
}

async function readEntries(path: string, readText: Runtime['readText']): Promise<Entries> {
  try {
    const text = await readText(path).catch((error: unknown) => {
      if (errorCode(error) === 'ENOENT') {
        return ''
      }
      throw error
    })
    return new Map(text.trim() === '' ? [] : Object.entries(Entries.parse(JSON.parse(text))))
  } catch (error) {
    throw new NekoError('internal', `the member file ${path} can not be read: ${messageOf(error)}`, { cause: error })
  }
}
