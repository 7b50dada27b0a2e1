import { messageOf, NekoError, within } from '@neko-edge/kit'
import { z } from 'zod'
import type { NativeViewer, NativeViewers } from '../../../infra/viewers/native-viewers.ts'

const answerMs = 10_000
const pictureMs = 20_000

const Session = z.object({ token: z.string().optional() })
const Failure = z.object({ message: z.string() })
const Message = z.object({ event: z.string(), payload: z.unknown().optional() })
const Offer = z.object({ sdp: z.string() })
const Candidate = z.object({ candidate: z.string() })
const Goodbye = z.object({ message: z.string() })

export interface Login {
  /** The room's address as a browser has it, with a slash at its end. */
  readonly base: URL
  readonly username: string
  readonly password: string
}

/** What a member asks the room for. */
export interface Wish {
  /** The codec that the picture is to have, whatever its case; undefined: any. */
  readonly codec: string | undefined
  /** The name of a picture of the room, or `auto`; undefined: what the room gives first. */
  readonly video: string | undefined
}

/** A member of a room of any neko V3 server, who watches by a native viewer. */
export class LoadTestMember {
  readonly #base: URL
  /** What says to the server whose requests these are: a token, or a cookie where it gives those. */
  readonly #credentials: Readonly<Record<string, string>>
  readonly #viewers: NativeViewers
  #socket: WebSocket | undefined
  #wish: Wish = { codec: undefined, video: undefined }
  #offer: string | undefined
  #viewer: NativeViewer | undefined
  #isLeaving = false
  #lostBy: string | undefined
  /** Milliseconds on performance's clock when the viewer began. */
  #viewerSince = 0

  private constructor(base: URL, credentials: Readonly<Record<string, string>>, viewers: NativeViewers) {
    this.#base = base
    this.#credentials = credentials
    this.#viewers = viewers
  }

  /** `POST api/login`. Fails with `unauthorized` where the password is wrong, else with what the server said. */
  static async login({ base, username, password }: Login, viewers: NativeViewers): Promise<LoadTestMember> {
    const response = await post(new URL('api/login', base), { 'content-type': 'application/json' }, JSON.stringify({ username, password }))
    const reply = await response.json().catch(() => undefined)
    if (!response.ok) {
      const said = Failure.safeParse(reply).data?.message ?? 'no reason given'
      throw new NekoError(response.status === 401 ? 'unauthorized' : 'unavailable', `login: ${response.status} ${said}`)
    }
    const token = Session.safeParse(reply).data?.token
    const cookies = response.headers.getSetCookie().map((cookie) => cookie.split(';')[0])
    if (token === undefined && cookies.length === 0) {
      throw new NekoError('invalid', `${base.href} does not answer as a neko V3 server does: neither a token nor a cookie`)
    }
    return new LoadTestMember(base, token === undefined ? { cookie: cookies.join('; ') } : { authorization: `Bearer ${token}` }, viewers)
  }

  /** Opens the socket and asks for the picture; resolves once WebRTC is up. Fails with the reason, or when `signal` aborts. */
  async watch(wish: Wish, signal: AbortSignal): Promise<void> {
    this.#wish = wish
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const stop = () => reject(new NekoError('conflict', 'interrupted'))
    signal.addEventListener('abort', stop)
    const url = new URL('api/ws', this.#base)
    url.protocol = url.protocol.replace('http', 'ws')
    const socket = new WebSocket(url, { headers: this.#credentials })
    this.#socket = socket
    socket.addEventListener('open', () => this.#say('signal/request', requestOf(wish)))
    socket.addEventListener('message', ({ data }) => {
      this.#hear(String(data)).then((isConnected) => isConnected && resolve(), reject)
    })
    socket.addEventListener('close', ({ code, reason }) => {
      this.#lostBy ??= `the socket was closed: ${code} ${reason}`.trim()
      reject(new NekoError('unavailable', this.#lostBy))
    })
    try {
      await within(pictureMs, 'the picture', promise)
    } finally {
      signal.removeEventListener('abort', stop)
    }
  }

  /** When the first packet of the picture came, in milliseconds of performance's clock; undefined before. */
  get firstPacketAt(): number | undefined {
    const ms = this.#viewer && this.#viewers.firstPacketMs.get(this.#viewer.id)
    return ms === undefined ? undefined : this.#viewerSince + ms
  }

  /** The video codec that the room offers. */
  get codec(): string | undefined {
    return /^m=video[\s\S]*?^a=rtpmap:\d+ (\w+)\//m.exec(this.#offer ?? '')?.[1]
  }

  /** Why this member does not watch any more, where it has not left by itself. */
  get goneBy(): string | undefined {
    return this.#isLeaving ? undefined : (this.#lostBy ?? (this.#viewer && this.#viewers.ended.get(this.#viewer.id)))
  }

  /** `POST api/logout`, whatever state the rest is in. */
  async leave(): Promise<void> {
    this.#isLeaving = true
    if (this.#viewer) {
      this.#viewers.end(this.#viewer.id, 'close')
    }
    try {
      await post(new URL('api/logout', this.#base), this.#credentials)
    } finally {
      this.#socket?.close()
    }
  }

  /** Whether this message brought the connection up. */
  async #hear(text: string): Promise<boolean> {
    const { event, payload } = Message.parse(JSON.parse(text))
    switch (event) {
      case 'signal/provide':
        this.#offer = Offer.parse(payload).sdp
        this.#expectCodec()
        // Upstream names its addresses beside the offer.
        return /^a=candidate:/m.test(this.#offer) && this.#begin(this.#offer)
      case 'signal/candidate': {
        const isAwaited = this.#offer !== undefined && !this.#viewer
        return isAwaited && this.#begin(this.#offer ?? '', Candidate.parse(payload).candidate)
      }
      case 'signal/offer':
        if (this.#viewer) {
          this.#say('signal/answer', { sdp: this.#viewers.rewatch(this.#viewer.id, Offer.parse(payload).sdp) })
        }
        return false
      case 'system/disconnect':
        this.#lostBy = `the server said: ${Goodbye.parse(payload).message}`
        return false
      default:
        return false
    }
  }

  #expectCodec(): void {
    const { codec } = this.#wish
    if (codec !== undefined && this.codec?.toLowerCase() !== codec.toLowerCase()) {
      throw new NekoError('conflict', `the room sends ${this.codec ?? 'no picture'}, not ${codec}`)
    }
  }

  /** A viewer for this offer; another one, where the server moves its members and offers anew. */
  async #begin(offer: string, candidate = ''): Promise<boolean> {
    const before = this.#viewer
    const viewer = this.#viewers.watch(offer, { candidate })
    this.#viewer = viewer
    this.#viewerSince = performance.now()
    this.#say('signal/answer', { sdp: viewer.answer })
    if (before) {
      this.#viewers.end(before.id, 'close')
    }
    await viewer.connected
    return true
  }

  #say(event: string, payload: object): void {
    this.#socket?.send(JSON.stringify({ event, payload }))
  }
}

function requestOf({ video }: Wish): object {
  return video === undefined ? {} : { video: video === 'auto' ? { auto: true } : { selector: { id: video, type: 'exact' } } }
}

// A redirect would lead to a host that nobody looked at.
async function post(url: URL, headers: Readonly<Record<string, string>>, body?: string): Promise<Response> {
  try {
    return await fetch(url, { method: 'POST', headers, ...(body && { body }), redirect: 'error', signal: AbortSignal.timeout(answerMs) })
  } catch (error) {
    const { cause } = error as Error
    throw new NekoError('unavailable', `${url.origin} does not answer: ${messageOf(cause ?? error)}`)
  }
}
