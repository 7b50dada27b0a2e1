import { Hono } from 'hono'
import { clientPage } from './http/client-page.ts'
import { operations } from './http/api.ts'
import type { Deps } from './http/context.ts'
import { addDocs } from './http/docs.ts'
import { errorResponse, notFound } from './http/error.ts'
import { cors } from './http/origin.ts'
import { addOperations, noHead, refuseMethod } from './http/routes.ts'
import { addSockets } from './http/sockets.ts'
import { addLegacyHttp } from './legacy/http.ts'

/** The surface of one room: the same app on every runtime. */
export function createApp(parts: Omit<Deps, 'dispatch'>): Hono {
  const { options, metrics, log } = parts
  const app = new Hono({ strict: true })
  const deps: Deps = { ...parts, dispatch: (request, env) => app.fetch(request, env as object) }
  app.onError((error, context) => errorResponse(error, context, { log, options }))
  app.notFound(() => notFound())
  app.use(async (context, next) => {
    await next()
    metrics.requests.inc({ status: context.res.status })
  })
  if (options.cors.length > 0) {
    app.use(cors(options))
  }
  app.get('/health', noHead(() => new Response('true', { headers: { 'content-type': 'text/plain; charset=utf-8' } })))
  app.all('/health', () => refuseMethod(['GET']))
  app.get('/livez', (context) => context.text('ok\n'))
  app.get('/readyz', (context) => (deps.isReady() ? context.text('ok\n') : context.text('redis is away\n', 503, { 'retry-after': '2' })))
  if (options.metrics) {
    app.get('/metrics', async (context) =>
      context.text(await metrics.registry.metrics(), 200, { 'content-type': metrics.registry.contentType }),
    )
  }
  addSockets(app, deps)
  if (options.legacy) {
    addLegacyHttp(app, deps)
  }
  addOperations(app, operations, deps)
  addDocs(app, operations, options)
  app.all('/api/*', () => notFound())
  app.get('*', (context) => clientPage(context, deps))
  return app
}
