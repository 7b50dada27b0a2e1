import { describe, expect, it } from 'vitest'
import { parseJson } from './json-body.ts'

describe('JSON bodies', () => {
  it('[HTTP-64] what follows the first value is ignored where that is allowed, as Go does', () => {
    expect(parseJson('{"a":1} {"b":2}', { allowTail: true })).toEqual({ a: 1 })
    expect(parseJson('[1]x', { allowTail: true })).toEqual([1])
    expect(parseJson('{"a":1} x', { allowTail: false })).toBeUndefined()
    expect(parseJson('{"a":', { allowTail: true })).toBeUndefined()
    expect(parseJson('{"a":"\\ud800"}tail', { allowTail: true })).toEqual({ a: '\ufffd' })
  })

  it('[HTTP-65] half a surrogate pair becomes U+FFFD, a whole one and an escaped backslash stay', () => {
    const read = (text: string) => parseJson(`"${text}"`, { allowTail: false })
    expect(read('\\ud83d\\ude00')).toBe('😀')
    expect(read('\\ud83d\\ud83d\\ude00\\ude00')).toBe('\ufffd😀\ufffd')
    expect(read('\\\\ud800')).toBe('\\ud800')
    expect(read('\\uD800x\\uDfFf')).toBe('\ufffdx\ufffd')
  })
})
