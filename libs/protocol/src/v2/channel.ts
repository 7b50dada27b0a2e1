import type { ChannelInput } from '../v3/channel.ts'

/*
 * The data channel of V2, opened by the client and used from it to the server only: little endian, the header of V3,
 * key codes of 64 bits in which a value below 8 is a mouse button.
 */

/** Reads one message of a V2 client as V3's input; `undefined` for what is unknown or too short. */
export function decodeLegacyChannel(bytes: Uint8Array): ChannelInput | undefined {
  const data = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  switch (bytes[0]) {
    case 1:
      return bytes.length < 7 ? undefined : { is: 'move', x: data.getUint16(3, true), y: data.getUint16(5, true) }
    case 2:
      return bytes.length < 7 ? undefined : { is: 'scroll', deltaX: data.getInt16(3, true), deltaY: data.getInt16(5, true), control: false }
    case 3:
    case 4:
      return bytes.length < 11 ? undefined : press(data.getUint32(3, true), data.getUint32(7, true), bytes[0] === 3)
    default:
      return undefined
  }
}

function press(low: number, high: number, down: boolean): ChannelInput {
  return high === 0 && low < 8 ? { is: 'button', code: low, down } : { is: 'key', keysym: low, down }
}
