import { type Log, NekoError } from '@neko-edge/kit'
import type { Context } from 'hono'
import type { HttpOptions } from './context.ts'
import { clearCookie } from './current-session.ts'
import { json } from './operation.ts'

/** How long a client waits before it asks again while Redis or a capture node is away, in seconds. */
const retryAfter = 2

/** Turns whatever a handler threw into the JSON of an error: `{code, message}`. A cause that nobody foresaw stays in the log. */
export function errorResponse(error: unknown, context: Context, { log, options }: { log: Log; options: HttpOptions }): Response {
  const known = error instanceof NekoError && error.code !== 'internal' ? error : undefined
  if (!known) {
    const cause =
      error instanceof Error ? { error: error.message, stack: error.stack, cause: String(error.cause ?? '') } : { error: String(error) }
    log.error({ ...cause, method: context.req.method, path: context.req.path }, 'request failed')
  }
  if (known?.code === 'unauthorized' && context.req.header('cookie')?.includes(`${options.cookie.name}=`)) {
    clearCookie(context, options)
  }
  if (known?.code === 'unavailable') {
    context.header('retry-after', String(retryAfter))
  }
  const status = known?.status ?? 500
  const response = json({ code: status, message: known?.message ?? 'Internal Server Error' }, status)
  return context.newResponse(response.body, response)
}

/** What upstream's router says of a path that it does not know: not JSON, in upstream as here. */
export function notFound(): Response {
  return new Response('404 page not found\n', {
    status: 404,
    headers: { 'content-type': 'text/plain; charset=utf-8', 'x-content-type-options': 'nosniff' },
  })
}
