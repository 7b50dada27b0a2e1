import { lockNames, type MemberProfile } from '@neko-edge/protocol'
import type { Context, Hono } from 'hono'
import { clientAddress, type Deps } from '../http/context.ts'
import { image } from '../http/image.ts'
import { json } from '../http/operation.ts'
import { credentialsOf } from '../http/sockets.ts'
import { isMember, wireMember } from './member.ts'

/** V2's way to say no: a line of plain text. */
class V2Refusal extends Error {
  readonly status: 400 | 401 | 403 | 404 | 423 | 429

  constructor(status: V2Refusal['status'], text: string) {
    super(text)
    this.status = status
  }
}

/** The HTTP endpoints of V2. Nobody logs in by them: the password stands in the address, and no session comes of it. */
export function addLegacyHttp(app: Hono, deps: Deps): void {
  const route = (path: string, answer: (context: Context) => Promise<Response>) =>
    app.get(path, async (context) => {
      try {
        return await answer(context)
      } catch (error) {
        if (error instanceof V2Refusal) {
          return new Response(`${error.message}\n`, { status: error.status, headers: plainText })
        }
        throw error
      }
    })
  route('/stats', async (context) => {
    mustBeAdmin(await profileOf(context, deps))
    return json(stats(deps))
  })
  route('/screenshot.jpg', async (context) => {
    const profile = await profileOf(context, deps)
    if (deps.hub.room.view.locks.login && !profile.is_admin) {
      throw new V2Refusal(423, 'room is locked')
    }
    mustBeAdmin(profile)
    const { data } = await deps.hub.node.call('screen.shot', { quality: qualityOf(context.req.query('quality')) })
    return image(data, 'image/jpeg')
  })
}

const plainText = { 'content-type': 'text/plain; charset=utf-8', 'x-content-type-options': 'nosniff' }

/** The profile that name and password in the address stand for. */
async function profileOf(context: Context, deps: Deps): Promise<MemberProfile> {
  const address = clientAddress(context, deps)
  const { username, password } = credentialsOf(context)
  if (deps.hub.room.view.bans.has(address)) {
    throw new V2Refusal(403, 'banned ip')
  }
  const wait = await deps.limit.blockedFor(address, username)
  if (wait !== undefined) {
    throw new V2Refusal(429, `too many failed logins: try again in ${wait} s`)
  }
  const member = password === '' ? undefined : await deps.members.authenticate(username, password)
  if (!member) {
    await deps.limit.failed(address, username)
    throw new V2Refusal(403, 'invalid password')
  }
  return member.profile
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
    locked: Object.fromEntries(lockNames.flatMap((name) => (view.locks[name] ? [[name, lockedBy(view.locks[name])]] : []))),
    server_started_at: time(view.startedAt),
    last_admin_left_at: time(view.lastLeftAt.admin),
    last_user_left_at: time(view.lastLeftAt.user),
    control_protection: view.settings.control_protection,
    implicit_control: view.settings.implicit_hosting,
  }
}

const lockedBy = ({ cause, owner }: { cause: string; owner: string }) => (cause === 'protection' ? 'by_control_protection' : owner)

