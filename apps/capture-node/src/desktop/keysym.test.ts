import { expect, test } from 'vitest'
import { canonicalKeysym, isModifierKeysym, keysymsOf } from './keysym.ts'

test.each([
  ['Latin-1 é by either name', 0x0100_00e9, 0xe9],
  ['Latin-1 é', 0xe9, 0xe9],
  ['Cyrillic_a', 0x06c1, 0x0100_0430],
  ['Cyrillic_IO', 0x06b3, 0x0100_0401],
  ['Ukrainian_ie', 0x06a4, 0x0100_0454],
  ['Greek_sigma', 0x07f3 - 1, 0x0100_03c3],
  ['Greek_finalsmallsigma', 0x07f3, 0x0100_03c2],
  ['Greek_OMEGA', 0x07d9, 0x0100_03a9],
  ['Greek_ALPHAaccent, which is not as in ISO 8859-7, stays', 0x07a1, 0x07a1],
  ['Zcaron of Latin-2', 0x01ae, 0x0100_017d],
  ['hebrew_aleph', 0x0ce0, 0x0100_05d0],
  ['Thai_kokai', 0x0da1, 0x0100_0e01],
  ['Arabic_alef', 0x05c7, 0x0100_0627],
  ['EuroSign', 0x20ac, 0x0100_20ac],
  ['oe of Latin-9', 0x13bd, 0x0100_0153],
  ['Return is no character', 0xff0d, 0xff0d],
  ['dead_acute is no character', 0xfe51, 0xfe51],
  ['XF86AudioPlay', 0x1008_ff14, 0x1008_ff14],
])('[DSK-80] keysyms for one character are one number: %s', (_, keysym, expected) => {
  expect(canonicalKeysym(keysym)).toBe(expected)
})

test('[DSK-81] keys that change the state of the keyboard are known', () => {
  const changing = [0xffe1, 0xffe4, 0xffe5, 0xffe9, 0xffeb, 0xfe03, 0xff7e, 0xff7f]
  expect(changing.filter((keysym) => !isModifierKeysym(keysym))).toEqual([])
  expect([0x61, 0xff0d, 0xff09, 0xfe20, 0xfe51].filter(isModifierKeysym)).toEqual([])
})

test('[DSK-82] a text is typed by its characters', () => {
  expect(keysymsOf('aé中😀')).toEqual([0x61, 0xe9, 0x0100_4e2d, 0x0101_f600])
})
