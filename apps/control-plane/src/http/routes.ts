import type { Context, Hono } from 'hono'
import { actorOf, type Deps, tokenOf } from './context.ts'
import { admit, type Guard, type Operation, perform } from './operation.ts'

/** A path below one of these tells nothing to a stranger, not even that it does not exist. */
const guardedTrees = ['sessions', 'members', 'members_bulk', 'room', 'chat', 'filetransfer', 'openinapp']

const isGuarded = (path: string) => guardedTrees.includes(path.split('/')[2] ?? '')

/** Routes each operation, answers another method of its path with 405, and keeps the guarded trees shut for strangers. */
export function addOperations(app: Hono, operations: readonly Operation[], deps: Deps): void {
  const byRoute = new Map<string, Operation[]>()
  for (const definition of operations) {
    const path = definition.path.replaceAll(/\{(\w+)\}/g, ':$1')
    for (const route of definition.isMount ? [path, `${path}/`] : [path]) {
      byRoute.set(route, [...(byRoute.get(route) ?? []), definition])
    }
  }
  for (const [route, here] of byRoute) {
    const guards = isGuarded(route) ? commonGuards(here) : []
    for (const definition of here) {
      app.on(definition.method, route, (context) => {
        // Hono answers a HEAD by the GET; upstream by nothing.
        return context.req.raw.method === 'HEAD' ? refuseMethod(context, { here, guards, deps }) : perform(definition, context, deps)
      })
    }
    app.all(route, (context) => refuseMethod(context, { here, guards, deps }))
  }
  for (const tree of guardedTrees) {
    for (const path of [`/api/${tree}`, `/api/${tree}/*`]) {
      app.all(path, async (context, next) => {
        await actorOf(tokenOf(context, deps.options), deps)
        await next()
      })
    }
  }
}

/** What all operations of a path check first, in their order: that is checked before anything is said of its methods. */
function commonGuards(operations: readonly Operation[]): Guard[] {
  const [first, ...others] = operations
  const common = first?.guards.filter((guard, index) => others.every((other) => other.guards[index] === guard)) ?? []
  // A path with one operation shares only what its whole tree does: that somebody is logged in.
  return others.length > 0 ? common : common.length > 0 ? ['session'] : []
}

async function refuseMethod(
  context: Context,
  { here, guards, deps }: { here: readonly Operation[]; guards: readonly Guard[]; deps: Deps },
): Promise<Response> {
  await admit(guards, context, deps)
  return new Response(null, { status: 405, headers: { allow: here.map(({ method }) => method).join(', ') } })
}
