import type { SessionSocket } from './socket.ts'

/** The sockets of one process, by their own key and by their session: a session may hold two for the moment in which one replaces the other. */
export class SocketSet {
  readonly #byKey = new Map<string, SessionSocket>()
  readonly #bySession = new Map<string, Set<SessionSocket>>()

  add(socket: SessionSocket): void {
    this.#byKey.set(socket.key, socket)
    const same = this.#bySession.get(socket.id)
    same ? same.add(socket) : this.#bySession.set(socket.id, new Set([socket]))
  }

  /** Gives whether it was there. */
  delete(socket: SessionSocket): boolean {
    const same = this.#bySession.get(socket.id)
    same?.delete(socket)
    if (same?.size === 0) {
      this.#bySession.delete(socket.id)
    }
    return this.#byKey.delete(socket.key)
  }

  get(key: string | undefined): SessionSocket | undefined {
    return key === undefined ? undefined : this.#byKey.get(key)
  }

  has(key: string): boolean {
    return this.#byKey.has(key)
  }

  /** The sockets of a session; a copy, since who goes through them may close them. */
  of(session: string): readonly SessionSocket[] {
    return [...(this.#bySession.get(session) ?? [])]
  }

  [Symbol.iterator](): Iterator<SessionSocket> {
    return this.#byKey.values()
  }
}
