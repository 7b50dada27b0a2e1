import { expect, test } from 'vitest'
import { type Key, Keymap, type KeyType } from './keymap.ts'
import { SpareKeycodes } from './spare-keycodes.ts'

const oneLevel: KeyType = { mask: 0, levels: new Map() }
const twoLevel: KeyType = { mask: 1, levels: new Map([[1, 1]]) }
/** Shift or Caps Lock, but not both. */
const alphabetic: KeyType = {
  mask: 3,
  levels: new Map([
    [1, 1],
    [2, 1],
  ]),
}

const key = (keycode: number, type: number, keysyms: number[]): Key => ({
  keycode,
  groups: keysyms.length === 0 ? 0 : 1,
  width: keysyms.length,
  types: [type, 0, 0, 0],
  keysyms,
})
const latin: Key = { keycode: 40, groups: 2, width: 2, types: [2, 2, 0, 0], keysyms: [0x64, 0x44, 0x06d7, 0x06f7] }
const keys = [
  key(9, 0, [0xff1b]),
  key(10, 1, [0x31, 0x21]),
  key(38, 2, [0x61, 0x41]),
  latin,
  key(50, 0, []),
  key(60, 0, [0x61]),
  key(51, 0, []),
]
const keymap = new Keymap([oneLevel, twoLevel, alphabetic], keys)
const plain = { mods: 0, group: 0 }

test('[DSK-83] a key is found for the modifiers and the group in force, the first where several give it', () => {
  expect(keymap.find(0x61, plain)).toBe(38)
  expect(keymap.find(0x41, plain)).toBeUndefined()
  expect(keymap.find(0x41, { mods: 1, group: 0 })).toBe(38)
  expect(keymap.find(0x41, { mods: 2, group: 0 })).toBe(38)
  expect(keymap.find(0x41, { mods: 3, group: 0 })).toBeUndefined()
  expect(keymap.find(0x21, { mods: 2, group: 0 })).toBeUndefined()
  // Control and Mod1 are of no interest to these types.
  expect(keymap.find(0x21, { mods: 1 | 4 | 8, group: 0 })).toBe(10)
  expect(keymap.find(0x06d7, plain)).toBeUndefined()
  expect(keymap.find(0x06d7, { mods: 0, group: 1 })).toBe(40)
  // A key with one group has it in every group.
  expect(keymap.find(0x61, { mods: 0, group: 3 })).toBe(38)
})

test('[DSK-84] spare keycodes: the one used longest ago goes first, a held one never', () => {
  const spares = new SpareKeycodes()
  spares.adopt(keymap)
  const none = () => false
  expect(spares.lend(1001, none)).toBe(51)
  expect(spares.lend(1002, none)).toBe(50)
  expect(spares.find(1001)).toBe(51)
  spares.use(51)
  expect(spares.lend(1003, none)).toBe(50)
  expect(spares.find(1002)).toBeUndefined()
  expect(spares.lend(1004, (code) => code === 51)).toBe(50)
  expect(spares.lend(1005, () => true)).toBeUndefined()
})

test('[DSK-85] a new map takes back what it overwrote and keeps what it did not', () => {
  const spares = new SpareKeycodes()
  spares.adopt(keymap)
  spares.lend(1001, () => false)
  spares.lend(1002, () => false)
  const lentBoth = (at50: number[], at51: number[]) => new Keymap([oneLevel], [key(50, 0, at50), key(51, 0, at51)])
  spares.adopt(lentBoth([1002, 1002], [1001, 1001]))
  expect([spares.find(1001), spares.find(1002)]).toEqual([51, 50])
  spares.adopt(lentBoth([0x7a], []))
  expect([spares.find(1001), spares.find(1002)]).toEqual([undefined, undefined])
  expect(spares.lend(1003, () => false)).toBe(51)
})
