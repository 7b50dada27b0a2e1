import { messageOf, NekoError } from '@neko-edge/kit'
import { z } from 'zod'

const Failure = z.object({ message: z.string() })
const answerMs = 20_000

/** The rooms API of one control plane, as its client. */
export class FleetApi {
  readonly #base: URL
  readonly #token: string

  constructor(url: string, token: string) {
    if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol)) {
      throw new NekoError('invalid', `${url} is not an http or https URL of a control plane`)
    }
    if (token === '') {
      throw new NekoError('invalid', 'the token of the rooms API is missing: set NEKO_ROOMS_API_TOKEN to that of the control plane')
    }
    this.#base = new URL(url.endsWith('/') ? url : `${url}/`)
    this.#token = token
  }

  /** The address of a page below the control plane. */
  page(path: string): string {
    return new URL(path.replace(/^\//, ''), this.#base).href
  }

  /** Calls `METHOD /path`. Fails with what the API says, or with `unavailable` where nobody answers. */
  async call<T>(request: string, schema: z.ZodType<T>, body?: unknown): Promise<T> {
    const [method = 'GET', path = '/'] = request.split(' ')
    const response = await this.#send(method, path, body)
    const text = await response.text()
    const reply = parseJson(text)
    if (!response.ok) {
      const failure = Failure.safeParse(reply)
      const wait = response.headers.get('retry-after')
      const again = wait === null ? '' : `; try again in ${wait} s`
      throw new NekoError('invalid', `${response.status}: ${failure.success ? failure.data.message : text.slice(0, 200)}${again}`)
    }
    const parsed = schema.safeParse(reply)
    if (!parsed.success) {
      throw new NekoError(
        'invalid',
        `${this.#base.href} does not answer as a control plane of neko-edge does: ${z.prettifyError(parsed.error)}`,
      )
    }
    return parsed.data
  }

  async #send(method: string, path: string, body: unknown): Promise<Response> {
    try {
      return await fetch(this.page(path), {
        method,
        headers: { authorization: `Bearer ${this.#token}`, ...(body !== undefined && { 'content-type': 'application/json' }) },
        ...(body !== undefined && { body: JSON.stringify(body) }),
        signal: AbortSignal.timeout(answerMs),
      })
    } catch (error) {
      const { cause } = error as Error
      throw new NekoError('unavailable', `${this.#base.href} does not answer: ${messageOf(cause ?? error)}`)
    }
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
