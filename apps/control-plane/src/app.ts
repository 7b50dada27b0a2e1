import { Hono } from 'hono'
import { fleetOperations, operations } from './http/api.ts'
import { clientPage } from './http/client-page.ts'
import type { Deps } from './http/context.ts'
import { addDocs } from './http/docs.ts'
import { errorResponse, notFound } from './http/error.ts'
import { cors } from './http/origin.ts'
import { addProfiles } from './http/profile.ts'
import { addGet, addOperations } from './http/routes.ts'
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
  addGet(app, '/health', () => new Response('true', { headers: { 'content-type': 'text/plain; charset=utf-8' } }))
  app.get('/livez', (context) => context.text('ok\n'))
  app.get('/readyz', (context) => (deps.isReady() ? context.text('ok\n') : context.text('redis is away\n', 503, { 'retry-after': '2' })))
  if (options.metrics) {
    addGet(app, '/metrics', async (context) =>
      context.text(await deps.metricsPage(), 200, { 'content-type': metrics.registry.contentType }),
    )
  }
  if (options.pprof && parts.runtime.profiler) {
    addProfiles(app, parts.runtime.profiler, deps)
  }
  addSockets(app, deps)
  if (options.legacy) {
    addLegacyHttp(app, deps)
  }
  const all = deps.fleet ? [...operations, ...fleetOperations] : operations
  addOperations(app, all, deps)
  addDocs(app, all, options)
  app.all('/api/*', () => notFound())
  app.get('*', (context) => clientPage(context, deps))
  return app
}
