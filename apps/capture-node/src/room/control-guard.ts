/**
 * Who may move the pointer: the session that the newest fence names. A fence only ever grows, so an older one, from a
 * control plane that was slow or a message that was late, never gives anybody the controls again.
 */
export class ControlGuard {
  #fence = -1
  #host: string | undefined

  get host(): string | undefined {
    return this.#host
  }

  /** Takes what the room says: `host` has the controls as of `fence`. Gives whether that was news. */
  note(fence: number, host: string | undefined): boolean {
    if (fence <= this.#fence) {
      return false
    }
    this.#fence = fence
    this.#host = host
    return true
  }

  /**
   * Whether input of a session counts that came with a fence. One that is newer than all that was heard is believed: only
   * the script that made its sender the host can have given it away.
   */
  admits(session: string, fence: number): boolean {
    this.note(fence, session)
    return fence === this.#fence && session === this.#host
  }

  /** Whether a session has the controls now, by its own peer's channel. */
  isHost(session: string): boolean {
    return session === this.#host
  }
}
