import type { Codec } from '../capture/codec.ts'
import type { RtpSource } from '../capture/rtp-source.ts'

/**
 * A stream of a room whose encoder runs on another node. What it sends comes through a pipe from worker to worker, and wishes for key frames go back the
 * same way; here it is only retained, which the other node is told of.
 */
export class RemoteSource implements RtpSource {
  readonly id: string
  readonly codec: Codec
  /** A pipe has its own. */
  readonly ssrc = 0
  readonly isRunning = true
  readonly failure = undefined
  bitrate = 0
  readonly #onHeld: () => void
  #users = 0

  /** `onHeld` hears of every change between being wanted and not. */
  constructor({ id, codec, onHeld }: { id: string; codec: Codec; onHeld: () => void }) {
    this.id = id
    this.codec = codec
    this.#onHeld = onHeld
  }

  get isHeld(): boolean {
    return this.#users > 0
  }

  retain(): () => void {
    this.#change(1)
    let isHeld = true
    return () => {
      if (isHeld) {
        isHeld = false
        this.#change(-1)
      }
    }
  }

  ready(): Promise<void> {
    return Promise.resolve()
  }

  onPackets(): () => void {
    return () => undefined
  }

  onRtcp(): () => void {
    return () => undefined
  }

  requestKeyFrame(): void {
    // It goes by the pipe.
  }

  #change(by: 1 | -1): void {
    const before = this.isHeld
    this.#users += by
    if (before !== this.isHeld) {
      this.#onHeld()
    }
  }
}
