import { Backoff, type Clock, Listeners } from '@neko-edge/kit'
import type { ClientEvent, ServerMessage } from '@neko-edge/protocol'
import { Cell, type Watchable } from './cell.ts'
import { decodeServerMessage } from './server-message.ts'

/** How long a socket may take to open, in milliseconds. */
const openMs = 5_000
/** The server says something every 10 s; longer silence than this is a dead connection. */
const silenceMs = 12_500

export type LinkState =
  | { readonly is: 'closed' }
  | { readonly is: 'opening'; readonly attempt: number }
  | { readonly is: 'open' }
  | { readonly is: 'waiting'; readonly attempt: number; readonly retryAt: number }

/** What the client needs of a WebSocket. */
export type SocketLike = Pick<WebSocket, 'binaryType' | 'onopen' | 'onmessage' | 'onclose' | 'send' | 'close'>

export interface LinkOptions {
  clock: Clock
  /** The address, asked for at every try: the token may have changed. */
  url: () => string
  openSocket: (url: string) => SocketLike
  /** 0 ≤ x < 1: spreads the return of many viewers after a restart of the server. */
  random: () => number
}

/** The WebSocket to the room: opened again with back-off until it is closed on purpose. */
export class Link {
  readonly #options: LinkOptions
  readonly #state = new Cell<LinkState>({ is: 'closed' })
  readonly #messages = new Listeners<ServerMessage>()
  readonly #backoff = new Backoff({ firstMs: 250, maxMs: 5_000 })
  #socket: SocketLike | undefined
  #cancelTimer: () => void = () => {}
  #openedAt: number | undefined

  constructor(options: LinkOptions) {
    this.#options = options
  }

  get state(): Watchable<LinkState> {
    return this.#state
  }

  /** What the server says, in its order. */
  onMessage(listener: (message: ServerMessage) => void): () => void {
    return this.#messages.add(listener)
  }

  /** Opens the link, or tries at once where it waits for its next try. */
  open(): void {
    if (this.#socket === undefined) {
      this.#connect()
    }
  }

  /** Closes for good; 1000 tells the server that nobody comes back. */
  close(): void {
    this.#drop(1000)
    this.#state.set({ is: 'closed' })
  }

  /** Says something; gives false where there is nobody to hear it. */
  send(event: ClientEvent, payload?: unknown): boolean {
    if (this.#state.value.is !== 'open' || this.#socket === undefined) {
      return false
    }
    this.#socket.send(JSON.stringify(payload === undefined ? { event } : { event, payload }))
    return true
  }

  #connect(): void {
    const { clock, openSocket, url } = this.#options
    this.#cancelTimer()
    this.#openedAt = undefined
    this.#state.set({ is: 'opening', attempt: this.#backoff.failures + 1 })
    const socket = openSocket(url())
    this.#socket = socket
    this.#cancelTimer = clock.after(openMs, () => this.#lost())
    socket.onopen = () => {
      this.#openedAt = clock.now()
      this.#watchSilence()
      this.#state.set({ is: 'open' })
    }
    socket.onmessage = (event) => {
      this.#watchSilence()
      const message = decodeServerMessage(event.data)
      if (message) {
        this.#messages.emit(message)
      }
    }
    socket.onclose = () => this.#lost()
  }

  #watchSilence(): void {
    this.#cancelTimer()
    this.#cancelTimer = this.#options.clock.after(silenceMs, () => this.#lost())
  }

  #lost(): void {
    const { clock, random } = this.#options
    this.#drop()
    const livedMs = this.#openedAt === undefined ? 0 : clock.now() - this.#openedAt
    const delayMs = this.#backoff.next(livedMs) * (1 + random() / 2)
    this.#state.set({ is: 'waiting', attempt: this.#backoff.failures, retryAt: clock.now() + delayMs })
    this.#cancelTimer = clock.after(delayMs, () => this.#connect())
  }

  #drop(code?: number): void {
    this.#cancelTimer()
    const socket = this.#socket
    this.#socket = undefined
    if (socket) {
      socket.onopen = null
      socket.onmessage = null
      socket.onclose = null
      socket.close(code)
    }
  }
}
