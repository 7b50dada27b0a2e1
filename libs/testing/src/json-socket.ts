import { NekoError, within } from '@neko-edge/kit'
import { Inbox } from './inbox.ts'

const openMs = 10_000
const closeMs = 1_000

/** A message as it came: V3 has `payload`, V2 has its fields beside `event`. */
export interface SocketMessage {
  event: string
  [field: string]: unknown
}

/** A WebSocket that carries JSON objects with an `event`, as both protocols do. */
export class JsonSocket {
  readonly inbox = new Inbox<SocketMessage>((message) => message.event)
  /** All that came, in order; for tests of a sequence. */
  readonly history: SocketMessage[] = []
  /** When the connection was open, `performance.now()` milliseconds. */
  readonly openedAt: number
  /** Resolves when the connection is over, with the close code that a browser would see (1006: no close frame came). */
  readonly closed: Promise<{ code: number; reason: string }>
  readonly #socket: WebSocket
  readonly #listener: (message: SocketMessage) => void

  private constructor(socket: WebSocket, listener: (message: SocketMessage) => void) {
    this.#socket = socket
    this.#listener = listener
    this.openedAt = performance.now()
    const closed = Promise.withResolvers<{ code: number; reason: string }>()
    this.closed = closed.promise
    socket.addEventListener('message', (event) => this.#receive(String(event.data)))
    socket.addEventListener('close', ({ code, reason }) => {
      this.inbox.end(new NekoError('unavailable', `the socket was closed: ${code} ${reason}`))
      closed.resolve({ code, reason })
    })
  }

  /** Connects; `listener` hears each message before it can be taken. `unavailable` when the upgrade is refused. */
  static async open(url: string, listener: (message: SocketMessage) => void): Promise<JsonSocket> {
    const socket = new WebSocket(url)
    const opened = Promise.withResolvers<JsonSocket>()
    // The listeners of the JsonSocket must be there before the first message is dispatched, so it is made inside of the event.
    socket.addEventListener('open', () => opened.resolve(new JsonSocket(socket, listener)))
    const refused = () => opened.reject(new NekoError('unavailable', `no WebSocket at ${new URL(url).origin}${new URL(url).pathname}`))
    socket.addEventListener('error', refused)
    socket.addEventListener('close', refused)
    return within(openMs, 'opening the WebSocket', opened.promise)
  }

  /** Sends an object as JSON. */
  send(message: SocketMessage): void {
    this.#socket.send(JSON.stringify(message))
  }

  /** Sends a frame as it is, for tests of bad input. */
  sendRaw(data: string | Uint8Array): void {
    this.#socket.send(typeof data === 'string' ? data : Uint8Array.from(data))
  }

  /** The first message of that name that nobody took yet, of those that `where` accepts. */
  event(name: string, { ms = 5_000, where = () => true }: EventQuery = {}): Promise<SocketMessage> {
    return this.inbox.take((message) => message.event === name && where(message), { ms, what: name })
  }

  /** Closes with a code and waits for the other side, at most 1 s. */
  async close(code = 1000): Promise<void> {
    this.#socket.close(code)
    // Upstream may leave the TCP connection open after its close frame; then nobody is waiting for it here.
    await within(closeMs, 'closing the WebSocket', this.closed).catch(() => undefined)
  }

  #receive(text: string): void {
    const message: unknown = JSON.parse(text)
    if (!isMessage(message)) {
      throw new NekoError('invalid', `not a message: ${text.slice(0, 200)}`)
    }
    this.history.push(message)
    this.#listener(message)
    this.inbox.push(message)
  }
}

export interface EventQuery {
  /** How long to wait, 5 000 ms if not given. */
  ms?: number
  where?: (message: SocketMessage) => boolean
}

function isMessage(value: unknown): value is SocketMessage {
  return typeof value === 'object' && value !== null && 'event' in value && typeof value.event === 'string'
}
