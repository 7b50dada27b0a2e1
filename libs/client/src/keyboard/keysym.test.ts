import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type KeyStroke, keysymOf, keysymOfCharacter } from './keysym.ts'

const stroke = (key: string, more: Partial<KeyStroke> = {}): KeyStroke => ({
  key,
  code: '',
  location: 0,
  ctrlKey: false,
  shiftKey: false,
  altKey: false,
  metaKey: false,
  getModifierState: () => false,
  ...more,
})
const linux = { mac: false }
const mac = { mac: true }

describe('characters', () => {
  it.each([
    ['a', 0x61],
    ['A', 0x41],
    [' ', 0x20],
    ['~', 0x7e],
    ['é', 0xe9],
    ['ß', 0xdf],
    ['ÿ', 0xff],
    ['Ā', 0x01000100],
    ['€', 0x010020ac],
    ['中', 0x01004e2d],
    ['я', 0x0100044f],
    ['😀', 0x0101f600],
  ])('[WEB-1] %s is keysym %i', (key, keysym) => {
    expect(keysymOf(stroke(key), linux)).toBe(keysym)
  })

  it('[WEB-1] every character beyond Latin-1 is 0x01000000 + code point, and Latin-1 is itself', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0xa0, max: 0x10ffff }), (point) => {
        fc.pre(point < 0xd800 || point > 0xdfff)
        expect(keysymOfCharacter(String.fromCodePoint(point))).toBe(point <= 0xff ? point : 0x01000000 + point)
      }),
    )
  })

  it('[WEB-2] control codes, half a pair and more than one character have no keysym; line feed and tab are keys', () => {
    expect(['\u0000', '\u007f', '\ud83d', 'ab', ''].map(keysymOfCharacter)).toEqual([undefined, undefined, undefined, undefined, undefined])
    expect([keysymOfCharacter('\n'), keysymOfCharacter('\t')]).toEqual([0xff0d, 0xff09])
  })

  it('[WEB-3] a shortcut on a foreign layout means the Latin letter of its key', () => {
    expect(keysymOf(stroke('с', { code: 'KeyC', ctrlKey: true }), linux)).toBe(0x63)
    expect(keysymOf(stroke('С', { code: 'KeyC', ctrlKey: true, shiftKey: true }), linux)).toBe(0x43)
    expect(keysymOf(stroke('с', { code: 'KeyC' }), linux)).toBe(0x01000441)
    // AZERTY: the letter counts, not the place.
    expect(keysymOf(stroke('a', { code: 'KeyQ', ctrlKey: true }), linux)).toBe(0x61)
  })
})

describe('named keys', () => {
  it.each([
    ['Enter', 0, 0xff0d],
    ['Enter', 3, 0xff8d],
    ['Tab', 0, 0xff09],
    ['Backspace', 0, 0xff08],
    ['Delete', 0, 0xffff],
    ['Delete', 3, 0xff9f],
    ['ArrowLeft', 0, 0xff51],
    ['ArrowLeft', 3, 0xff96],
    ['Shift', 1, 0xffe1],
    ['Shift', 2, 0xffe2],
    ['Control', 2, 0xffe4],
    ['Alt', 1, 0xffe9],
    ['AltGraph', 2, 0xfe03],
    ['Meta', 1, 0xffeb],
    ['Meta', 2, 0xffec],
    ['F1', 0, 0xffbe],
    ['F12', 0, 0xffc9],
    ['F24', 0, 0xffd5],
    ['PrintScreen', 0, 0xff61],
    ['ContextMenu', 0, 0xff67],
    ['AudioVolumeUp', 0, 0x1008ff13],
    ['Compose', 0, 0xff20],
  ])('[WEB-4] %s at location %i is keysym %i', (key, location, keysym) => {
    expect(keysymOf(stroke(key, { location }), linux)).toBe(keysym)
  })

  it('[WEB-5] the number pad has keysyms of its own', () => {
    expect(['0', '9', '+', '-', '*', '/', '.', ','].map((key) => keysymOf(stroke(key, { location: 3 }), linux))).toEqual([
      0xffb0, 0xffb9, 0xffab, 0xffad, 0xffaa, 0xffaf, 0xffae, 0xffac,
    ])
  })

  it('[WEB-6] on a Mac, Command is Control and Option is AltGr', () => {
    expect(keysymOf(stroke('Meta', { location: 1 }), mac)).toBe(0xffe3)
    expect(keysymOf(stroke('Meta', { location: 2 }), mac)).toBe(0xffe4)
    expect(keysymOf(stroke('Alt', { location: 1 }), mac)).toBe(0xfe03)
    expect(keysymOf(stroke('Control', { location: 1 }), mac)).toBe(0xffe3)
  })

  it('[WEB-7] what means nothing to X has no keysym, whatever it is called', () => {
    for (const key of ['Dead', 'Process', 'Unidentified', 'Fn', 'constructor', 'toString', '__proto__']) {
      expect(keysymOf(stroke(key), linux)).toBeUndefined()
    }
  })
})
