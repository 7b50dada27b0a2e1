import { NekoError, randomText, type SessionId } from '@neko-edge/kit'
import { field, lenientObject, mergeProfile, ProfilePatchSchema, wireSession } from '@neko-edge/protocol'
import { createSession, deleteSession } from '@neko-edge/store'
import type { Context } from 'hono'
import { deleteCookie, setCookie } from 'hono/cookie'
import { z } from 'zod'
import { sha256 } from '../secret.ts'
import { editProfile } from '../session/profile.ts'
import { clientAddress, type HttpOptions } from './context.ts'
import { type Call, operation } from './operation.ts'
import { LoginReply, SessionData, Stats } from './schema.ts'

const Credentials = lenientObject({ username: field(z.string().max(1024), ''), password: field(z.string().max(1024), '') })

/** Logging in and out, and what a session may know and say of itself. */
export const currentSession = [
  operation({
    method: 'POST',
    path: '/api/login',
    summary: 'Log in; the token comes in the reply, or as a cookie where cookies are on',
    guards: [],
    body: { schema: Credentials },
    reply: LoginReply,
    fails: {
      401: 'wrong name or password',
      403: 'logins are locked',
      422: 'the member is connected already',
      429: 'too many failed logins',
    },
    handle: logIn,
  }),
  operation({
    method: 'POST',
    path: '/api/logout',
    summary: 'End the session',
    guards: ['session'],
    reply: z.literal(true),
    async handle({ context, deps, hub, actor }) {
      if (actor.isApi) {
        throw new NekoError('invalid', 'session is not logged in')
      }
      await hub.room.run(deleteSession, [actor.id, 'session deleted', actor.id])
      clearCookie(context, deps.options)
      return true
    },
  }),
  operation({
    method: 'GET',
    path: '/api/whoami',
    summary: 'Who the token belongs to',
    guards: ['session'],
    reply: SessionData,
    async handle({ hub, actor }) {
      const session = hub.room.view.session(actor.id)
      return session ? wireSession(session) : { id: actor.id, profile: actor.profile, state: { is_connected: false, is_watching: false } }
    },
  }),
  operation({
    method: 'POST',
    path: '/api/profile',
    summary: 'Change the own profile: the name, and for admins everything',
    guards: ['session'],
    body: { schema: ProfilePatchSchema },
    reply: z.literal(true),
    async handle({ hub, actor, body }) {
      if (actor.isApi) {
        throw new NekoError('invalid', 'session does not exist')
      }
      await editProfile(hub, actor.id, {
        actor: actor.id,
        change: (profile) => (profile.is_admin ? mergeProfile(profile, body) : { ...profile, name: body.name ?? '' }),
      })
      return true
    },
  }),
  operation({
    method: 'GET',
    path: '/api/stats',
    summary: 'Who is there, in numbers',
    guards: ['session'],
    reply: Stats,
    async handle({ hub: { room } }) {
      const { view } = room
      const { users, admins } = view.connected()
      const left = (ms: number | undefined) => (ms === undefined ? undefined : new Date(ms).toISOString())
      return {
        has_host: view.host !== undefined,
        host_id: view.host,
        server_started_at: new Date(view.startedAt).toISOString(),
        total_users: users,
        last_user_left_at: left(view.lastLeftAt.user),
        total_admins: admins,
        last_admin_left_at: left(view.lastLeftAt.admin),
      }
    },
  }),
]

const outcomes = {
  banned: new NekoError('forbidden', 'banned'),
  locked: new NekoError('forbidden', 'logins are locked'),
  connected: new NekoError('unprocessable', 'session already connected'),
} as const

async function logIn({
  context,
  deps,
  hub,
  body: { username, password },
}: Call<z.output<typeof Credentials>>): Promise<z.input<typeof LoginReply>> {
  const { members, limit, metrics, options } = deps
  const address = clientAddress(context, deps)
  const wait = await limit.blockedFor(address, username)
  if (wait !== undefined) {
    context.header('retry-after', String(wait))
    throw new NekoError('tooMany', `too many failed logins: try again in ${wait} s`)
  }
  const member = await members.authenticate(username, password)
  if (!member) {
    metrics.logins.inc({ outcome: 'wrong' })
    await limit.failed(address, username)
    throw new NekoError('unauthorized', 'Unauthorized')
  }
  const token = randomText(64)
  const outcome = String(await hub.room.run(createSession, [member.id, JSON.stringify(member.profile), await sha256(token), address]))
  metrics.logins.inc({ outcome })
  if (outcome in outcomes) {
    throw outcomes[outcome as keyof typeof outcomes]
  }
  const session = hub.room.view.session(member.id) ?? { id: member.id as SessionId, ...fresh(member) }
  const { id, profile, state } = wireSession(session)
  if (!options.cookie.enabled) {
    return { id, token, profile, state }
  }
  setSessionCookie(context, token, deps)
  return { id, profile, state }
}

const fresh = ({ profile }: { profile: z.output<typeof LoginReply>['profile'] }) => ({
  profile,
  state: { is_connected: false, is_watching: false, epoch: 0, token: '' },
})

function setSessionCookie(context: Context, token: string, { options: { cookie }, clock }: Call<unknown>['deps']): void {
  setCookie(context, cookie.name, token, {
    ...(cookie.path && { path: cookie.path }),
    ...(cookie.domain && { domain: cookie.domain }),
    expires: new Date(clock.now() + cookie.expirationMs),
    httpOnly: cookie.httpOnly,
    // A cookie for another site's page needs both; without Secure browsers refuse SameSite=None.
    ...(cookie.secure && { secure: true, sameSite: 'None' as const }),
  })
}

/** Takes a cookie that does not lead to a session off the client. */
export function clearCookie(context: Context, { cookie }: HttpOptions): void {
  if (cookie.enabled) {
    deleteCookie(context, cookie.name, {
      ...(cookie.path && { path: cookie.path }),
      ...(cookie.domain && { domain: cookie.domain }),
      ...(cookie.secure && { secure: true }),
    })
  }
}
