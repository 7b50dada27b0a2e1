import { NekoError } from '@neko-edge/kit'
import type { Context, MiddlewareHandler } from 'hono'
import { clientAddress, type Deps, type HttpOptions } from './context.ts'

const isListed = (origin: string, { cors }: HttpOptions) => cors.includes('*') || cors.includes(origin)

/** The answer headers for pages of other origins, where the configuration lists some: always with credentials, never `*`. */
export function cors(options: HttpOptions): MiddlewareHandler {
  return async (context, next) => {
    const origin = context.req.header('origin') ?? ''
    const allowed = origin !== '' && isListed(origin, options)
    const wanted = context.req.header('access-control-request-method')
    if (context.req.method === 'OPTIONS' && wanted !== undefined) {
      return preflight(context, { origin, allowed, wanted })
    }
    await next()
    context.header('vary', 'Origin', { append: true })
    if (allowed) {
      context.header('access-control-allow-origin', origin)
      context.header('access-control-expose-headers', 'Link')
      context.header('access-control-allow-credentials', 'true')
    }
  }
}

const methods = ['GET', 'POST', 'PATCH', 'DELETE', 'OPTIONS']
const headers = ['accept', 'authorization', 'content-type', 'x-csrf-token', 'origin']

function preflight(context: Context, { origin, allowed, wanted }: { origin: string; allowed: boolean; wanted: string }): Response {
  for (const name of ['Origin', 'Access-Control-Request-Method', 'Access-Control-Request-Headers']) {
    context.header('vary', name, { append: true })
  }
  const asked = context.req.header('access-control-request-headers') ?? ''
  const names = asked.split(',').map((name) => name.trim().toLowerCase())
  if (allowed && methods.includes(wanted) && names.every((name) => name === '' || headers.includes(name))) {
    context.header('access-control-allow-origin', origin)
    context.header('access-control-allow-methods', wanted)
    if (asked !== '') {
      context.header('access-control-allow-headers', asked)
    }
    context.header('access-control-allow-credentials', 'true')
    context.header('access-control-max-age', '300')
  }
  return context.body(null, 200)
}

/**
 * Refuses a WebSocket that a page of another site opens: browsers ask nobody before they do, and a room on this machine would
 * be open to every page that its owner visits. A caller without an origin is no browser.
 */
export function checkOrigin(context: Context, deps: Pick<Deps, 'options' | 'runtime'>): void {
  const { options } = deps
  const origin = context.req.header('origin')
  if (options.cors.includes('*') || (origin === undefined && options.cors.length === 0)) {
    return
  }
  const isBehindProxy = clientAddress(context, deps) !== deps.runtime.peerAddress(context)
  const hosts = [context.req.header('host'), isBehindProxy ? context.req.header('x-forwarded-host') : undefined]
  const host = URL.canParse(origin ?? '') ? new URL(origin ?? '').host : undefined
  if (origin === undefined || (!isListed(origin, options) && (host === undefined || !hosts.includes(host)))) {
    throw new NekoError(
      'invalid',
      `the origin ${origin ?? '(none)'} is not allowed: add it to NEKO_SERVER_CORS, or let the proxy pass the Host header on`,
    )
  }
}
