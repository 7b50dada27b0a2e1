const setGeometry = 20
const noOutline = 0xff

/** A string with its length, filled up to whole words, as XKB counts them. */
function counted(text: string): Buffer {
  const bytes = Buffer.alloc(Math.ceil((text.length + 2) / 4) * 4)
  bytes.writeUInt16LE(text.length, 0)
  bytes.write(text, 2, 'latin1')
  return bytes
}

/** One shape with one outline of one point. */
function shape(name: number): Buffer {
  const bytes = Buffer.alloc(16)
  bytes.writeUInt32LE(name, 0)
  bytes.writeUInt8(1, 4)
  bytes.writeUInt8(noOutline, 5)
  bytes.writeUInt8(noOutline, 6)
  bytes.writeUInt8(1, 8)
  return bytes
}

/**
 * A request after which every application hears that there is a new keyboard (XkbNewKeyboardNotify), and reads the map again.
 *
 * Chromium heeds nothing less: it is told of a changed key by XkbMapNotify, does not listen, and gives a page the old meaning as
 * `KeyboardEvent.key`. Setting the keyboard's geometry, its drawing, which nobody looks at, is the one small request that has this
 * effect. `name` is any atom. (XKB protocol, "XkbSetGeometry": it wants at least one shape and two colours.)
 */
export function announceKeyboard({ majorOpcode, device, name }: { majorOpcode: number; device: number; name: number }): Buffer {
  const head = Buffer.alloc(28)
  head.writeUInt8(majorOpcode, 0)
  head.writeUInt8(setGeometry, 1)
  head.writeUInt16LE(device, 4)
  head.writeUInt8(1, 6)
  head.writeUInt32LE(name, 8)
  // Width and height in tenths of a millimetre.
  head.writeUInt16LE(1, 12)
  head.writeUInt16LE(1, 14)
  head.writeUInt16LE(2, 18)
  // The colours of keys and labels, which must differ.
  head.writeUInt8(0, 24)
  head.writeUInt8(1, 25)
  const noFont = counted('')
  const packet = Buffer.concat([head, noFont, counted('a'), counted('b'), shape(name)])
  packet.writeUInt16LE(packet.length / 4, 2)
  return packet
}
