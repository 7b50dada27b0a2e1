import { messageOf } from '@neko-edge/kit'
import { field, lenientObject, mergeProfile, optional, ProfilePatchSchema } from '@neko-edge/protocol'
import { z } from 'zod'
import { deleteMember, memberProfile, updateMember } from '../members/members.ts'
import { type Call, failure, type Guard, operation } from './operation.ts'

const ids = field(z.array(field(z.string(), '')), [])
/** `null` as the whole body is no list of members: upstream's process breaks there. */
const listed = <Schema extends z.ZodType>(schema: Schema) => z.preprocess((value) => value ?? undefined, schema)
const words = { empty: 'unable to unmarshal payload', malformed: 'unable to unmarshal payload' }
const guards: readonly Guard[] = ['session', 'admin']

/** Many members at once, one after the other: after one that fails, those before it stay changed. */
export const membersBulk = [
  operation({
    method: 'POST',
    path: '/api/members_bulk/update',
    summary: 'Change the profiles of members alike',
    guards,
    body: { schema: listed(lenientObject({ ids, profile: optional(ProfilePatchSchema) })), isStrict: true, words },
    fails: { 500: 'one of them can not be changed; the answer says which' },
    handle: ({ body, ...call }) =>
      each({ ...call, body: undefined }, { ids: body.ids, verb: 'update', act: (id) => update({ ...call, body: body.profile ?? {} }, id) }),
  }),
  operation({
    method: 'POST',
    path: '/api/members_bulk/delete',
    summary: 'Remove members',
    guards,
    body: { schema: listed(lenientObject({ ids })), isStrict: true, words },
    fails: { 500: 'one of them can not be removed; the answer says which' },
    handle: ({ body, ...call }) =>
      each(
        { ...call, body: undefined },
        { ids: body.ids, verb: 'delete', act: (id) => deleteMember(call.deps, { id, actor: call.actor.id }) },
      ),
  }),
]

async function update({ deps, actor, body }: Call<z.output<typeof ProfilePatchSchema>>, id: string): Promise<void> {
  await memberProfile(deps, id)
  await updateMember(deps, { id, actor: actor.id, change: (profile) => mergeProfile(profile, body) })
}

async function each(
  { hub }: Call<undefined>,
  { ids: members, verb, act }: { ids: readonly string[]; verb: 'update' | 'delete'; act: (id: string) => Promise<void> },
): Promise<Response | undefined> {
  for (const id of members) {
    try {
      await act(id)
    } catch (error) {
      hub.log.info({ member: id, error: messageOf(error) }, 'member not changed')
      return failure(500, `failed to ${verb} member ${id}`)
    }
  }
  return undefined
}
