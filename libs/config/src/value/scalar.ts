import { BadValue } from './bad-value.ts'

const trueWords = new Set(['1', 't', 'true', 'y', 'yes', 'on'])
const falseWords = new Set(['0', 'f', 'false', 'n', 'no', 'off'])

/** The text of a raw value; a list or a map has none. */
export function readText(raw: unknown): string | BadValue {
  if (typeof raw === 'string') {
    return raw
  }
  if (typeof raw === 'number' || typeof raw === 'boolean' || typeof raw === 'bigint') {
    return String(raw)
  }
  if (Array.isArray(raw) && raw.length === 1) {
    return readText(raw[0])
  }
  if (raw === undefined || raw === null) {
    return new BadValue('is missing')
  }
  return new BadValue(Array.isArray(raw) ? 'takes one value and was given a list' : 'takes one value and was given a map')
}

/** Upstream's words for true and false, and yes, no, on, off, in any case. */
export function readBoolean(raw: unknown): boolean | BadValue {
  const text = readText(raw)
  if (text instanceof BadValue) {
    return text
  }
  const word = text.trim().toLowerCase()
  if (trueWords.has(word)) {
    return true
  }
  return falseWords.has(word) ? false : new BadValue('is neither true nor false')
}

/** A decimal number, whole or with a point. */
export function readNumber(raw: unknown): number | BadValue {
  const text = readText(raw)
  if (text instanceof BadValue) {
    return text
  }
  return /^[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?$/i.test(text.trim()) ? Number(text) : new BadValue('is not a number')
}

/** A decimal whole number. */
export function readInteger(raw: unknown): number | BadValue {
  const text = readText(raw)
  if (text instanceof BadValue) {
    return text
  }
  return /^[+-]?\d+$/.test(text.trim()) ? Number(text) : new BadValue('is not a whole number')
}

/**
 * A list of words: a native list, JSON text that starts with `[`, or text split at commas and whitespace.
 * Upstream splits its environment at whitespace and its flags at commas only; no option of ours holds a word with either in it.
 */
export function readList(raw: unknown): string[] | BadValue {
  if (Array.isArray(raw)) {
    const words: string[] = []
    for (const item of raw) {
      const inner = Array.isArray(item) ? new BadValue('takes a flat list and was given a list in a list') : readText(item)
      if (inner instanceof BadValue) {
        return inner
      }
      words.push(...inner.split(/[\s,]+/).filter((word) => word !== ''))
    }
    return words
  }
  const text = readText(raw)
  if (text instanceof BadValue) {
    return text
  }
  if (text.trim().startsWith('[')) {
    const parsed = readJson(text)
    return parsed instanceof BadValue ? parsed : readList(parsed)
  }
  return readList([text])
}

/** A native value as it is, or JSON text (white space around it does not matter, as it does upstream). */
export function readJson(raw: unknown): unknown {
  if (typeof raw !== 'string') {
    return raw
  }
  try {
    return JSON.parse(raw)
  } catch (error) {
    // JSON.parse says where and what, which is what the reader needs; it quotes the text, which may hold a password, so only the first words stay.
    return new BadValue(`is not valid JSON (${jsonReason(error)})`)
  }
}

function jsonReason(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error)
  const position = /position (\d+)/.exec(message)?.[1]
  return position === undefined ? 'it ends too early or is not JSON at all' : `something is wrong at character ${Number(position) + 1}`
}
