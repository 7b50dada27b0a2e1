import { NekoError } from '@neko-edge/kit'
import {
  baseProfile,
  lenientObject,
  type MemberProfile,
  MemberProfileSchema,
  mergeProfile,
  optional,
  ProfilePatchSchema,
  text,
} from '@neko-edge/protocol'
import { z } from 'zod'
import { deleteMember, memberProfile, updateMember } from '../members/members.ts'
import { type Call, type EarlyCall, type Guard, operation } from './operation.ts'

const MemberData = z.object({ id: z.string(), profile: MemberProfileSchema })
const NewMember = lenientObject({ username: text, password: text, profile: optional(ProfilePatchSchema) })
const guards: readonly Guard[] = ['session', 'admin']
const path = '/api/members/{id}'
const unknown = { 404: 'no such member', 500: 'the provider keeps no members' }

/** Who may come in. A member id is a session's id as well; what a live session has been given counts first. */
export const members = [
  operation({
    method: 'GET',
    path: '/api/members',
    isMount: true,
    summary: 'All members, by id',
    guards: ['session'],
    query: { limit: 'how many; 0 is all', offset: 'how many to leave out first' },
    reply: z.array(MemberData),
    handle: list,
  }),
  operation({
    method: 'POST',
    path: '/api/members',
    isMount: true,
    summary: 'Add a member; whatever its profile does not say is granted, but for admin rights',
    guards,
    body: { schema: NewMember },
    reply: MemberData,
    fails: { 422: 'there is one of this name', 500: 'the provider keeps no members' },
    handle: add,
  }),
  operation({
    method: 'GET',
    path,
    isMount: true,
    summary: 'The profile of a member',
    guards,
    reply: MemberProfileSchema,
    fails: unknown,
    handle: (call) => profileOf(call),
  }),
  operation({
    method: 'POST',
    path,
    isMount: true,
    summary: 'Change the profile of a member, and of its session',
    guards,
    body: { schema: ProfilePatchSchema },
    fails: unknown,
    permit: exists,
    handle: ({ deps, actor, param, body }) =>
      updateMember(deps, { id: param('id'), actor: actor.id, change: (profile) => mergeProfile(profile, body) }),
  }),
  operation({
    method: 'DELETE',
    path,
    isMount: true,
    summary: 'Remove a member, and end its session',
    guards,
    fails: unknown,
    async handle(call) {
      await exists(call)
      await deleteMember(call.deps, { id: call.param('id'), actor: call.actor.id })
    },
  }),
  operation({
    method: 'POST',
    path: '/api/members/{id}/password',
    summary: 'Change the password of a member',
    guards,
    body: { schema: lenientObject({ password: text }) },
    fails: unknown,
    permit: exists,
    handle: ({ deps, param, body }) => deps.members.updatePassword(param('id'), body.password),
  }),
]

const profileOf = ({ deps, param }: EarlyCall): Promise<MemberProfile> => memberProfile(deps, param('id'))

async function exists(call: EarlyCall): Promise<undefined> {
  await profileOf(call)
}

async function list({ deps, context }: EarlyCall): Promise<unknown> {
  const number = (name: string) => {
    const given = context.req.query(name) ?? ''
    return /^\d{1,9}$/.test(given) ? Number(given) : 0
  }
  const all = (await deps.members.list()).toSorted((a, b) => (a.id < b.id ? -1 : 1))
  const [limit, offset] = [number('limit'), number('offset')]
  return all.slice(offset, limit === 0 ? undefined : offset + limit)
}

async function add({ deps, body: { username, password, profile } }: Call<z.output<typeof NewMember>>): Promise<unknown> {
  for (const [name, value] of Object.entries({ username, password })) {
    if (value === '') {
      throw new NekoError('invalid', `${name} cannot be empty`)
    }
  }
  return deps.members.insert(username, password, mergeProfile(baseProfile({ granted: true }), profile ?? {}))
}
