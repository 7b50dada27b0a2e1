import { NekoError } from '@neko-edge/kit'
import { JsonSocket, type SocketMessage } from './json-socket.ts'
import { type CandidateInit, MediaPeer } from './media-peer.ts'

const provideMs = 10_000

export interface V2Login {
  /** The server's address as a browser has it; `/ws` is put behind it. */
  url: string
  password: string
  /** The name in the room: in the answer, as every client sends it. */
  displayname: string
  /** Clients from 3.0.0 on also put the name into the socket's address. */
  username?: string
  frames?: boolean
}

/** A V2 client without a screen: flat events, and a data channel that the client opens. */
export class V2Viewer implements AsyncDisposable {
  readonly #login: V2Login
  readonly peer: MediaPeer
  #socket: JsonSocket | undefined

  private constructor(login: V2Login) {
    this.#login = login
    this.peer = new MediaPeer({
      channel: 'create',
      frames: login.frames ?? true,
      onCandidate: (candidate) => this.send('signal/candidate', { data: JSON.stringify(candidate) }),
    })
  }

  /** Connects the socket; the server greets or sends `system/disconnect` and closes, which is for the test to see. */
  static async open(login: V2Login): Promise<V2Viewer> {
    const viewer = new V2Viewer(login)
    const query = new URLSearchParams({ password: login.password, ...(login.username === undefined ? {} : { username: login.username }) })
    const url = `${login.url.replace(/^http/, 'ws').replace(/\/+$/, '')}/ws?${query}`
    viewer.#socket = await JsonSocket.open(url, (message) => viewer.#signal(message))
    return viewer
  }

  get socket(): JsonSocket {
    if (!this.#socket) {
      throw new NekoError('conflict', 'this viewer is not connected')
    }
    return this.#socket
  }

  /** The first message of that name that nobody took yet. */
  event(name: string, query: { ms?: number; where?: (message: SocketMessage) => boolean } = {}): Promise<SocketMessage> {
    return this.socket.event(name, query)
  }

  send(event: string, fields: Readonly<Record<string, unknown>> = {}): void {
    this.socket.send({ ...fields, event })
  }

  /** Answers the offer that a V2 server sends by itself; resolves when WebRTC is up, with `signal/provide`. */
  async watch(): Promise<SocketMessage> {
    const provide = await this.event('signal/provide', { ms: provideMs })
    const sdp = await this.peer.answer(String(provide['sdp']))
    this.send('signal/answer', { sdp, displayname: this.#login.displayname })
    this.peer.sendCandidates()
    await this.peer.connected()
    return provide
  }

  async close(): Promise<void> {
    await this.peer.close()
    await this.#socket?.close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  #signal(message: SocketMessage): void {
    if (message.event === 'signal/candidate') {
      // The candidate is JSON inside of JSON in V2.
      const candidate = JSON.parse(String(message['data'])) as CandidateInit // the server's own RTCIceCandidateInit
      this.peer.addCandidate(candidate).catch((cause: unknown) => this.#fail(cause))
    }
    if (message.event === 'signal/offer') {
      this.peer.answer(String(message['sdp'])).then(
        (sdp) => this.send('signal/answer', { sdp, displayname: this.#login.displayname }),
        (cause: unknown) => this.#fail(cause),
      )
    }
  }

  #fail(cause: unknown): void {
    this.#socket?.inbox.end(new NekoError('internal', 'the server sent signalling that WebRTC refuses', { cause }))
  }
}
