/**
 * The Data Channel Establishment Protocol (RFC 8832): the two messages that open a channel inside its own stream,
 * sent under SCTP payload protocol id 50.
 */
export type Dcep =
  | { readonly type: 'open'; readonly label: string; readonly protocol: string; readonly ordered: boolean }
  | { readonly type: 'ack' }

/** SCTP payload protocol ids of WebRTC (RFC 8831 §8). The empty ones carry one byte that is not part of the message. */
export const ppid = { dcep: 50, text: 51, binary: 53, emptyText: 56, emptyBinary: 57 } as const

const OPEN = 3
const ACK = 2
const HEADER = 12
/** Bit of the channel type that says "unordered" (RFC 8832 §5.1). */
const UNORDERED = 0x80

/** DATA_CHANNEL_OPEN of an ordered, fully reliable channel. */
export function encodeOpen(label: string, protocol = ''): Uint8Array {
  const labelBytes = new TextEncoder().encode(label)
  const protocolBytes = new TextEncoder().encode(protocol)
  const out = new Uint8Array(HEADER + labelBytes.length + protocolBytes.length)
  const view = new DataView(out.buffer)
  view.setUint8(0, OPEN)
  view.setUint16(8, labelBytes.length)
  view.setUint16(10, protocolBytes.length)
  out.set(labelBytes, HEADER)
  out.set(protocolBytes, HEADER + labelBytes.length)
  return out
}

/** DATA_CHANNEL_ACK. */
export function encodeAck(): Uint8Array {
  return Uint8Array.of(ACK)
}

/** What a message under PPID 50 says; undefined when it is neither OPEN nor ACK, or shorter than its own lengths claim. */
export function decodeDcep(bytes: Uint8Array): Dcep | undefined {
  if (bytes[0] === ACK) {
    return { type: 'ack' }
  }
  if (bytes[0] !== OPEN || bytes.length < HEADER) {
    return undefined
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const labelEnd = HEADER + view.getUint16(8)
  const protocolEnd = labelEnd + view.getUint16(10)
  if (protocolEnd > bytes.length) {
    return undefined
  }
  const text = new TextDecoder()
  return {
    type: 'open',
    label: text.decode(bytes.subarray(HEADER, labelEnd)),
    protocol: text.decode(bytes.subarray(labelEnd, protocolEnd)),
    ordered: (view.getUint8(1) & UNORDERED) === 0,
  }
}
