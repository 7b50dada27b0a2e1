import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { anyJson, field, flag, int, lenientObject, optional, text, uint, whole } from './lenient.ts'

const Thing = lenientObject({ name: text, size: field(int(16), 7), isOpen: flag, note: optional(z.string()) })
const defaults = { name: '', size: 7, isOpen: false, note: undefined }

describe('lenient JSON', () => {
  it('[PRO-20] fills in what is absent or null, and null itself', () => {
    expect(Thing.parse({})).toEqual(defaults)
    expect(Thing.parse(null)).toEqual(defaults)
    expect(Thing.parse({ name: null, size: null, isOpen: null, note: null })).toEqual(defaults)
  })

  it('[PRO-21] matches keys in any case; the exact one wins; unknown ones are ignored', () => {
    expect(Thing.parse({ NAME: 'a', ISOPEN: true, other: 1 })).toMatchObject({ name: 'a', isOpen: true })
    expect(Thing.parse({ name: 'exact', NAME: 'other' })).toMatchObject({ name: 'exact' })
    expect(Thing.parse({ NAME: 'other', name: 'exact' })).toMatchObject({ name: 'exact' })
    const poisoned: unknown = JSON.parse('{"__proto__":{"name":"x"},"constructor":1,"name":"a"}')
    expect(Thing.parse(poisoned)).toEqual({ ...defaults, name: 'a' })
  })

  it('[PRO-22] refuses the whole for one field of another type', () => {
    for (const bad of [{ name: 1 }, { size: '1' }, { size: 1.5 }, { isOpen: 'true' }, { note: {} }, [], 'text', 1, true, undefined]) {
      expect(Thing.safeParse(bad).success).toBe(false)
    }
  })

  it('[PRO-23] holds numbers to the width of their field', () => {
    expect([32_767, -32_768].every((n) => int(16).safeParse(n).success)).toBe(true)
    expect([32_768, -32_769, 0.5, Number.NaN].some((n) => int(16).safeParse(n).success)).toBe(false)
    expect([0, 255].every((n) => uint(8).safeParse(n).success)).toBe(true)
    expect([-1, 256].some((n) => uint(8).safeParse(n).success)).toBe(false)
    expect(whole.safeParse(2 ** 53).success).toBe(false)
  })

  it('[PRO-24] passes any JSON on that can be written again, and none so deep that it can not', () => {
    const nested = (depth: number): unknown => JSON.parse(`${'[{"a":'.repeat(depth)}null${'}]'.repeat(depth)}`)
    expect(anyJson.safeParse(nested(50)).success).toBe(true)
    expect(anyJson.safeParse(nested(51)).success).toBe(false)
    expect(anyJson.safeParse(nested(5_000)).success).toBe(false)
    expect(anyJson.parse({ a: [1, 'b', null, { c: false }] })).toEqual({ a: [1, 'b', null, { c: false }] })
  })
})
