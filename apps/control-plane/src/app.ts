import { messageOf, NekoError } from '@neko-edge/kit'
import { Hono } from 'hono'
import { clientPage } from './http/client-page.ts'
import { actorOf, clientAddress, type Deps, tokenOf } from './http/context.ts'
import { currentSession } from './http/current-session.ts'
import { errorResponse, notFound } from './http/error.ts'
import { type Operation, perform } from './http/operation.ts'
import { checkOrigin, cors } from './http/origin.ts'
import { type Caller, v3Socket } from './session/v3/socket-route.ts'

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
  addSocket(app, deps)
  addOperations(app, deps)
  app.all('/api/*', () => notFound())
  app.get('*', (context) => clientPage(context, deps))
  return app
}

function addSocket(app: Hono, deps: Deps): void {
  const { hub, log, runtime, options } = deps
  app.get(
    '/api/ws',
    async (context, next) => {
      // Without the headers of an upgrade this is no WebSocket; browsers and upstream agree on 400.
      if (context.req.header('upgrade')?.toLowerCase() !== 'websocket') {
        throw new NekoError('invalid', 'Bad Request')
      }
      checkOrigin(context, deps)
      await next()
    },
    runtime.upgrade((context) => {
      const token = tokenOf(context, options)
      return v3Socket({ hub, log, address: clientAddress(context, deps), caller: () => callerOf(token, deps) })
    }),
  )
}

async function callerOf(token: string | undefined, deps: Deps): Promise<Caller> {
  if (token === undefined) {
    return { refused: 'no authentication provided' }
  }
  try {
    const { id, isApi } = await actorOf(token, deps)
    return isApi ? { refused: 'connection disabled' } : { id }
  } catch (error) {
    if (error instanceof NekoError && (error.code === 'unauthorized' || error.code === 'forbidden')) {
      return { refused: error.code === 'unauthorized' ? 'session not found' : 'session login disabled' }
    }
    throw new Error(messageOf(error), { cause: error })
  }
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
