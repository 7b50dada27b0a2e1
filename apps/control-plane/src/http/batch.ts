import { field, lenientObject, text } from '@neko-edge/protocol'
import { z } from 'zod'
import { type Call, failure, operation } from './operation.ts'

const Item = lenientObject({ path: text, method: field(z.string(), 'GET'), body: z.unknown().optional() })
const Items = z.array(Item).nullable()

/** Requests that one may hold. */
const maxItems = 1_000
/** Of the connection of the whole, not of one request in it. */
const ownHeaders = ['connection', 'content-length', 'expect', 'host', 'keep-alive', 'te', 'trailer', 'transfer-encoding', 'upgrade']

interface Answer {
  readonly path: string
  readonly method: string
  readonly body?: unknown
  readonly status: number
}

/** Several requests in one. */
export const batch = [
  operation({
    method: 'POST',
    path: '/api/batch',
    summary: 'Several requests in one, each with the credentials of the whole; an answer that is no JSON comes without its body',
    guards: [],
    body: { schema: Items, code: 'internal' },
    reply: z.array(z.object({ path: z.string(), method: z.string(), body: z.unknown().optional(), status: z.int() })),
    async handle(call) {
      const items = call.body ?? []
      if (items.length > maxItems) {
        return failure(413, `a batch has at most ${maxItems} requests`)
      }
      const answers: Answer[] = []
      for (const item of items) {
        answers.push(await answer(call, item))
      }
      return answers
    },
  }),
]

async function answer({ context, deps }: Call<unknown>, { path, method, body }: z.output<typeof Item>): Promise<Answer> {
  const request = requestOf({ path, method, body, outer: context.req.raw })
  const response = request instanceof Response ? request : await deps.dispatch(request, context.env)
  const content = await jsonIn(response)
  return { path, method, ...(content !== undefined && { body: content }), status: response.status }
}

function requestOf({ path, method, body, outer }: z.output<typeof Item> & { outer: Request }): Request | Response {
  const url = URL.canParse(path, 'http://batch') ? new URL(path, 'http://batch') : undefined
  // Both are looked at: what was written, and where it leads.
  if (!path.startsWith('/api') || !url || !/^\/api(\/|$)/.test(url.pathname)) {
    return failure(400, 'this path is not allowed in batch requests')
  }
  if (/^\/api\/(batch|ws)\/?$/.test(url.pathname)) {
    return failure(400, 'this path is excluded from batch requests')
  }
  const headers = new Headers(outer.headers)
  for (const name of ownHeaders) {
    headers.delete(name)
  }
  const carriesBody = body !== undefined && method !== 'GET' && method !== 'HEAD'
  try {
    return new Request(url, { method: method || 'GET', headers, ...(carriesBody && { body: JSON.stringify(body) }) })
  } catch {
    return failure(400, 'this method is not allowed in batch requests')
  }
}

async function jsonIn(response: Response): Promise<unknown> {
  if (!response.headers.get('content-type')?.startsWith('application/json')) {
    await response.body?.cancel()
    return undefined
  }
  return response.json()
}
