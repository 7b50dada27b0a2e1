import type { WebRtcTransport } from 'mediasoup/types'

/**
 * A floor for the path estimate that no rung exceeds: under it the worker takes the rung that was asked for and no lower one,
 * although the estimator runs.
 */
const exactFloor = 50_000_000

/**
 * The worker's estimate of the path to one viewer. It comes to be with the first consumer that has transport-cc, stays as long as the transport, and then
 * has a say in the rungs of all consumers; but it moves with the feedback of those with transport-cc only.
 */
export class PathEstimate {
  readonly #transport: WebRtcTransport
  readonly #initialBitrate: number
  #part: 'absent' | 'decides' | 'aside' = 'absent'

  /** @param initialBitrate where it begins, and begins anew, in bit/s */
  constructor(transport: WebRtcTransport, initialBitrate: number) {
    this.#transport = transport
    this.#initialBitrate = initialBitrate
  }

  /** From now on it chooses the rung. */
  async decide(): Promise<void> {
    if (this.#part === 'aside') {
      await this.#transport.setMinOutgoingBitrate(0)
      // A ceiling for a moment takes it down from the floor, and the path is found out as at the beginning.
      await this.#transport.setMaxOutgoingBitrate(this.#initialBitrate)
      await this.#transport.setMaxOutgoingBitrate(0)
    }
    this.#part = 'decides'
  }

  /** From its next feedback on it stands in the way of no rung. */
  async stepAside(): Promise<void> {
    if (this.#part === 'decides') {
      this.#part = 'aside'
      await this.#transport.setMinOutgoingBitrate(exactFloor)
    }
  }

  /** Whether a consumer that gives it no feedback gets the rung that it is told. */
  async isOutOfTheWay(): Promise<boolean> {
    if (this.#part !== 'aside') {
      return this.#part === 'absent'
    }
    const [stats] = await this.#transport.getStats()
    return (stats?.availableOutgoingBitrate ?? 0) >= exactFloor
  }
}
