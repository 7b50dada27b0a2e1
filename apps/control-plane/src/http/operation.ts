import { type ErrorCode, NekoError } from '@neko-edge/kit'
import type { RoomView } from '@neko-edge/store'
import type { Context } from 'hono'
import type { z } from 'zod'
import type { Hub } from '../session/hub.ts'
import { type Actor, actorOf, admitFleet, type Deps, tokenOf } from './context.ts'
import { readJson } from './json-body.ts'

/** Who may call, in the order of the checks; nothing at all means anybody. `fleet` stands alone: it is a machine, and no session. */
export type Guard =
  | 'session'
  | 'admin'
  | 'host'
  | 'host-or-admin'
  | 'can-watch'
  | 'can-host'
  | 'can-access-clipboard'
  | 'may-upload'
  | 'fleet'

/** What a handler gets. `actor` is there where a guard asked for a session. */
export interface Call<Body> {
  readonly context: Context
  readonly deps: Deps
  readonly hub: Hub
  readonly actor: Actor
  readonly body: Body
  /** A parameter of the path, decoded. */
  param(name: string): string
}

/** The same before the body is read. */
export type EarlyCall = Omit<Call<unknown>, 'body'>

/** How a JSON body is read. */
export interface BodyRules<Schema extends z.ZodType = z.ZodType> {
  readonly schema: Schema
  /** No body at all is as good as `{}`. */
  readonly isOptional?: boolean
  /** Text after the JSON value is an error here; elsewhere it is ignored. */
  readonly isStrict?: boolean
  /** Says in the failure which field is wrong and how; elsewhere the words are upstream's. */
  readonly isExplained?: boolean
  /** What kind of failure a body is that can not be read; default `invalid`. */
  readonly code?: ErrorCode
  /** The words for an empty body and for one that is not what the schema says, where they are not the usual ones. */
  readonly words?: { readonly empty?: string; readonly malformed?: string }
}

/**
 * One operation of the API: the single source of its route, its checks, its validation and its documentation.
 * `reply` describes what a 200 carries; without it the answer is 204.
 */
export interface Operation<Schema extends z.ZodType = z.ZodType> {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE'
  /** With parameters as `{id}`. */
  readonly path: string
  readonly summary: string
  readonly guards: readonly Guard[]
  readonly body?: BodyRules<Schema>
  /** What the body is where it is no JSON: its media type and, in words, its parts. */
  readonly upload?: { readonly type: string; readonly parts: Readonly<Record<string, string>> }
  /** Parameters of the query, in words. */
  readonly query?: Readonly<Record<string, string>>
  /** The JSON of a 200, or the media type of one that is no JSON. */
  readonly reply?: z.ZodType | { readonly type: string }
  /** The status of success, where it is neither 200 nor 204. */
  readonly status?: 201 | 202
  /** What else it answers, by status. */
  readonly fails?: Readonly<Record<number, string>>
  /** A path that is answered with and without a trailing slash. */
  readonly isMount?: boolean
  /** Checks that come before the body is read: throws, or gives the answer of a failure. */
  readonly permit?: (call: EarlyCall) => Response | undefined | Promise<Response | undefined>
  readonly handle: (call: Call<z.output<Schema>>) => Promise<unknown>
}

export const operation = <Schema extends z.ZodType>(definition: Operation<Schema>): Operation =>
  // The schema stands beside its handler above; in a list of operations only their common form is needed.
  definition as unknown as Operation

/** JSON as upstream writes it: no charset, a line feed at the end. */
export function json(value: unknown, status = 200): Response {
  return new Response(`${JSON.stringify(value)}\n`, { status, headers: { 'content-type': 'application/json' } })
}

/** The answer of a failure, in the form that all have. For statuses and texts that are no `NekoError`'s. */
export const failure = (status: number, message: string): Response => json({ code: status, message }, status)

/** Answers one request by its operation. Failures are thrown; the app's edge turns them into JSON. */
export async function perform(definition: Operation, context: Context, deps: Deps): Promise<Response> {
  const { hub } = deps
  const actor = await admit(definition.guards, context, deps)
  const early: EarlyCall = { context, deps, hub, actor, param: (name) => context.req.param(name) ?? '' }
  const refusal = await definition.permit?.(early)
  if (refusal) {
    return refusal
  }
  const body = definition.body ? await readJson(context.req.raw, definition.body) : undefined
  const result = await definition.handle({ ...early, body })
  const response =
    result instanceof Response ? result : definition.reply ? json(result, definition.status) : new Response(null, { status: 204 })
  // Made anew by the context, so that headers set on it (a cookie) go out too.
  return context.newResponse(response.body, response)
}

/** Finds out who calls and checks his guards, in their order. Anonymous operations and those of the fleet have no actor, and read none. */
export async function admit(guards: readonly Guard[], context: Context, deps: Deps): Promise<Actor> {
  if (guards.includes('fleet')) {
    await admitFleet(context, deps)
    return undefined as unknown as Actor
  }
  if (guards.length === 0) {
    return undefined as unknown as Actor
  }
  const actor = await actorOf(tokenOf(context, deps.options), deps)
  for (const guard of guards) {
    check(guard, actor, deps.hub)
  }
  return actor
}

function check(guard: Guard, { id, profile }: Actor, { room: { view } }: Hub): void {
  const isHost = view.isHost(id)
  switch (guard) {
    case 'session':
    case 'fleet':
      return
    case 'admin':
      return need(profile.is_admin, 'session is not admin')
    case 'host':
      return need(isHost, 'session is not host')
    case 'host-or-admin':
      return need(isHost || profile.is_admin, 'session is not host or admin')
    case 'can-watch':
      return need(profile.can_watch, 'session cannot watch')
    case 'can-host':
      need(profile.can_host, 'session cannot host')
      if (view.isShutOut(profile)) {
        throw new NekoError('unprocessable', 'private mode is enabled')
      }
      return
    case 'can-access-clipboard':
      return need(profile.can_access_clipboard, 'session cannot access clipboard')
    case 'may-upload':
      return need(isHost || mayHostImplicitly(profile, view), 'without implicit hosting, only host can upload files')
    default:
      return guard satisfies never
  }
}

/** Whether somebody could take the controls by simply using them. Private mode shuts users out of that, too: upstream forgot it here. */
export function mayHostImplicitly(profile: Actor['profile'], view: RoomView): boolean {
  return profile.can_host && view.settings.implicit_hosting && !view.isShutOut(profile)
}

function need(isAllowed: boolean, message: string): void {
  if (!isAllowed) {
    throw new NekoError('forbidden', message)
  }
}
