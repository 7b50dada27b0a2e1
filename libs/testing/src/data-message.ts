/**
 * The data channel as a client sees it, spelled out from the specification a second time, apart from the product's own codec:
 * a mistake there must not be understood here.
 */
export type DataMessage =
  | { kind: 'position'; x: number; y: number; length: number }
  | { kind: 'image'; width: number; height: number; hotX: number; hotY: number; png: Uint8Array; length: number }
  | { kind: 'pong'; clientMs: number; serverMs: number; length: number }
  | { kind: 'unknown'; bytes: Uint8Array }

/** Times are split by 2³²−1, not by 2³²: upstream's clients and servers both do so. */
const timeBase = 4_294_967_295

/** Reads a message of the server (big endian, as V3 sends it). Anything it does not know is `unknown`. */
export function decodeDataMessage(bytes: Uint8Array): DataMessage {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const opcode = bytes[0]
  const length = bytes.length >= 3 ? view.getUint16(1) : 0
  if (opcode === 1 && bytes.length === 7) {
    return { kind: 'position', x: view.getUint16(3), y: view.getUint16(5), length }
  }
  if (opcode === 2 && bytes.length >= 11) {
    const [width, height, hotX, hotY] = [view.getUint16(3), view.getUint16(5), view.getUint16(7), view.getUint16(9)]
    return { kind: 'image', width, height, hotX, hotY, png: bytes.subarray(11), length }
  }
  if (opcode === 3 && bytes.length === 19) {
    const time = (at: number) => view.getUint32(at) * timeBase + view.getUint32(at + 4)
    return { kind: 'pong', clientMs: time(3), serverMs: time(11), length }
  }
  return { kind: 'unknown', bytes }
}

/** A message of a V3 client: opcode, body length, body, big endian. `body` writes itself into a view of its `length` bytes. */
function v3Message(opcode: number, length: number, body: (view: DataView) => void): Uint8Array {
  const bytes = new Uint8Array(3 + length)
  const view = new DataView(bytes.buffer)
  view.setUint8(0, opcode)
  view.setUint16(1, length)
  body(new DataView(bytes.buffer, 3))
  return bytes
}

/** What a V3 client sends over its data channel. */
export const v3Input = {
  /** The pointer to a place, in screen pixels. */
  move: (x: number, y: number) =>
    v3Message(1, 4, (view) => {
      view.setUint16(0, x)
      view.setUint16(2, y)
    }),
  /** Wheel clicks; `control` holds Ctrl while they happen. */
  scroll: (deltaX: number, deltaY: number, control: boolean) =>
    v3Message(2, 5, (view) => {
      view.setInt16(0, deltaX)
      view.setInt16(2, deltaY)
      view.setUint8(4, control ? 1 : 0)
    }),
  keyDown: (keysym: number) => v3Message(3, 4, (view) => view.setUint32(0, keysym)),
  keyUp: (keysym: number) => v3Message(4, 4, (view) => view.setUint32(0, keysym)),
  /** X button numbers: 1 left, 2 middle, 3 right. */
  buttonDown: (button: number) => v3Message(5, 4, (view) => view.setUint32(0, button)),
  buttonUp: (button: number) => v3Message(6, 4, (view) => view.setUint32(0, button)),
  /** Asks for a pong; `now` in epoch milliseconds. */
  ping: (now: number) =>
    v3Message(7, 8, (view) => {
      view.setUint32(0, Math.floor(now / timeBase))
      view.setUint32(4, now % timeBase)
    }),
}

/** A message of a V2 client: as V3's, but little endian and with codes of eight bytes. */
function v2Message(opcode: number, length: number, body: (view: DataView) => void): Uint8Array {
  const bytes = new Uint8Array(3 + length)
  const view = new DataView(bytes.buffer)
  view.setUint8(0, opcode)
  view.setUint16(1, length, true)
  body(new DataView(bytes.buffer, 3))
  return bytes
}

/** What a V2 client sends over its data channel. A code below 8 is a button, any other a keysym. */
export const v2Input = {
  move: (x: number, y: number) =>
    v2Message(1, 4, (view) => {
      view.setUint16(0, x, true)
      view.setUint16(2, y, true)
    }),
  scroll: (x: number, y: number) =>
    v2Message(2, 4, (view) => {
      view.setInt16(0, x, true)
      view.setInt16(2, y, true)
    }),
  down: (code: number) => v2Message(3, 8, (view) => view.setBigUint64(0, BigInt(code), true)),
  up: (code: number) => v2Message(4, 8, (view) => view.setBigUint64(0, BigInt(code), true)),
}
