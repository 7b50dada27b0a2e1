import type { Config } from '@neko-edge/config'
import { type Clock, type Log, NekoError, type SessionId } from '@neko-edge/kit'
import { baseProfile, type MemberProfile } from '@neko-edge/protocol'
import { findToken } from '@neko-edge/store'
import type { Context } from 'hono'
import { getCookie } from 'hono/cookie'
import type { LoginLimit } from '../login-limit.ts'
import type { MemberProvider } from '../members/provider.ts'
import type { Metrics } from '../metrics.ts'
import type { Links } from '../rooms/link.ts'
import type { Rooms } from '../rooms/rooms.ts'
import type { Runtime } from '../runtime.ts'
import { isSameSecret, sha256 } from '../secret.ts'
import type { Hub } from '../session/hub.ts'

/** What the configuration says of HTTP; the entry file fills it. */
export interface HttpOptions {
  readonly pathPrefix: string
  /** Origins that may call from another site; `*` is all of them. */
  readonly cors: readonly string[]
  /** Origins that may show the page in a frame, beside its own and those above. */
  readonly frameAncestors: readonly string[]
  /** Whether an address is a proxy whose headers are believed. */
  readonly isTrustedProxy: (address: string) => boolean
  readonly metrics: boolean
  /** Whether profiles are served. */
  readonly pprof: boolean
  /** Whether V2 clients are served. */
  readonly legacy: boolean
  /** The directory of the web client, and whether it is ours (then it is served behind a strict content policy). */
  readonly client: { directory: string; isOurs: boolean } | undefined
  readonly apiToken: string
  /** The token of the rooms API; empty: it is off. */
  readonly fleetToken: string
  /** Whether files may be dropped on the picture, and whether dialogs of the application are answered. */
  readonly uploadDrop: boolean
  readonly fileChooserDialog: boolean
  /** The command that opens a link. */
  readonly openCommand: string
  readonly cookie: {
    enabled: boolean
    name: string
    expirationMs: number
    secure: boolean
    httpOnly: boolean
    domain: string
    path: string
  }
}

/** Why nobody else can come in now: nobody at all, or nobody but admins. Empty while everybody can. */
export interface Closed {
  readonly all?: string
  readonly users?: string
}

/** What the rooms API works with. */
export interface FleetDeps {
  readonly rooms: Rooms
  /** What holds where a room says nothing. */
  readonly config: Config
}

/** What every route works with. */
export interface Deps {
  readonly hub: Hub
  readonly members: MemberProvider
  readonly links: Links
  readonly whyClosed: () => Closed
  /** Only in the app at the root of the server. */
  readonly fleet?: FleetDeps
  readonly limit: LoginLimit
  readonly metrics: Metrics
  readonly options: HttpOptions
  readonly runtime: Runtime
  readonly clock: Clock
  readonly log: Log
  /** Whether Redis answers. */
  readonly isReady: () => boolean
  /** The text of `/metrics`. */
  readonly metricsPage: () => Promise<string>
  /** Answers a request as if it had come alone, from the same connection: what a batch is made of. */
  readonly dispatch: (request: Request, env: unknown) => Promise<Response> | Response
}

/** Who calls: a session, or the machine that holds the API token. */
export interface Actor {
  readonly id: SessionId
  readonly profile: MemberProfile
  readonly isApi: boolean
}

const apiActor: Actor = {
  id: 'API' as SessionId,
  profile: {
    ...baseProfile({ granted: false, name: 'API Session' }),
    is_admin: true,
    can_login: true,
    can_watch: true,
    can_host: true,
    can_access_clipboard: true,
  },
  isApi: true,
}

/** The token of a request: cookie before header before query; the first that is there counts, right or wrong. */
export function tokenOf(context: Context, { cookie }: HttpOptions): string | undefined {
  const fromCookie = cookie.enabled ? getCookie(context, cookie.name) : undefined
  if (fromCookie !== undefined) {
    return fromCookie
  }
  const header = (context.req.header('authorization') ?? '').split('Bearer ')
  return header.length === 2 ? (header[1] ?? '').trim() : context.req.query('token') || undefined
}

/** The caller of a token. Fails with `unauthorized`, or `forbidden` for a member who may not log in. */
export async function actorOf(token: string | undefined, { hub, options }: Pick<Deps, 'hub' | 'options'>): Promise<Actor> {
  if (token === undefined) {
    throw new NekoError('unauthorized', 'Unauthorized')
  }
  if (options.apiToken !== '' && (await isSameSecret(token, options.apiToken))) {
    // As below: who calls with this token has seen every earlier change, too.
    await hub.room.run(findToken, [''])
    return apiActor
  }
  // Redis is asked each time: a session made or ended a moment ago elsewhere counts, and the view has caught up with it.
  const id = String(await hub.room.run(findToken, [await sha256(token)]))
  const session = hub.room.view.session(id)
  if (!session) {
    throw new NekoError('unauthorized', 'Unauthorized')
  }
  if (!session.profile.can_login) {
    throw new NekoError('forbidden', 'login is disabled for this session')
  }
  return { id: session.id, profile: session.profile, isApi: false }
}

/**
 * Lets the machine through that holds the fleet token, and nobody else: no session of any room, and no cookie.
 * Fails with `notFound` where the rooms API is off, else `unauthorized`.
 */
export async function admitFleet(context: Context, { options }: Pick<Deps, 'options'>): Promise<void> {
  if (options.fleetToken === '') {
    throw new NekoError('notFound', 'the rooms API is off: set rooms.api_token to switch it on')
  }
  const [, token = ''] = /^Bearer +(\S+)$/i.exec(context.req.header('authorization') ?? '') ?? []
  if (!(await isSameSecret(token, options.fleetToken))) {
    throw new NekoError('unauthorized', 'the rooms API wants the fleet token: Authorization: Bearer and what rooms.api_token is')
  }
}

/** The client's address: a proxy's word for it, where the configuration trusts that proxy. */
export function clientAddress(context: Context, { runtime, options }: Pick<Deps, 'runtime' | 'options'>): string {
  const peer = runtime.peerAddress(context).replace(/^::ffff:(?=\d+\.)/, '')
  if (!options.isTrustedProxy(peer)) {
    return peer
  }
  const named =
    context.req.header('true-client-ip') ?? context.req.header('x-real-ip') ?? context.req.header('x-forwarded-for')?.split(',')[0]?.trim()
  return named && /^[\da-fA-F:.]{2,45}$/.test(named) ? named : peer
}
