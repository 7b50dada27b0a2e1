import { NekoError } from '@neko-edge/kit'
import { JsonSocket, type SocketMessage } from './json-socket.ts'
import { type CandidateInit, MediaPeer } from './media-peer.ts'

const provideMs = 10_000
const requestMs = 10_000

export interface V3Login {
  /** The server's address as a browser has it, `http://127.0.0.1:8080` or with a path in front of `/api`. */
  url: string
  username: string
  password: string
}

export interface V3Session {
  url: string
  token: string
  id: string
}

/** What `signal/request` may ask for; see the protocol. */
export interface WatchRequest {
  video?: { disabled?: boolean; auto?: boolean; selector?: { id?: string; type?: string; bitrate?: number } }
  audio?: { disabled?: boolean }
  auto?: boolean
}

/** `POST /api/login`. The error's code follows the status that the server gave. */
export async function loginV3({ url, username, password }: V3Login): Promise<V3Session> {
  const response = await fetch(`${trimmed(url)}/api/login`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ username, password }),
    signal: AbortSignal.timeout(requestMs),
  })
  const body: unknown = await response.json()
  if (!response.ok || !isLogin(body)) {
    throw new NekoError(response.status === 401 ? 'unauthorized' : 'unprocessable', `login: ${response.status} ${JSON.stringify(body)}`)
  }
  return { url: trimmed(url), token: body.token, id: body.id }
}

/**
 * A V3 client without a screen: signalling over the socket, media and data channel over werift.
 * It does what the reference client does on the wire, against any neko V3 server.
 */
export class V3Viewer implements AsyncDisposable {
  readonly session: V3Session
  readonly #frames: boolean
  #socket: JsonSocket | undefined
  #peer: MediaPeer | undefined

  private constructor(session: V3Session, frames: boolean) {
    this.session = session
    this.#frames = frames
  }

  /** Logs in and connects the socket. `frames: false` only counts packets, for many viewers at once. */
  static async open({ frames = true, ...login }: V3Login & { frames?: boolean }): Promise<V3Viewer> {
    return V3Viewer.connect(await loginV3(login), { frames })
  }

  /** Connects the socket of a session that is logged in already. */
  static async connect(session: V3Session, { frames = true }: { frames?: boolean } = {}): Promise<V3Viewer> {
    const viewer = new V3Viewer(session, frames)
    await viewer.reconnect()
    return viewer
  }

  /** Opens a new socket for the same session; the server ends the old one, or refuses. The WebRTC peer stays. */
  async reconnect(): Promise<void> {
    const url = `${this.session.url.replace(/^http/, 'ws')}/api/ws?token=${encodeURIComponent(this.session.token)}`
    this.#socket = await JsonSocket.open(url, (message) => this.#signal(message))
  }

  get socket(): JsonSocket {
    if (!this.#socket) {
      throw new NekoError('conflict', 'this viewer is not connected')
    }
    return this.#socket
  }

  /** The WebRTC side; `conflict` before `watch`. */
  get peer(): MediaPeer {
    if (!this.#peer) {
      throw new NekoError('conflict', 'this viewer does not watch')
    }
    return this.#peer
  }

  /** The payload of the first event of that name that nobody took yet; `where` looks at the payload. */
  async event(
    name: string,
    { ms = 5_000, where = () => true }: { ms?: number; where?: (payload: unknown) => boolean } = {},
  ): Promise<unknown> {
    const message = await this.socket.event(name, { ms, where: (candidate) => where(candidate['payload']) })
    return message['payload']
  }

  /** Sends an event; without `payload` the key is left out. */
  send(event: string, payload?: unknown): void {
    this.socket.send(payload === undefined ? { event } : { event, payload })
  }

  /** Asks for the controls, and waits until they are his. */
  async takeControl({ ms = 5_000 }: { ms?: number } = {}): Promise<void> {
    this.send('control/request')
    await this.event('control/host', { ms, where: (payload) => (payload as { host_id?: string }).host_id === this.session.id })
  }

  /** Lets go of the controls, and waits for the word that he has: that of another may be in his inbox, too. */
  async releaseControl({ ms = 5_000 }: { ms?: number } = {}): Promise<void> {
    this.send('control/release')
    const isOwn = (payload: unknown) => {
      const { id, has_host } = payload as { id: string; has_host: boolean }
      return id === this.session.id && !has_host
    }
    await this.event('control/host', { ms, where: isOwn })
  }

  /** Asks for the picture and answers the offer. Resolves when WebRTC is up, with the payload of `signal/provide`. Replaces an older peer. */
  async watch(request: WatchRequest = {}): Promise<unknown> {
    await this.#peer?.close()
    this.send('signal/request', request)
    return this.watchAgain({ ms: provideMs })
  }

  /** Takes the offer of a new peer that a server makes by itself, where the old one was lost; as `watch` otherwise. */
  async watchAgain({ ms }: { ms: number }): Promise<unknown> {
    const before = this.#peer
    const peer = new MediaPeer({
      channel: 'accept',
      frames: this.#frames,
      onCandidate: (candidate) => this.send('signal/candidate', candidate),
    })
    this.#peer = peer
    const provide = await this.event('signal/provide', { ms })
    await before?.close()
    this.send('signal/answer', { sdp: await peer.answer(sdpOf(provide)) })
    peer.sendCandidates()
    await peer.connected()
    return provide
  }

  /** Ends the session: `POST /api/logout`. */
  async logout(): Promise<void> {
    const headers = { authorization: `Bearer ${this.session.token}` }
    await fetch(`${this.session.url}/api/logout`, { method: 'POST', headers, signal: AbortSignal.timeout(requestMs) })
  }

  /** Closes WebRTC and the socket, with a close code that the server reads as leaving for good. */
  async close(): Promise<void> {
    await this.#peer?.close()
    this.#peer = undefined
    await this.#socket?.close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  #signal({ event, payload }: SocketMessage): void {
    const peer = this.#peer
    if (!peer) {
      return
    }
    if (event === 'signal/candidate' && isCandidate(payload)) {
      peer.addCandidate(payload).catch((cause: unknown) => this.#fail(cause))
    }
    if (event === 'signal/offer' || event === 'signal/restart') {
      peer.answer(sdpOf(payload)).then(
        (sdp) => this.send('signal/answer', { sdp }),
        (cause: unknown) => this.#fail(cause),
      )
    }
  }

  #fail(cause: unknown): void {
    this.#socket?.inbox.end(new NekoError('internal', 'the server sent signalling that WebRTC refuses', { cause }))
  }
}

function trimmed(url: string): string {
  return url.replace(/\/+$/, '')
}

function isLogin(body: unknown): body is { token: string; id: string } {
  return (
    typeof body === 'object' &&
    body !== null &&
    'token' in body &&
    typeof body.token === 'string' &&
    'id' in body &&
    typeof body.id === 'string'
  )
}

function isCandidate(payload: unknown): payload is CandidateInit {
  return typeof payload === 'object' && payload !== null && 'candidate' in payload && typeof payload.candidate === 'string'
}

function sdpOf(payload: unknown): string {
  if (typeof payload === 'object' && payload !== null && 'sdp' in payload && typeof payload.sdp === 'string') {
    return payload.sdp
  }
  throw new NekoError('invalid', `signalling without sdp: ${JSON.stringify(payload)?.slice(0, 200)}`)
}
