import { NekoError } from '@neko-edge/kit'
import type { Context } from 'hono'
import { z } from 'zod'
import type { Hub } from '../session/hub.ts'
import { type Actor, actorOf, type Deps, tokenOf } from './context.ts'

/** Who may call, in the order of the checks; nothing at all means anybody. */
export type Guard = 'session' | 'admin' | 'host' | 'host-or-admin' | 'can-watch' | 'can-host' | 'can-access-clipboard' | 'may-upload'

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

/**
 * One operation of the API: the single source of its route, its checks, its validation and its documentation.
 * `reply` describes the JSON of a 200; without it the answer is 204.
 */
export interface Operation<Schema extends z.ZodType = z.ZodType> {
  readonly method: 'GET' | 'POST' | 'DELETE'
  /** With parameters as `{id}`. */
  readonly path: string
  readonly summary: string
  readonly guards: readonly Guard[]
  readonly body?: {
    readonly schema: Schema
    /** Text after the JSON value is an error here; elsewhere it is ignored. With the words for an unreadable body. */
    readonly strict?: { empty: string }
  }
  readonly reply?: z.ZodType
  /** What else it answers, by status. */
  readonly fails?: Readonly<Record<number, string>>
  /** A path that is answered with and without a trailing slash. */
  readonly isMount?: boolean
  readonly handle: (call: Call<z.output<Schema>>) => Promise<unknown>
}

export const operation = <Schema extends z.ZodType>(definition: Operation<Schema>): Operation =>
  // The schema stands beside its handler above; in a list of operations only their common form is needed.
  definition as unknown as Operation

/** JSON as upstream writes it: no charset, a line feed at the end. */
export function json(value: unknown, status = 200): Response {
  return new Response(`${JSON.stringify(value)}\n`, { status, headers: { 'content-type': 'application/json' } })
}

/** Answers one request by its operation. Failures are thrown; the app's edge turns them into JSON. */
export async function perform(definition: Operation, context: Context, deps: Deps): Promise<Response> {
  const { hub } = deps
  // Anonymous operations have no actor, and read none.
  const actor = definition.guards.length === 0 ? (undefined as unknown as Actor) : await actorOf(tokenOf(context, deps.options), deps)
  for (const guard of definition.guards) {
    check(guard, actor, hub)
  }
  const body = definition.body ? await readBody(context.req.raw, definition.body) : undefined
  const result = await definition.handle({ context, deps, hub, actor, body, param: (name) => context.req.param(name) ?? '' })
  if (result instanceof Response) {
    return result
  }
  return definition.reply ? json(result) : new Response(null, { status: 204 })
}

function check(guard: Guard, { id, profile }: Actor, { room: { view } }: Hub): void {
  const isHost = view.isHost(id)
  switch (guard) {
    case 'session':
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
      return need(isHost || (profile.can_host && view.settings.implicit_hosting), 'without implicit hosting, only host can upload files')
    default:
      return guard satisfies never
  }
}

function need(isAllowed: boolean, message: string): void {
  if (!isAllowed) {
    throw new NekoError('forbidden', message)
  }
}

/** The longest JSON body, in characters. */
const maxBody = 1024 * 1024

async function readBody(request: Request, { schema, strict }: NonNullable<Operation['body']>): Promise<unknown> {
  const text = await readText(request)
  if (text.trim() === '') {
    throw new NekoError('invalid', strict?.empty ?? 'no data provided')
  }
  const parsed = schema.safeParse(parseJson(text, { allowTail: strict === undefined }))
  if (!parsed.success) {
    throw new NekoError('invalid', 'unable to parse provided data', { cause: parsed.error })
  }
  return parsed.data
}

async function readText(request: Request): Promise<string> {
  const declared = Number(request.headers.get('content-length') ?? 0)
  const text = declared > maxBody ? '' : await request.text()
  if (declared > maxBody || text.length > maxBody) {
    throw new NekoError('tooLarge', `the body is longer than ${maxBody} characters`)
  }
  return text
}

/** The first JSON value of a text. Where a tail is allowed, what follows the value is ignored, as upstream's decoder does. */
export function parseJson(text: string, { allowTail }: { allowTail: boolean }): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    const end = allowTail && error instanceof SyntaxError ? /after JSON at position (\d+)/.exec(error.message)?.[1] : undefined
    if (end !== undefined) {
      return parseJson(text.slice(0, Number(end)), { allowTail: false })
    }
    throw new NekoError('invalid', 'unable to parse provided data', { cause: error })
  }
}
