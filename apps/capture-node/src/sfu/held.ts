import type { RtpSource } from '../capture/rtp-source.ts'

/** The sources that one viewer keeps running. */
export class Held {
  readonly #releases = new Map<RtpSource, () => void>()

  /** Keeps exactly these running from now on; what is new is retained before what is not wanted any more is let go. */
  set(wanted: readonly RtpSource[]): void {
    const now = new Set(wanted)
    for (const source of now) {
      if (!this.#releases.has(source)) {
        this.#releases.set(source, source.retain())
      }
    }
    for (const [source, release] of this.#releases) {
      if (!now.has(source)) {
        this.#releases.delete(source)
        release()
      }
    }
  }
}
