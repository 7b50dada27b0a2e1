import { NekoError } from '@neko-edge/kit'
import type { MemberProfile } from '@neko-edge/protocol'
import type { Context } from 'hono'

/** V2's way to say no: a line of plain text. */
export class V2Refusal extends Error {
  readonly status: 400 | 401 | 403 | 404 | 423 | 429 | 500 | 503

  constructor(status: V2Refusal['status'], text: string) {
    super(text)
    this.status = status
  }
}

/** Who asks by HTTP: nobody logs in by it, so there is no session, only what the password stands for. */
export interface V2Caller {
  readonly profile: MemberProfile
  readonly address: string
}

type V2Answer = (context: Context, caller: V2Caller) => Promise<Response>

/** Adds one endpoint of V2. The password stands in the address. */
export type AddV2Route = (method: 'GET' | 'POST' | 'DELETE', path: string, answer: V2Answer) => void

const plainText = { 'content-type': 'text/plain; charset=utf-8', 'x-content-type-options': 'nosniff' }
const kinds: Partial<Record<NekoError['code'], V2Refusal['status']>> = {
  invalid: 400,
  notFound: 404,
  unavailable: 503,
  timeout: 503,
}

/** A failure as V2 says it. What nobody foresaw is not for this edge. */
export function refusal(error: unknown): Response {
  const status = error instanceof V2Refusal ? error.status : error instanceof NekoError ? kinds[error.code] : undefined
  if (status === undefined || !(error instanceof Error)) {
    throw error
  }
  return new Response(`${error.message}\n`, { status, headers: plainText })
}
