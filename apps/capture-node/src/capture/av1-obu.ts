/** The bitstream of AV1 as far as sending it needs it: open bitstream units (AV1 specification §5.3) and what their headers say. */

const types = { sequenceHeader: 1, temporalDelimiter: 2, frameHeader: 3, frame: 6, tileList: 8, padding: 15 }
/** What packets must not carry, or need not (RTP Payload Format For AV1 §5). */
const unsent: readonly number[] = [types.temporalDelimiter, types.tileList, types.padding]

const forbiddenBit = 0x80
const extensionBit = 0x04
const hasSizeBit = 0x02
/** `show_existing_frame` and `frame_type`, the first bits of a frame header: all zero for a key frame (§5.9.2). */
const frameKindBits = 0xe0
const profileShift = 5

/** One temporal unit, ready for packets. */
export interface TemporalUnit {
  /** Its units without their size fields; those that are not sent are left out. */
  readonly obus: readonly Buffer[]
  /** Whether a viewer can begin here: a sequence header, and then a key frame. */
  readonly isKey: boolean
  /** `seq_profile` of its sequence header (§5.5.1), where it has one: 0 is 4:2:0, and the only one that every viewer plays. */
  readonly profile?: number
}

/** Reads a temporal unit of the low-overhead format (§5.2). `undefined` for bytes that are none. */
export function readTemporalUnit(bytes: Buffer): TemporalUnit | undefined {
  const obus: Buffer[] = []
  let profile: number | undefined
  let isKeyFrame: boolean | undefined
  let at = 0
  while (at < bytes.length) {
    const obu = readObu(bytes, at)
    if (obu === undefined) {
      return undefined
    }
    const { type, header, payload, end } = obu
    if (!unsent.includes(type)) {
      obus.push(Buffer.concat([header, payload]))
    }
    if (type === types.sequenceHeader) {
      profile = (payload[0] ?? 0) >> profileShift
    }
    if (type === types.frame || type === types.frameHeader) {
      isKeyFrame ??= ((payload[0] ?? frameKindBits) & frameKindBits) === 0
    }
    at = end
  }
  return { obus, isKey: profile !== undefined && isKeyFrame === true, ...(profile === undefined ? {} : { profile }) }
}

function readObu(bytes: Buffer, at: number): { type: number; header: Buffer; payload: Buffer; end: number } | undefined {
  const flags = bytes[at] ?? forbiddenBit
  const headerEnd = at + ((flags & extensionBit) === 0 ? 1 : 2)
  const size = (flags & hasSizeBit) === 0 ? { value: bytes.length - headerEnd, length: 0 } : readLeb128(bytes, headerEnd)
  if ((flags & forbiddenBit) !== 0 || size === undefined) {
    return undefined
  }
  const begin = headerEnd + size.length
  const end = begin + size.value
  if (size.value < 0 || end > bytes.length) {
    return undefined
  }
  const header = Buffer.from(bytes.subarray(at, headerEnd))
  header[0] = flags & ~hasSizeBit
  return { type: (flags >> 3) & 0x0f, header, payload: bytes.subarray(begin, end), end }
}

const maxLeb128Bytes = 8

/** The bytes of a whole number from 0 on: seven bits each, lowest first (§4.10.5). */
export function leb128(value: number): Buffer {
  const bytes: number[] = []
  let rest = value
  do {
    const low = rest % 0x80
    rest = Math.floor(rest / 0x80)
    bytes.push(rest > 0 ? low | 0x80 : low)
  } while (rest > 0)
  return Buffer.from(bytes)
}

/** Reads one; `undefined` where the bytes end before it does. */
export function readLeb128(bytes: Buffer, at: number): { value: number; length: number } | undefined {
  let value = 0
  for (let length = 0; length < maxLeb128Bytes && at + length < bytes.length; length += 1) {
    const byte = bytes[at + length]!
    value += (byte & 0x7f) * 0x80 ** length
    if ((byte & 0x80) === 0) {
      return { value, length: length + 1 }
    }
  }
  return undefined
}
