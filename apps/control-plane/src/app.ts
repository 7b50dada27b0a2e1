import { Hono } from 'hono'
import { clientPage } from './http/client-page.ts'
import { actorOf, type Deps, tokenOf } from './http/context.ts'
import { currentSession } from './http/current-session.ts'
import { errorResponse, notFound } from './http/error.ts'
import { type Operation, perform } from './http/operation.ts'
import { cors } from './http/origin.ts'
import { addSockets } from './http/sockets.ts'
import { addLegacyHttp } from './legacy/http.ts'

/** Every operation of the API. A path below one of `guardedTrees` tells nothing to a stranger, not even that it does not exist. */
export const operations: readonly Operation[] = [...currentSession]

const guardedTrees = ['sessions', 'members', 'members_bulk', 'room', 'chat', 'filetransfer', 'openinapp']

/** The surface of one room: the same app on every runtime. */
export function createApp(deps: Deps): Hono {
  const { options, metrics, log } = deps
  const app = new Hono({ strict: true })
  app.onError((error, context) => errorResponse(error, context, { log, options }))
  app.notFound(() => notFound())
  app.use(async (context, next) => {
    await next()
    metrics.requests.inc({ status: context.res.status })
  })
  if (options.cors.length > 0) {
    app.use(cors(options))
  }
  app.get('/health', (context) => context.text('true'))
  app.get('/livez', (context) => context.text('ok\n'))
  app.get('/readyz', (context) => (deps.isReady() ? context.text('ok\n') : context.text('redis is away\n', 503, { 'retry-after': '2' })))
  if (options.metrics) {
    app.get('/metrics', async (context) => context.text(await metrics.registry.metrics(), 200, { 'content-type': metrics.registry.contentType }))
  }
  addSockets(app, deps)
  if (options.legacy) {
    addLegacyHttp(app, deps)
  }
  addOperations(app, deps)
  app.all('/api/*', () => notFound())
  app.get('*', (context) => clientPage(context, deps))
  return app
}

/** Routes each operation, answers another method of its path with 405, and keeps the guarded trees shut for strangers. */
function addOperations(app: Hono, deps: Deps): void {
  const methods = new Map<string, string[]>()
  for (const definition of operations) {
    const path = definition.path.replaceAll(/\{(\w+)\}/g, ':$1')
    for (const route of definition.isMount ? [path, `${path}/`] : [path]) {
      app.on(definition.method, route, (context) => perform(definition, context, deps))
      methods.set(route, [...(methods.get(route) ?? []), definition.method])
    }
  }
  for (const tree of guardedTrees) {
    for (const path of [`/api/${tree}`, `/api/${tree}/*`]) {
      app.all(path, async (context, next) => {
        await actorOf(tokenOf(context, deps.options), deps)
        await next()
      })
    }
  }
  for (const [route, allowed] of [...methods, ['/health', ['GET']] as const]) {
    app.all(route, () => new Response(null, { status: 405, headers: { allow: allowed.join(', ') } }))
  }
}
