import { lockNames, type MemberProfile } from '@neko-edge/protocol'
import type { Context, Hono } from 'hono'
import { pictureResponse } from '../http/blob.ts'
import { clientAddress, type Deps } from '../http/context.ts'
import { json } from '../http/operation.ts'
import { credentialsOf, memberOf } from './credentials.ts'
import { addFileRoutes } from './file.ts'
import { ownerOf } from './greet.ts'
import { isMember, wireMember } from './member.ts'
import { type AddV2Route, refusal, type V2Caller, V2Refusal } from './route.ts'

/** The HTTP endpoints of V2. */
export function addLegacyHttp(app: Hono, deps: Deps): void {
  const route: AddV2Route = (method, path, answer) =>
    app.on(method, path, async (context) => {
      try {
        return await answer(context, await callerOf(context, deps))
      } catch (error) {
        return refusal(error)
      }
    })
  route('GET', '/stats', async (_, { profile }) => {
    mustBeAdmin(profile)
    return json(stats(deps))
  })
  route('GET', '/screenshot.jpg', async (context, { profile }) => {
    if (deps.hub.room.view.locks.login && !profile.is_admin) {
      throw new V2Refusal(423, 'room is locked')
    }
    mustBeAdmin(profile)
    const { node } = deps.hub
    return pictureResponse(node, await node.call('screen.shot', { quality: qualityOf(context.req.query('quality')) }), 'image/jpeg')
  })
  addFileRoutes(route, deps)
}

async function callerOf(context: Context, deps: Deps): Promise<V2Caller> {
  const address = clientAddress(context, deps)
  const credentials = credentialsOf(context)
  if (deps.hub.room.view.bans.has(address)) {
    throw new V2Refusal(403, 'banned ip')
  }
  const wait = await deps.limit.blockedFor(address, credentials.username)
  if (wait !== undefined) {
    throw new V2Refusal(429, `too many failed logins: try again in ${wait} s`)
  }
  const member = await memberOf(deps.members, credentials)
  if (!member) {
    await deps.limit.failed(address, credentials.username)
    throw new V2Refusal(403, 'invalid password')
  }
  return { profile: member.profile, address }
}

function mustBeAdmin(profile: MemberProfile): void {
  if (!profile.is_admin) {
    throw new V2Refusal(401, 'bad authorization')
  }
}

/** JPEG quality 1…100; 90 where nothing, or nothing readable, is asked for. */
export function qualityOf(text: string | undefined): number {
  const quality = /^[-+]?\d+$/.test(text ?? '') ? Number(text) : 90
  return Math.min(100, Math.max(1, quality))
}

/** V2's statistics, every field filled: who is banned by whom, and who locked what. */
function stats({ hub }: Deps) {
  const { view } = hub.room
  const sessions = [...view.sessions.values()]
  const time = (ms: number | undefined) => (ms === undefined ? null : new Date(ms).toISOString())
  return {
    connections: sessions.filter(({ state }) => state.is_connected).length,
    host: view.host ?? '',
    members: sessions.filter(isMember).map(wireMember),
    banned: Object.fromEntries([...view.bans].map(([ip, { owner }]) => [ip, owner])),
    locked: Object.fromEntries(
      lockNames.flatMap((name) => {
        const lock = view.locks[name]
        return lock ? [[name, lock.cause === 'protection' ? 'by_control_protection' : ownerOf(name, view)]] : []
      }),
    ),
    server_started_at: time(view.startedAt),
    last_admin_left_at: time(view.lastLeftAt.admin),
    last_user_left_at: time(view.lastLeftAt.user),
    control_protection: view.settings.control_protection,
    implicit_control: view.settings.implicit_hosting,
  }
}
