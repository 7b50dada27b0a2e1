/*
 * The binary data channel of V3: one message a frame, big endian, a header of opcode (u8) and length (u16).
 * `length` counts the body from the client and the whole message from the server; only SCROLL's is ever looked at.
 */

export type ChannelInput =
  | { is: 'move'; x: number; y: number }
  | { is: 'scroll'; deltaX: number; deltaY: number; control: boolean }
  | { is: 'key'; keysym: number; down: boolean }
  | { is: 'button'; code: number; down: boolean }
  | { is: 'ping'; clientTime: number }
  | { is: 'touch'; phase: 'begin' | 'update' | 'end'; id: number; x: number; y: number; pressure: number }

export type ChannelOutput =
  | { is: 'cursor-position'; x: number; y: number }
  | { is: 'cursor-image'; width: number; height: number; hotX: number; hotY: number; png: Uint8Array }
  | { is: 'pong'; clientTime: number; serverTime: number }

/** A time goes as two u32, split by 2³²−1 as every client does, not by 2³². */
const timeBase = 4_294_967_295

const view = (bytes: Uint8Array) => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
const readTime = (data: DataView, at: number) => data.getUint32(at) * timeBase + data.getUint32(at + 4)
function writeTime(data: DataView, at: number, time: number): void {
  data.setUint32(at, Math.floor(time / timeBase))
  data.setUint32(at + 4, time % timeBase)
}

const phases = { 8: 'begin', 9: 'update', 10: 'end' } as const

/** The opcodes of a client with the shortest whole message of each, in bytes. */
const shortest: Readonly<Record<number, number>> = { 1: 7, 2: 7, 3: 7, 4: 7, 5: 7, 6: 7, 7: 11, 8: 16, 9: 16, 10: 16 }

/** Reads one message of a V3 client; `undefined` for an unknown opcode or a message that is too short, which cost nothing but themselves. */
export function decodeChannel(bytes: Uint8Array): ChannelInput | undefined {
  const op = bytes[0] ?? 0
  const length = shortest[op]
  if (length === undefined || bytes.length < length) {
    return undefined
  }
  const data = view(bytes)
  switch (op) {
    case 1:
      return { is: 'move', x: data.getUint16(3), y: data.getUint16(5) }
    case 2:
      return decodeScroll(data)
    case 3:
    case 4:
      return { is: 'key', keysym: data.getUint32(3), down: op === 3 }
    case 5:
    case 6:
      return { is: 'button', code: data.getUint32(3), down: op === 5 }
    case 7:
      return { is: 'ping', clientTime: readTime(data, 3) }
    default:
      return {
        is: 'touch',
        phase: phases[op as keyof typeof phases],
        id: data.getUint32(3),
        x: data.getInt32(7),
        y: data.getInt32(11),
        pressure: data.getUint8(15),
      }
  }
}

// The header's length tells the old body, without the control key, from the new one.
function decodeScroll(data: DataView): ChannelInput | undefined {
  const isOld = data.getUint16(1) === 4
  if (!isOld && data.byteLength < 8) {
    return undefined
  }
  return { is: 'scroll', deltaX: data.getInt16(3), deltaY: data.getInt16(5), control: !isOld && data.getUint8(7) !== 0 }
}

/** One message of a V3 server. */
export function encodeChannel(message: ChannelOutput): Uint8Array {
  switch (message.is) {
    case 'cursor-position':
      return build(1, 7, (data) => {
        data.setUint16(3, message.x)
        data.setUint16(5, message.y)
      })
    case 'cursor-image': {
      const head = [message.width, message.height, message.hotX, message.hotY]
      const bytes = build(2, 11 + message.png.length, (data) => head.forEach((value, index) => data.setUint16(3 + 2 * index, value)))
      bytes.set(message.png, 11)
      return bytes
    }
    case 'pong':
      return build(3, 19, (data) => {
        writeTime(data, 3, message.clientTime)
        writeTime(data, 11, message.serverTime)
      })
  }
}

/** One message of a V3 client. */
export function encodeInput(input: ChannelInput): Uint8Array {
  switch (input.is) {
    case 'move':
      return client(1, 4, (data) => {
        data.setUint16(3, input.x)
        data.setUint16(5, input.y)
      })
    case 'scroll':
      return client(2, 5, (data) => {
        data.setInt16(3, input.deltaX)
        data.setInt16(5, input.deltaY)
        data.setUint8(7, input.control ? 1 : 0)
      })
    case 'key':
      return client(input.down ? 3 : 4, 4, (data) => data.setUint32(3, input.keysym))
    case 'button':
      return client(input.down ? 5 : 6, 4, (data) => data.setUint32(3, input.code))
    case 'ping':
      return client(7, 8, (data) => writeTime(data, 3, input.clientTime))
    case 'touch':
      return client({ begin: 8, update: 9, end: 10 }[input.phase], 13, (data) => {
        data.setUint32(3, input.id)
        data.setInt32(7, input.x)
        data.setInt32(11, input.y)
        data.setUint8(15, input.pressure)
      })
  }
}

/** Reads one message of a V3 server; `undefined` where it is none. The size of a cursor image is the message's: its length field wraps at 64 KiB. */
export function decodeOutput(bytes: Uint8Array): ChannelOutput | undefined {
  const data = view(bytes)
  switch (bytes[0]) {
    case 1:
      return bytes.length < 7 ? undefined : { is: 'cursor-position', x: data.getUint16(3), y: data.getUint16(5) }
    case 2:
      return bytes.length < 11
        ? undefined
        : {
            is: 'cursor-image',
            width: data.getUint16(3),
            height: data.getUint16(5),
            hotX: data.getUint16(7),
            hotY: data.getUint16(9),
            png: bytes.subarray(11),
          }
    case 3:
      return bytes.length < 19 ? undefined : { is: 'pong', clientTime: readTime(data, 3), serverTime: readTime(data, 11) }
    default:
      return undefined
  }
}

function build(op: number, size: number, fill: (data: DataView) => void): Uint8Array {
  const bytes = new Uint8Array(size)
  const data = view(bytes)
  data.setUint8(0, op)
  data.setUint16(1, size & 0xffff)
  fill(data)
  return bytes
}

function client(op: number, body: number, fill: (data: DataView) => void): Uint8Array {
  const bytes = build(op, 3 + body, fill)
  view(bytes).setUint16(1, body)
  return bytes
}
