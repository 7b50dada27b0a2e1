/** Of each stream so many packets are kept: about two seconds of a picture, and a power of two, so that they go round evenly with the numbers. */
const keptPackets = 512

interface Sent {
  readonly sequence: number
  /** As it was sent, encrypted: sent again it is the same packet. */
  readonly packet: Buffer
}

/** The newest packets of every stream of an uplink, for whoever did not get one (RFC 4585 §6.2.1). */
export class SentPackets {
  readonly #streams = new Map<number, Sent[]>()

  keep(ssrc: number, sent: Sent): void {
    const stream = this.#streams.get(ssrc) ?? []
    this.#streams.set(ssrc, stream)
    stream[sent.sequence % keptPackets] = sent
  }

  /** Those of the named packets that are still there. */
  find(ssrc: number, sequences: readonly number[]): Buffer[] {
    const stream = this.#streams.get(ssrc) ?? []
    return sequences.flatMap((sequence) => {
      const found = stream[sequence % keptPackets]
      return found?.sequence === sequence ? [found.packet] : []
    })
  }
}
