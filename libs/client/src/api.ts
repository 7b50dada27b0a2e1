import { type ErrorCode, errorStatus, messageOf, NekoError } from '@neko-edge/kit'
import type { MemberProfile, ScreenSize, SessionData, Settings } from '@neko-edge/protocol'

/** Milliseconds after which a request that has no answer counts as failed. */
const answerMs = 10_000

/** Who one is after a login; `token` is absent where the server keeps the session in a cookie. */
export type LoginAnswer = SessionData & { token?: string }

/** An address that may not come in. */
export interface Ban {
  readonly ip: string
  readonly banned_by: string
  readonly name: string
  /** ISO 8601. */
  readonly since: string
}

/** What the requests need of their client. */
export interface ApiOptions {
  /** The address of the page or room: the API lives below it, so that path prefixes and `/room/<id>/` work. */
  base: string
  fetch: (url: string, init: RequestInit) => Promise<Response>
  /** Ends every request under way. */
  signal: AbortSignal
  /** The origin of the page that asks, where it is a page. */
  origin?: string | undefined
}

/** What a page is told that the server does not let in. */
export const originRefused = 'the server does not allow this origin'

/** The requests of a V3 client. Every refusal is a NekoError with the server's own words. */
export class Api {
  readonly #options: ApiOptions
  /** Absent where the server keeps the session in a cookie. */
  token: string | undefined

  constructor(options: ApiOptions) {
    this.#options = options
  }

  /** The address of something below the room, with `http` turned into `ws` for sockets. */
  url(path: string, { socket = false }: { socket?: boolean } = {}): string {
    const url = new URL(path, this.#options.base)
    url.hash = ''
    if (socket) {
      url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:'
      if (this.token !== undefined) {
        url.searchParams.set('token', this.token)
      }
    }
    return url.href
  }

  /** Whether the room is on another site than the page, where the server decides whom it answers. */
  get isForeign(): boolean {
    const { base, origin } = this.#options
    return origin !== undefined && new URL(base).origin !== origin
  }

  /** Signs in. The token of the answer goes with every later request. Errors: `unauthorized`, `forbidden` (locked, banned, another site), `tooMany`. */
  login(username: string, password: string): Promise<LoginAnswer> {
    return this.#logIn({ username, password })
  }

  /** Signs in by a join link's token. Errors: as `login`; `unauthorized` where it is expired or used. */
  enter(link: string): Promise<LoginAnswer> {
    return this.#logIn({ link })
  }

  async #logIn(credentials: object): Promise<LoginAnswer> {
    this.token = undefined
    // The answer's shape is the server's promise (v3-http.md §3.2).
    const answer = (await this.post('api/login', credentials)) as LoginAnswer
    this.token = answer.token
    return answer
  }

  /** Who the token belongs to. Errors: `unauthorized` where its session is gone. */
  async whoami(): Promise<SessionData> {
    return (await this.request('GET', 'api/whoami')) as SessionData
  }

  /** Ends the session, and forgets its token. */
  async logout(): Promise<void> {
    await this.post('api/logout')
    this.token = undefined
  }

  /** Hands the controls to a member: for whoever has them, and administrators. */
  giveControl(id: string): Promise<unknown> {
    return this.post(`api/room/control/give/${encodeURIComponent(id)}`)
  }

  /** Takes the controls from whoever has them: for administrators. */
  takeControl(): Promise<unknown> {
    return this.post('api/room/control/take')
  }

  /** Takes the controls away from whoever has them, so that nobody has: for administrators. */
  resetControl(): Promise<unknown> {
    return this.post('api/room/control/reset')
  }

  /** Changes some settings of the room, the others stay: for administrators. */
  changeSettings(patch: Partial<Settings>): Promise<unknown> {
    return this.post('api/room/settings', patch)
  }

  /** Changes one's own name. */
  renameSelf(name: string): Promise<unknown> {
    return this.post('api/profile', { name })
  }

  /** Changes what a member may, at once for the live session too; what is absent stays: for administrators. */
  changeMember(id: string, patch: Partial<MemberProfile>): Promise<unknown> {
    return this.post(`api/members/${encodeURIComponent(id)}`, patch)
  }

  /** Ends somebody's session: he has to sign in again. */
  removeSession(id: string): Promise<unknown> {
    return this.request('DELETE', `api/sessions/${encodeURIComponent(id)}`)
  }

  /** The addresses that may not come in. */
  async bans(): Promise<readonly Ban[]> {
    // The answer's shape is the server's promise.
    return ((await this.request('GET', 'api/bans')) ?? []) as readonly Ban[]
  }

  /** Removes somebody, and lets nobody in from that address. */
  ban(id: string): Promise<unknown> {
    return this.post('api/bans', { id })
  }

  /** Lets an address in again. */
  liftBan(ip: string): Promise<unknown> {
    return this.request('DELETE', `api/bans/${encodeURIComponent(ip)}`)
  }

  /** The desktop's clipboard, as the applications there left it. */
  async clipboard(): Promise<{ text?: string; html?: string }> {
    return ((await this.request('GET', 'api/room/clipboard')) ?? {}) as { text?: string; html?: string }
  }

  /** Puts text into the desktop's clipboard, with the same as HTML for applications that take it. */
  setClipboard(content: { text: string; html: string }): Promise<unknown> {
    return this.post('api/room/clipboard', content)
  }

  /** The picture in the desktop's clipboard, as PNG. Rejects where there is none. */
  clipboardPicture(signal: AbortSignal): Promise<Blob> {
    return this.download('api/room/clipboard/image.png', { signal, onShare: () => {} })
  }

  /** Changes the size of the desktop, to one of `room.admin.screens`: for administrators. */
  setScreen(size: ScreenSize): Promise<unknown> {
    return this.post('api/room/screen', size)
  }

  /** Streams the desktop to an RTMP address: for administrators. */
  startBroadcast(url: string): Promise<unknown> {
    return this.post('api/room/broadcast/start', { url })
  }

  /** Ends the broadcast. */
  stopBroadcast(): Promise<unknown> {
    return this.post('api/room/broadcast/stop')
  }

  /** Opens a web address in the desktop's application. */
  openLink(text: string): Promise<unknown> {
    return this.post('api/openinapp/openlink', { text })
  }

  /** Closes the file dialog that is open in the desktop, without an answer. */
  dismissDialog(): Promise<unknown> {
    return this.request('DELETE', 'api/room/upload/dialog')
  }

  /** Fetches a file whole, telling the share of it that has come. Rejects with the server's words. */
  async download(path: string, { signal, onShare }: { signal: AbortSignal; onShare: (share: number | undefined) => void }): Promise<Blob> {
    const response = await this.#options.fetch(this.url(path), {
      method: 'GET',
      headers: this.#authorization(),
      credentials: 'include',
      signal: AbortSignal.any([signal, this.#options.signal]),
    })
    if (!response.ok || !response.body) {
      throw new NekoError(codeOf(response.status), saidBy(parse(await response.text())) ?? `HTTP ${response.status}`)
    }
    const total = Number(response.headers.get('content-length') ?? 0)
    let loaded = 0
    const counted = response.body.pipeThrough(
      new TransformStream<Uint8Array, Uint8Array>({
        transform(chunk, controller) {
          loaded += chunk.length
          onShare(total > 0 ? Math.min(1, loaded / total) : undefined)
          controller.enqueue(chunk)
        },
      }),
    )
    return new Response(counted).blob()
  }

  /** `request` with POST. */
  post(path: string, body?: unknown): Promise<unknown> {
    return this.request('POST', path, body)
  }

  /** The parsed answer, or `undefined` where it has no body. */
  async request(method: string, path: string, body?: unknown): Promise<unknown> {
    const headers = { ...this.#authorization(), ...(body !== undefined && { 'content-type': 'application/json' }) }
    const { fetch, signal } = this.#options
    let response: Response
    let text: string
    try {
      const late = AbortSignal.timeout(answerMs)
      response = await fetch(this.url(path), {
        method,
        headers,
        credentials: 'include',
        signal: AbortSignal.any([signal, late]),
        // What a page says as it goes away arrives: that it signs out.
        keepalive: method === 'POST' && body === undefined,
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      })
      text = await response.text()
    } catch (error) {
      if (error instanceof TypeError && (await this.#isThere())) {
        throw new NekoError('forbidden', `${originRefused}: ${this.#options.origin}`, { cause: error })
      }
      throw new NekoError('timeout', `no answer from the server: ${messageOf(error)}`, { cause: error })
    }
    const answer = parse(text)
    if (!response.ok) {
      throw new NekoError(codeOf(response.status), saidBy(answer) ?? `HTTP ${response.status}`)
    }
    return answer
  }

  /**
   * Browsers tell a page nothing of an answer that it may not read, not even that there was one (Fetch §3.2.5); one that nobody reads comes.
   */
  async #isThere(): Promise<boolean> {
    const { fetch, signal } = this.#options
    const ask = () => fetch(this.url('health'), { mode: 'no-cors', signal: AbortSignal.any([signal, AbortSignal.timeout(answerMs)]) })
    return this.isForeign && (await ask().catch(() => undefined)) !== undefined
  }

  #authorization(): Record<string, string> {
    return this.token === undefined ? {} : { authorization: `Bearer ${this.token}` }
  }
}

function parse(text: string): unknown {
  try {
    return text === '' ? undefined : JSON.parse(text)
  } catch {
    // Not JSON: a proxy's page, or the plain 404. The status says enough.
    return undefined
  }
}

function saidBy(answer: unknown): string | undefined {
  return typeof answer === 'object' && answer !== null && 'message' in answer ? String(answer.message) : undefined
}

function codeOf(status: number): ErrorCode {
  const known = Object.entries(errorStatus).find(([, value]) => value === status)
  // Object.entries forgets the key type; a bad gateway is a server that is away, like 503.
  return (known?.[0] as ErrorCode | undefined) ?? (status === 502 ? 'unavailable' : status < 500 ? 'invalid' : 'internal')
}
