import type { Clock } from '@neko-edge/kit'
import type { RtpSource } from '../capture/rtp-source.ts'

/** Up to so many viewers, a picture at once is worth more than the rate of a key frame. */
const partyViewers = 25
const partySpacingMs = 250
const crowdSpacingMs = 1_000

/**
 * Lets through one request for a key frame of a stream at a time, whoever asks and on whichever worker or relay: what comes sooner than the spacing is one
 * request at its end. A key frame is several times the size of another frame, and in a room of very many somebody asks all the time.
 */
export class KeyFrameGate {
  readonly #clock: Clock
  readonly #viewers: () => number
  readonly #asked = new Map<RtpSource, number>()
  readonly #waiting = new Map<RtpSource, () => void>()

  /** `viewers`: how many see the room now, here and behind relays. */
  constructor(clock: Clock, viewers: () => number) {
    this.#clock = clock
    this.#viewers = viewers
  }

  request(source: RtpSource): void {
    if (this.#waiting.has(source)) {
      return
    }
    const spacingMs = this.#viewers() > partyViewers ? crowdSpacingMs : partySpacingMs
    const waitMs = (this.#asked.get(source) ?? Number.NEGATIVE_INFINITY) + spacingMs - this.#clock.now()
    if (waitMs <= 0) {
      this.#ask(source)
      return
    }
    this.#waiting.set(
      source,
      this.#clock.after(waitMs, () => {
        this.#waiting.delete(source)
        this.#ask(source)
      }),
    )
  }

  close(): void {
    for (const cancel of this.#waiting.values()) {
      cancel()
    }
    this.#waiting.clear()
  }

  #ask(source: RtpSource): void {
    this.#asked.set(source, this.#clock.now())
    source.requestKeyFrame()
  }
}
