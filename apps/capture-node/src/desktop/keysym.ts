/** X keysyms: the numbers by which keys are named (X11 protocol, appendix A; `keysymdef.h`). */
export const keysyms = {
  tab: 0xff09,
  isoLeftTab: 0xfe20,
  returnKey: 0xff0d,
  delete: 0xffff,
  down: 0xff54,
  controlLeft: 0xffe3,
  altLeft: 0xffe9,
} as const

const unicodeBase = 0x0100_0000

/** Keysyms from before Unicode are an 8-bit character set each; the high byte says which. */
const legacySets: Readonly<Record<number, string>> = {
  1: 'iso-8859-2',
  2: 'iso-8859-3',
  3: 'iso-8859-4',
  5: 'iso-8859-6',
  6: 'koi8-u',
  7: 'iso-8859-7',
  12: 'iso-8859-8',
  13: 'windows-874',
  19: 'iso-8859-15',
}

/** Where X and the character set differ, and single keysyms. */
const exceptions: ReadonlyMap<number, number> = new Map([
  [0x07d2, 0x03a3],
  [0x07f2, 0x03c3],
  [0x07f3, 0x03c2],
  [0x20ac, 0x20ac],
])

const letter = /^[\p{L}\p{M}]$/u

function legacyCodePoint(keysym: number): number | undefined {
  const exception = exceptions.get(keysym)
  if (exception !== undefined) {
    return exception
  }
  const set = legacySets[keysym >>> 8]
  // Greek letters with accents (0x7a1…0x7bb) are placed differently from ISO 8859-7.
  if (set === undefined || (keysym >>> 8 === 0x07 && (keysym & 0xff) < 0xc1)) {
    return undefined
  }
  const text = new TextDecoder(set).decode(Uint8Array.of(keysym & 0xff))
  return letter.test(text) ? text.codePointAt(0) : undefined
}

/**
 * One number for keysyms that mean the same character: a client says U+0430 as 0x1000430 while the layout of the server says
 * Cyrillic_a, 0x6c1. Latin-1 stays as it is, other characters become 0x1000000 + code point, keys that are no characters stay.
 */
export function canonicalKeysym(keysym: number): number {
  const codePoint = keysym >= unicodeBase ? keysym - unicodeBase : keysym > 0xff && keysym < 0x2100 ? legacyCodePoint(keysym) : undefined
  if (codePoint === undefined) {
    return keysym
  }
  return codePoint < 0x100 ? codePoint : unicodeBase + codePoint
}

/** Whether a key of this name may change the modifiers or the group: Shift to Hyper, the ISO shifts, Mode_switch and Num_Lock. */
export function isModifierKeysym(keysym: number): boolean {
  return (keysym >= 0xffe1 && keysym <= 0xffee) || (keysym >= 0xfe01 && keysym <= 0xfe13) || keysym === 0xff7e || keysym === 0xff7f
}

/** The keysyms that type a text. */
export function keysymsOf(text: string): number[] {
  return Array.from(text, (character) => canonicalKeysym(unicodeBase + (character.codePointAt(0) ?? 0)))
}
