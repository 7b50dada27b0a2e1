import { NekoError, randomText, type SessionId } from '@neko-edge/kit'
import { field, lenientObject, mergeProfile, ProfilePatchSchema, wireSession } from '@neko-edge/protocol'
import { createSession, deleteSession } from '@neko-edge/store'
import type { Context } from 'hono'
import { deleteCookie, setCookie } from 'hono/cookie'
import { z } from 'zod'
import type { Member } from '../members/provider.ts'
import { checkPlace } from '../rooms/place.ts'
import { sha256 } from '../secret.ts'
import { editProfile } from '../session/profile.ts'
import { clientAddress, type Deps, type HttpOptions } from './context.ts'
import { type Call, operation } from './operation.ts'
import { LoginReply, SessionData, Stats } from './schema.ts'

const Credentials = lenientObject({
  username: field(z.string().max(1024), ''),
  password: field(z.string().max(1024), ''),
  link: field(z.string().max(4096), ''),
})

/** Logging in and out, and what a session may know and say of itself. */
export const currentSession = [
  operation({
    method: 'POST',
    path: '/api/login',
    summary: 'Log in by name and password, or by a join link; the token comes in the reply, or as a cookie where cookies are on',
    guards: [],
    body: { schema: Credentials },
    reply: LoginReply,
    fails: {
      401: 'wrong name or password, or a link that is worth nothing',
      403: 'logins are locked',
      422: 'the member is connected already',
      429: 'too many failed logins',
      503: 'the room or its node is full: the reason, and Retry-After',
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
  body: { username, password, link },
}: Call<z.output<typeof Credentials>>): Promise<z.input<typeof LoginReply>> {
  const { metrics, options } = deps
  const address = clientAddress(context, deps)
  const { member, release } = await identify({ context, deps, address }, { username, password, link })
  const token = randomText(64)
  try {
    checkPlace(deps, { isAdmin: member.profile.is_admin })
    const outcome = String(await hub.room.run(createSession, [member.id, JSON.stringify(member.profile), await sha256(token), address]))
    metrics.logins.inc({ outcome })
    if (outcome in outcomes) {
      throw outcomes[outcome as keyof typeof outcomes]
    }
  } catch (error) {
    await release?.()
    throw error
  }
  const session = hub.room.view.session(member.id) ?? { id: member.id as SessionId, ...fresh(member) }
  const { id, profile, state } = wireSession(session)
  if (!options.cookie.enabled) {
    return { id, token, profile, state }
  }
  setSessionCookie(context, token, deps)
  return { id, profile, state }
}

/** Who logs in. Fails with `unauthorized` for wrong credentials, `tooMany` after too many of them. */
async function identify(
  { context, deps, address }: { context: Context; deps: Deps; address: string },
  { username, password, link }: z.output<typeof Credentials>,
): Promise<{ member: Member; release?: () => Promise<void> }> {
  const { members, links, limit, metrics } = deps
  // Whoever tries links is known by his address; the failures of one link are no other's.
  const account = link === '' ? username : `link ${await sha256(link)}`
  const wait = await limit.blockedFor(address, account)
  if (wait !== undefined) {
    context.header('retry-after', String(wait))
    throw new NekoError('tooMany', `too many failed logins: try again in ${wait} s`)
  }
  try {
    if (link !== '') {
      return await links.redeem(link)
    }
    const member = await members.authenticate(username, password)
    if (member) {
      return { member }
    }
    throw new NekoError('unauthorized', 'Unauthorized')
  } catch (error) {
    if (error instanceof NekoError && error.code === 'unauthorized') {
      metrics.logins.inc({ outcome: 'wrong' })
      await limit.failed(address, account)
    }
    throw error
  }
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
