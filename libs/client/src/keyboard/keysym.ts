import { namedKeys, padCharacters } from './named-keys.ts'

/** What a key is told from: the fields of KeyboardEvent that matter here. */
export interface KeyStroke {
  readonly key: string
  readonly code: string
  /** 1 left, 2 right, 3 number pad. */
  readonly location: number
  readonly ctrlKey: boolean
  readonly shiftKey: boolean
  readonly altKey: boolean
  readonly metaKey: boolean
  getModifierState(name: string): boolean
}

const atRight = 2
const onPad = 3

/**
 * The X keysym of a character: Latin-1 as it is, everything else 0x01000000 + code point (X11 protocol, appendix A).
 * `undefined` for what is no character of its own (control codes, halves of a pair).
 */
export function keysymOfCharacter(character: string): number | undefined {
  const point = character.codePointAt(0)
  if (point === undefined || String.fromCodePoint(point) !== character) {
    return undefined
  }
  if (character === '\n' || character === '\r') {
    return 0xff0d
  }
  if (character === '\t') {
    return 0xff09
  }
  if (point < 0x20 || (point >= 0x7f && point < 0xa0) || (point >= 0xd800 && point <= 0xdfff)) {
    return undefined
  }
  return point <= 0xff ? point : 0x01000000 + point
}

/** Whether the key makes a character, as against having a name. */
export const isCharacter = (key: string): boolean => key.length > 0 && String.fromCodePoint(key.codePointAt(0) ?? 0) === key

/** The X keysym of a key, by what it means, not by where it sits; `undefined` where it means nothing to X (`Dead`, `Process`, `Fn`, …). */
export function keysymOf(stroke: KeyStroke, { mac }: { mac: boolean }): number | undefined {
  if (isCharacter(stroke.key)) {
    return keysymOfPrintable(stroke)
  }
  const name = mac ? macName(stroke.key) : stroke.key
  const named = Object.hasOwn(namedKeys, name) ? namedKeys[name] : undefined
  if (named === undefined || typeof named === 'number') {
    return named
  }
  if ('left' in named) {
    return stroke.location === atRight ? named.right : named.left
  }
  return stroke.location === onPad ? named.pad : named.standard
}

function keysymOfPrintable(stroke: KeyStroke): number | undefined {
  const pad = stroke.location === onPad ? padCharacters[stroke.key] : undefined
  return pad ?? keysymOfCharacter(latinOfShortcut(stroke) ?? stroke.key)
}

/** Command acts as Control and Option as AltGr, as upstream's clients do: the desktop is a Linux, the fingers are used to a Mac. */
function macName(key: string): string {
  return key === 'Meta' ? 'Control' : key === 'Alt' ? 'AltGraph' : key
}

/**
 * Ctrl+С on a Cyrillic layout means Ctrl+C: applications know their shortcuts by the Latin letter on the same key.
 */
function latinOfShortcut({ key, code, ctrlKey, metaKey, shiftKey }: KeyStroke): string | undefined {
  const letter = /^Key([A-Z])$/.exec(code)?.[1]
  const isForeign = (key.codePointAt(0) ?? 0) > 0xff
  return letter !== undefined && isForeign && (ctrlKey || metaKey) ? (shiftKey ? letter : letter.toLowerCase()) : undefined
}
