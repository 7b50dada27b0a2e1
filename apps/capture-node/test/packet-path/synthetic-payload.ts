/**
 * Payloads that say themselves what they should be: infra/viewers/stream.c reads and checks them. To the worker they are VP8
 * (RFC 7741): a descriptor of one byte, and behind it the bit that makes a key frame.
 */
const magic = 0x6f6b656e
const headerBytes = 26
const flags = { first: 1, key: 2, last: 4 } as const

export interface SyntheticPacket {
  readonly counter: number
  readonly layer: number
  readonly isFirst: boolean
  readonly isKey: boolean
  readonly isLast: boolean
  /** CLOCK_MONOTONIC, when the frame was made. */
  readonly sentNs: bigint
}

/** Least length of a payload, in bytes. */
export const leastPayloadBytes = headerBytes

/** Fills `payload`, which has at least `leastPayloadBytes`. */
export function fillPayload(payload: Buffer, packet: SyntheticPacket): void {
  payload[0] = packet.isFirst ? 0x10 : 0
  payload[1] = packet.isFirst && packet.isKey ? 0 : 1
  payload.writeUInt32LE(magic, 2)
  payload.writeUInt32LE(packet.counter, 6)
  payload.writeBigUInt64LE(packet.sentNs, 10)
  payload[18] = packet.layer
  payload[19] = (packet.isFirst ? flags.first : 0) | (packet.isKey ? flags.key : 0) | (packet.isLast ? flags.last : 0)
  payload.writeUInt16LE(0, 20)
  let noise = (packet.counter * 2_654_435_761 + packet.layer) >>> 0 || 1
  let hash = 2_166_136_261
  const mix = (word: number) => {
    hash = Math.imul(hash ^ word, 16_777_619)
  }
  for (let at = 2; at < 22; at += 4) {
    mix(payload.readInt32LE(at))
  }
  let at = headerBytes
  for (; at + 4 <= payload.length; at += 4) {
    noise ^= noise << 13
    noise ^= noise >>> 17
    noise ^= noise << 5
    payload.writeInt32LE(noise | 0, at)
    mix(noise)
  }
  for (; at < payload.length; at++) {
    payload[at] = at & 0xff
    mix(at & 0xff)
  }
  payload.writeUInt32LE(hash >>> 0, 22)
}
