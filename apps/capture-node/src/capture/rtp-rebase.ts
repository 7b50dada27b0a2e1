/**
 * Keeps one RTP stream whole over many runs of its encoder. Every run of GStreamer begins with a random sequence number and timestamp (RFC 3550
 * §5.1); to a viewer that would be a jump of hours. The first packet of a run is given the next sequence number and the time that really
 * passed, and everything after it the same offsets. Sender reports are moved along, so that the receiver's NTP mapping stays true.
 */
const rtpHeaderLength = 12
const senderReport = 200
const senderReportLength = 28
/** From here on a change of sequence number or timestamp counts as backwards (RFC 1982). */
const halfOf16 = 0x8000
const halfOf32 = 0x8000_0000

export class RtpRebase {
  readonly #clockRate: number
  #isNewRun = true
  #last: { sequence: number; timestamp: number; atMs: number } | undefined
  #sequenceOffset = 0
  #timestampOffset = 0

  /** @param clockRate of the codec, in Hz */
  constructor(clockRate: number) {
    this.#clockRate = clockRate
  }

  /** The next packet comes from a new encoder. */
  beginRun(): void {
    this.#isNewRun = true
  }

  /** Rewrites sequence number and timestamp of an RTP packet in place; `nowMs` is a monotonic time in ms. False: it is not RTP, drop it. */
  rtp(packet: Buffer, nowMs: number): boolean {
    if (packet.length < rtpHeaderLength || packet[0]! >> 6 !== 2) {
      return false
    }
    const sequenceIn = packet.readUInt16BE(2)
    const timestampIn = packet.readUInt32BE(4)
    if (this.#isNewRun) {
      this.#isNewRun = false
      this.#beginAt(sequenceIn, timestampIn, nowMs)
    }
    const sequence = (sequenceIn + this.#sequenceOffset) & 0xffff
    const timestamp = (timestampIn + this.#timestampOffset) >>> 0
    packet.writeUInt16BE(sequence, 2)
    packet.writeUInt32BE(timestamp, 4)
    this.#remember(sequence, timestamp, nowMs)
    return true
  }

  /**
   * Rewrites the RTP time of the sender report that leads a compound RTCP packet, in place.
   * False: no sender report, or none that can be placed on the timeline yet (before the first packet of a run); drop it.
   */
  rtcp(packet: Buffer): boolean {
    if (this.#isNewRun || packet.length < senderReportLength || packet[0]! >> 6 !== 2 || packet[1] !== senderReport) {
      return false
    }
    packet.writeUInt32BE((packet.readUInt32BE(16) + this.#timestampOffset) >>> 0, 16)
    return true
  }

  #beginAt(sequence: number, timestamp: number, nowMs: number): void {
    const last = this.#last
    if (last === undefined) {
      return
    }
    // At least one tick on: two frames with one timestamp would be read as one frame.
    const elapsed = Math.max(1, Math.round(((nowMs - last.atMs) * this.#clockRate) / 1000))
    this.#sequenceOffset = (last.sequence + 1 - sequence) & 0xffff
    this.#timestampOffset = (last.timestamp + elapsed - timestamp) >>> 0
  }

  /** The newest packet counts, not the last to arrive: a codec with reordered frames sends older timestamps later. */
  #remember(sequence: number, timestamp: number, nowMs: number): void {
    const last = this.#last
    if (last === undefined) {
      this.#last = { sequence, timestamp, atMs: nowMs }
      return
    }
    if (((sequence - last.sequence) & 0xffff) < halfOf16) {
      last.sequence = sequence
    }
    if ((timestamp - last.timestamp) >>> 0 < halfOf32) {
      last.timestamp = timestamp
      last.atMs = nowMs
    }
  }
}
