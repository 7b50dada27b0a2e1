/** What a meter needs of a packet. */
export interface RtpPacketView {
  ssrc: number
  sequence: number
  timestamp: number
  marker: boolean
  payload: Uint8Array
}

/** Counts what arrives of one track. Times are `performance.now()` milliseconds. */
export class RtpMeter {
  packets = 0
  /** Payload bytes, without RTP headers. */
  bytes = 0
  keyFrames = 0
  /** Sequence numbers that were skipped and never came. */
  missing = 0
  firstAt: number | undefined
  lastAt: number | undefined
  #highest: number | undefined
  /** Frames, by change of the RTP timestamp. */
  frames = 0
  #timestamp: number | undefined
  #ssrc: number | undefined

  /** `keyFrame`: whether this packet begins one. */
  count(packet: RtpPacketView, keyFrame: boolean): void {
    const now = performance.now()
    this.firstAt ??= now
    this.lastAt = now
    this.packets += 1
    this.bytes += packet.payload.length
    this.keyFrames += keyFrame ? 1 : 0
    if (packet.timestamp !== this.#timestamp) {
      this.#timestamp = packet.timestamp
      this.frames += 1
    }
    if (packet.ssrc !== this.#ssrc) {
      // Another source numbers its packets anew.
      this.#ssrc = packet.ssrc
      this.#highest = undefined
    }
    this.#follow(packet.sequence)
  }

  #follow(sequence: number): void {
    if (this.#highest === undefined) {
      this.#highest = sequence
      return
    }
    // Sequence numbers are 16 bits and wrap: less than half a turn ahead is newer, the rest is late (RFC 3550 appendix A.1).
    const ahead = (sequence - this.#highest) & 0xffff
    if (ahead === 0 || ahead >= 0x8000) {
      this.missing = Math.max(0, this.missing - (ahead === 0 ? 0 : 1))
      return
    }
    this.missing += ahead - 1
    this.#highest = sequence
  }
}
