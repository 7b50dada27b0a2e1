import type { Context, Handler, Hono } from 'hono'
import type { Deps } from './context.ts'
import { admit, type Guard, type Operation, perform } from './operation.ts'

/**
 * Trees whose every path is checked first, whether it exists or not, by any method: a stranger learns nothing of what is below.
 * `*` is one part of a path.
 */
const guardedTrees: Readonly<Record<string, readonly Guard[]>> = {
  sessions: ['session'],
  members: ['session'],
  members_bulk: ['session'],
  room: ['session'],
  chat: ['session'],
  filetransfer: ['session'],
  openinapp: ['session'],
  'sessions/:id': ['session', 'admin'],
  'members/:id': ['session', 'admin'],
  'room/settings': ['session', 'admin'],
  'room/broadcast': ['session', 'admin'],
  'room/clipboard': ['session', 'can-access-clipboard', 'host'],
  'room/keyboard': ['session', 'can-host'],
  'room/control': ['session', 'can-host'],
  'room/screen': ['session', 'can-watch'],
  'room/upload': ['session', 'may-upload'],
}

/** Routes each operation, answers another method of its path with 405, and keeps the guarded trees shut. */
export function addOperations(app: Hono, operations: readonly Operation[], deps: Deps): void {
  const methods = new Map<string, string[]>()
  for (const definition of operations) {
    for (const route of routesOf(definition)) {
      app.on(
        definition.method,
        route,
        noHead((context) => perform(definition, context, deps)),
      )
      methods.set(route, [...(methods.get(route) ?? []), definition.method])
    }
  }
  for (const [tree, guards] of Object.entries(guardedTrees)) {
    for (const path of [`/api/${tree}`, `/api/${tree}/*`]) {
      app.all(path, async (context, next) => {
        await admit(guards, context, deps)
        await next()
      })
    }
  }
  for (const [route, allowed] of methods) {
    app.all(route, () => refuseMethod(allowed))
  }
}

/** An operation's path as the router takes it, with its trailing slash where it has one. */
export function routesOf({ path, isMount }: Operation): string[] {
  const route = path.replaceAll(/\{(\w+)\}/g, ':$1')
  return isMount ? [route, `${route}/`] : [route]
}

/** A path beside the API that has one method, GET. */
export function addGet(app: Hono, path: string, answer: (context: Context) => Response | Promise<Response>): void {
  app.get(path, noHead(answer))
  app.all(path, () => refuseMethod(['GET']))
}

/** Hono answers a HEAD by the GET; upstream knows it as another method. */
const noHead =
  (answer: (context: Context) => Response | Promise<Response>): Handler =>
  (context, next) =>
    context.req.raw.method === 'HEAD' ? next() : answer(context)

const refuseMethod = (allowed: readonly string[]): Response => new Response(null, { status: 405, headers: { allow: allowed.join(', ') } })
