/** RTCP packet types: transport- and payload-specific feedback (RFC 4585 §6.1). */
const PAYLOAD_FEEDBACK = 206
const PLI = 1
/** FIR (RFC 5104 §4.3.1): the SSRC that it means is in its entries, not in the header. */
const FIR = 4

/** The SSRCs for which a compound RTCP packet asks for a key frame (PLI or FIR). Whatever is malformed ends the reading. */
export function keyFrameRequests(packet: Buffer): number[] {
  const ssrcs: number[] = []
  for (let at = 0; at + 12 <= packet.length; ) {
    const end = at + 4 * (packet.readUInt16BE(at + 2) + 1)
    if (end > packet.length) {
      break
    }
    const format = packet.readUInt8(at) & 0x1f
    if (packet.readUInt8(at + 1) === PAYLOAD_FEEDBACK && format === PLI) {
      ssrcs.push(packet.readUInt32BE(at + 8))
    } else if (packet.readUInt8(at + 1) === PAYLOAD_FEEDBACK && format === FIR) {
      for (let entry = at + 12; entry + 8 <= end; entry += 8) {
        ssrcs.push(packet.readUInt32BE(entry))
      }
    }
    at = end
  }
  return ssrcs
}
