import { NekoError, randomText, type SessionId } from '@neko-edge/kit'
import { decodeV2, decodeV3 } from '@neko-edge/protocol'
import { createSession } from '@neko-edge/store'
import type { Hono, MiddlewareHandler } from 'hono'
import { credentialsOf, memberOf } from '../legacy/credentials.ts'
import { handlers as v2Handlers } from '../legacy/handlers.ts'
import { whyNoPlace } from '../rooms/place.ts'
import { sha256 } from '../secret.ts'
import { receiveBy } from '../session/receive.ts'
import { type Caller, socketLife } from '../session/socket-life.ts'
import { handlers as v3Handlers } from '../session/v3/handlers.ts'
import { streamLife } from '../stream/stream-life.ts'
import { actorOf, clientAddress, type Deps, tokenOf } from './context.ts'
import { checkOrigin } from './origin.ts'

const receiveV3 = receiveBy({ decode: decodeV3, handlers: v3Handlers })
const receiveV2 = receiveBy({ decode: decodeV2, handlers: v2Handlers })

/** The WebSockets of V3 (`/api/ws`), of the thin line where it is on (`/api/stream`) and, where V2 clients are served, of V2 (`/ws`). */
export function addSockets(app: Hono, deps: Deps): void {
  const { hub, runtime, options } = deps
  const v3 = runtime.upgrade((context) => {
    const token = tokenOf(context, options)
    const address = clientAddress(context, deps)
    return socketLife({ hub, dialect: 'v3', address, admit: () => callerOf(token, deps), receive: receiveV3 })
  })
  app.get('/api/ws', onlyUpgrades(deps), v3)
  const { streams } = hub
  if (streams) {
    const stream = runtime.upgrade((context) => {
      const token = tokenOf(context, options)
      return streamLife({ hub, streams, admit: () => callerOf(token, deps) })
    })
    app.get('/api/stream', onlyUpgrades(deps), stream)
  }
  if (options.legacy) {
    const v2 = runtime.upgrade((context) => {
      const address = clientAddress(context, deps)
      const credentials = credentialsOf(context)
      return socketLife({
        hub,
        dialect: 'v2',
        address,
        admit: () => admitV2(credentials, { address, deps }),
        receive: receiveV2,
        trouble: 'the server can not let you in right now: try again in a moment',
      })
    })
    app.get('/ws', onlyUpgrades(deps), v2)
  }
}

/** Without the headers of an upgrade this is no WebSocket: upstream answers 400, and so for an origin that may not. */
function onlyUpgrades(deps: Deps): MiddlewareHandler {
  return async (context, next) => {
    if (context.req.header('upgrade')?.toLowerCase() !== 'websocket') {
      throw new NekoError('invalid', 'Bad Request')
    }
    checkOrigin(context, deps)
    await next()
  }
}

async function callerOf(token: string | undefined, deps: Deps): Promise<Caller> {
  if (token === undefined) {
    return { refused: 'no authentication provided' }
  }
  try {
    const { id, isApi } = await actorOf(token, deps)
    return isApi ? { refused: 'connection disabled' } : { id }
  } catch (error) {
    if (error instanceof NekoError && error.code === 'unauthorized') {
      return { refused: 'session not found' }
    }
    if (error instanceof NekoError && error.code === 'forbidden') {
      return { refused: 'session login disabled' }
    }
    throw error
  }
}

/** V2's words for who may not come in. */
const refusals: Readonly<Record<string, string>> = { banned: 'banned', locked: 'locked', connected: 'this member is connected already' }

/** A V2 client logs in by connecting, and its session ends with its socket. */
async function admitV2(
  { username, password }: { username: string; password: string },
  { address, deps }: { address: string; deps: Deps },
): Promise<Caller> {
  const { hub, members, limit, metrics } = deps
  if (hub.room.view.bans.has(address)) {
    return { refused: 'banned' }
  }
  const wait = await limit.blockedFor(address, username)
  if (wait !== undefined) {
    return { refused: `too many failed logins: try again in ${wait} s` }
  }
  const member = await memberOf(members, { username, password })
  if (!member) {
    metrics.logins.inc({ outcome: 'wrong' })
    await limit.failed(address, username)
    return { refused: 'invalid_password' }
  }
  const why = whyNoPlace(deps, { isAdmin: member.profile.is_admin })
  if (why !== undefined) {
    return { refused: why }
  }
  // No token is ever given out: the socket is the session.
  const outcome = String(
    await hub.room.run(createSession, [member.id, JSON.stringify(member.profile), await sha256(randomText(64)), address]),
  )
  metrics.logins.inc({ outcome })
  return outcome === 'created' ? { id: member.id as SessionId } : { refused: refusals[outcome] ?? outcome }
}
