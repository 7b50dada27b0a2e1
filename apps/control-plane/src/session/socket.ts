import { type Log, messageOf, type SessionId } from '@neko-edge/kit'
import type { PeerRequest } from '@neko-edge/protocol'
import type { Dialect } from './dialect.ts'

/** What a session needs of a WebSocket, on whichever runtime. */
export interface SocketPort {
  send(data: string | Uint8Array<ArrayBuffer>): void
  close(code: number, reason: string): void
  /** A WebSocket ping frame, where the runtime can send one. */
  ping(): void
  /** Pings in a row that the other end has not answered. */
  unanswered(): number
  /** Bytes that the other end has not taken yet. */
  buffered(): number
}

/** Pings in a row without an answer after which a client is taken for gone. */
const maxUnanswered = 3
/** Above this many bytes waiting, what is out of date a moment later (cursors) is left out for this socket. */
const slowBytes = 256 * 1024
/** Above this many bytes waiting, the socket is closed: it would grow without a bound. */
const stuckBytes = 8 * 1024 * 1024
/** Frames, and characters of them, that may wait for their turn: a client that sends faster than it is served is closed. */
const maxPending = 2_000
const maxPendingLength = 16 * 1024 * 1024

export interface SessionSocketOptions {
  readonly key: string
  readonly id: SessionId
  readonly dialect: Dialect
  readonly port: SocketPort
  readonly log: Log
  /** Called when it is closed because its client does not keep up. */
  readonly onSlow: () => void
}

/**
 * One WebSocket of a session. Frames are handled one after the other, and none before the session has been greeted:
 * clients send their first request without waiting for it.
 */
export class SessionSocket {
  /** Unique over all processes: names this very connection in Redis. */
  readonly key: string
  readonly id: SessionId
  readonly dialect: Dialect
  /** Grows with each connection in the room; set when the session was connected. */
  epoch = 0
  /** The viewer's last wish for media: what it is given again when the capture node had to start anew. */
  request: PeerRequest | undefined
  /** Whether it has heard all that a new connection hears. */
  isSettled = false
  /** Calls off a further try to give it a new peer. */
  cancelReopening = (): void => undefined
  /** The peer that was opened through this socket. */
  peer: string | undefined
  /** Resolves when the peer that is being opened is known, or could not be had. */
  opening: Promise<unknown> | undefined
  readonly #port: SocketPort
  readonly #log: Log
  readonly #onSlow: () => void
  readonly #opened = Promise.withResolvers<void>()
  #tail: Promise<void>
  #pending = 0
  #pendingLength = 0
  #state: 'joining' | 'open' | 'closed' = 'joining'

  constructor({ key, id, dialect, port, log, onSlow }: SessionSocketOptions) {
    this.key = key
    this.id = id
    this.dialect = dialect
    this.#port = port
    this.#log = log
    this.#onSlow = onSlow
    this.#tail = this.#opened.promise
  }

  get isOpen(): boolean {
    return this.#state === 'open'
  }

  /** The session is greeted: from now on it hears the room, and its frames are handled. */
  open(): void {
    if (this.#state === 'joining') {
      this.#state = 'open'
      this.#opened.resolve()
    }
  }

  /** Handles a frame of `length` characters in its turn. A handler that fails costs that frame only. */
  receive(handle: () => Promise<void>, length = 0): void {
    if (this.#state === 'closed') {
      return
    }
    this.#pending++
    this.#pendingLength += length
    if (this.#pending > maxPending || this.#pendingLength > maxPendingLength) {
      this.close(1008, 'too many messages at once')
      return
    }
    this.#tail = this.#tail.then(async () => {
      this.#pending--
      this.#pendingLength -= length
      if (this.#state !== 'open') {
        return
      }
      try {
        await handle()
      } catch (error) {
        this.#log.debug({ session: this.id, error: messageOf(error) }, 'message not handled')
      }
    })
  }

  send(text: string): void {
    if (this.#state === 'closed') {
      return
    }
    if (this.#port.buffered() > stuckBytes) {
      this.#onSlow()
      this.close(1013, 'the connection is too slow for this room')
      return
    }
    this.#port.send(text)
  }

  say(message: object): void {
    this.send(this.dialect.encode(message))
  }

  /** Says a last word and closes. */
  end(reason: string): void {
    this.say(this.dialect.farewell(reason))
    this.close(1000, reason.slice(0, 100))
  }

  /** Sends what loses its worth within a second: left out where the socket is behind. */
  sendFresh(text: string): void {
    if (this.#port.buffered() < slowBytes) {
      this.send(text)
    }
  }

  /** Whether the other end is silent for so long that it must be gone: a network that vanished closes no connection. */
  get isGone(): boolean {
    return this.#port.unanswered() >= maxUnanswered
  }

  ping(): void {
    if (this.#state === 'open') {
      this.#port.ping()
    }
  }

  close(code: number, reason: string): void {
    if (this.#state !== 'closed') {
      this.#state = 'closed'
      this.#opened.resolve()
      this.#port.close(code, reason)
    }
  }
}
