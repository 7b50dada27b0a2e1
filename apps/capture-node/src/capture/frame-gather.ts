import type { Clock } from '@neko-edge/kit'

/** How long the first packets of a frame wait for its last: encoders hand a frame over whole, so that one takes a fraction of this. */
const holdMs = 3
const markerBit = 0x80

/**
 * Puts the packets of one video stream together to frames. They come as they are read, one to many at once; what is sent on frame by frame
 * costs everybody behind it one wake-up a frame, and lets the worker send a frame to each viewer in one go.
 */
export class FrameGather {
  readonly #clock: Clock
  readonly #emit: (packets: readonly Buffer[]) => void
  #held: Buffer[] = []
  #cancelHold: (() => void) | undefined

  /** @param emit hears each frame, or what there is of it after 3 ms */
  constructor(clock: Clock, emit: (packets: readonly Buffer[]) => void) {
    this.#clock = clock
    this.#emit = emit
  }

  /** The next packets of the stream, in order; whole RTP packets. */
  push(packets: readonly Buffer[]): void {
    this.#held.push(...packets)
    const end = this.#held.findLastIndex((packet) => (packet[1]! & markerBit) !== 0) + 1
    if (end > 0) {
      this.#release(end)
    }
    if (this.#held.length > 0) {
      this.#cancelHold ??= this.#clock.after(holdMs, () => this.#release(this.#held.length))
    }
  }

  /** The encoder has ended: what waits goes out, because its numbers are taken. */
  end(): void {
    if (this.#held.length > 0) {
      this.#release(this.#held.length)
    }
  }

  #release(count: number): void {
    this.#cancelHold?.()
    this.#cancelHold = undefined
    const whole = this.#held
    this.#held = whole.splice(count)
    this.#emit(whole)
  }
}
