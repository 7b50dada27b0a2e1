/** The RTP header extension by which a sender bounds how long a receiver may hold a picture back. */
export const PLAYOUT_DELAY = 'http://www.webrtc.org/experiments/rtp-hdrext/playout-delay'
export const playoutDelayId = 1

const fixedHeaderBytes = 12
const markerBit = 0x80
const extensionBit = 0x10
const csrcBits = 0x0f

/**
 * Two numbers of twelve bits each, in steps of 10 ms: the least and the most that a frame may be held back. With 0 and 0 each is
 * shown as it comes. Even a most of 100 ms has Chromium even frames out, and wait for the sound of the same moment.
 */
const bounds = [0x00, 0x00, 0x00]
const element = Buffer.from([(playoutDelayId << 4) | (bounds.length - 1), ...bounds])
/** RFC 8285 §4.2: one-byte headers; how many words of elements follow is behind the mark. */
const oneByteHeaders = 0xbede
const extensionHeaderBytes = 4

/** How often the bounds are said: receivers keep them until they hear others. */
const sayEveryMs = 500

/**
 * Puts the bounds into the first packet of a frame, where receivers look for them. Without them a browser
 * plays a film: it holds frames back to even them out, which costs whoever has the controls half of the time from a click to what it does.
 *
 * Not in every frame, because it makes the first packet longer than those behind it, and packets of one length leave the worker together.
 * `nowMs` is a monotonic time in ms.
 */
export function boundPlayout(): (packet: Buffer, nowMs: number) => Buffer {
  let isFirst = true
  let saidMs = Number.NEGATIVE_INFINITY
  return (packet, nowMs) => {
    const [flags = 0, marker = 0] = packet
    const begins = isFirst && nowMs - saidMs >= sayEveryMs
    isFirst = (marker & markerBit) !== 0
    // Our payloaders write no contributing sources; whatever does keeps its packet as it is.
    if (!begins || packet.length < fixedHeaderBytes || (flags & csrcBits) !== 0) {
      return packet
    }
    saidMs = nowMs
    return (flags & extensionBit) === 0 ? withExtension(packet, flags) : withElement(packet)
  }
}

function withExtension(packet: Buffer, flags: number): Buffer {
  const header = Buffer.from([...packet.subarray(0, fixedHeaderBytes), 0, 0, 0, 1])
  header[0] = flags | extensionBit
  header.writeUInt16BE(oneByteHeaders, fixedHeaderBytes)
  return Buffer.concat([header, element, packet.subarray(fixedHeaderBytes)])
}

/** In front of the elements that are there; extensions of another kind stay alone. */
function withElement(packet: Buffer): Buffer {
  const elementsAt = fixedHeaderBytes + extensionHeaderBytes
  if (packet.length < elementsAt || packet.readUInt16BE(fixedHeaderBytes) !== oneByteHeaders) {
    return packet
  }
  const bounded = Buffer.concat([packet.subarray(0, elementsAt), element, packet.subarray(elementsAt)])
  bounded.writeUInt16BE(packet.readUInt16BE(elementsAt - 2) + 1, elementsAt - 2)
  return bounded
}
