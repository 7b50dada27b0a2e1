/** RTP and RTCP over a byte stream: each packet behind its length in 16 bits (RFC 4571 §2). */

const lengthBytes = 2
export const maxFramedLength = 0xffff

/** The packet with its length in front. */
export function framed(packet: Buffer): Buffer {
  const frame = Buffer.allocUnsafe(lengthBytes + packet.length)
  frame.writeUInt16BE(packet.length, 0)
  packet.copy(frame, lengthBytes)
  return frame
}

/** Cuts a byte stream back into packets. Packets are views of what came in; only one that is split over two chunks is copied. */
export class RtpUnframer {
  #rest: Buffer | undefined

  /** The packets that `chunk` completes, in order. */
  push(chunk: Buffer): Buffer[] {
    const bytes = this.#rest === undefined ? chunk : Buffer.concat([this.#rest, chunk])
    const packets: Buffer[] = []
    let at = 0
    while (at + lengthBytes <= bytes.length) {
      const end = at + lengthBytes + bytes.readUInt16BE(at)
      if (end > bytes.length) {
        break
      }
      packets.push(bytes.subarray(at + lengthBytes, end))
      at = end
    }
    this.#rest = at === bytes.length ? undefined : bytes.subarray(at)
    return packets
  }
}
