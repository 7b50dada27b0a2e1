import type { XConnection } from './connection.ts'
import { type Key, Keymap, type KeyType } from './keymap.ts'

/**
 * XKB's GetMap, which the package x11 lacks (XKB protocol, "XkbGetMap"; layouts as in X11/extensions/XKBproto.h).
 * Only types and keysyms are asked for.
 */
export function readKeymap(connection: XConnection): Promise<Keymap> {
  const packet = Buffer.alloc(28)
  packet.writeUInt8(connection.xkb.majorOpcode, 0)
  packet.writeUInt8(8, 1)
  packet.writeUInt16LE(7, 2)
  packet.writeUInt16LE(connection.xkb.UseCoreKbd, 4)
  // KeyTypes | KeySyms, all of them.
  packet.writeUInt16LE(3, 6)
  return connection.askRaw('the keyboard map', packet, parseGetMap)
}

/** Reads the answer to GetMap without its first 8 bytes. */
export function parseGetMap(body: Buffer): Keymap {
  const typeCount = body.readUInt8(7)
  const firstKeycode = body.readUInt8(9)
  const keyCount = body.readUInt8(12)
  const types: KeyType[] = []
  let offset = 32
  for (let i = 0; i < typeCount; i++) {
    const [type, next] = readType(body, offset)
    types.push(type)
    offset = next
  }
  const keys: Key[] = []
  for (let i = 0; i < keyCount; i++) {
    const [key, next] = readKey(body, offset, firstKeycode + i)
    keys.push(key)
    offset = next
  }
  return new Keymap(types, keys)
}

function readType(body: Buffer, offset: number): [KeyType, number] {
  const mask = body.readUInt8(offset)
  const entryCount = body.readUInt8(offset + 5)
  const hasPreserve = body.readUInt8(offset + 6) !== 0
  const levels = new Map<number, number>()
  for (let i = 0; i < entryCount; i++) {
    const entry = offset + 8 + i * 8
    const isActive = body.readUInt8(entry) !== 0
    if (isActive) {
      levels.set(body.readUInt8(entry + 1), body.readUInt8(entry + 2))
    }
  }
  return [{ mask, levels }, offset + 8 + entryCount * (hasPreserve ? 12 : 8)]
}

function readKey(body: Buffer, offset: number, keycode: number): [Key, number] {
  const symCount = body.readUInt16LE(offset + 6)
  const keysyms = Array.from({ length: symCount }, (_, i) => body.readUInt32LE(offset + 8 + i * 4))
  const key = {
    keycode,
    groups: body.readUInt8(offset + 4) & 0x0f,
    width: body.readUInt8(offset + 5),
    types: [...body.subarray(offset, offset + 4)],
    keysyms,
  }
  return [key, offset + 8 + symCount * 4]
}
