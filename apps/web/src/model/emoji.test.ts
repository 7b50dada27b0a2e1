import { describe, expect, it } from 'vitest'
import { emojiCalled, emojiIn, findEmoji, type Group, groups } from './emoji.ts'

describe('emoji', () => {
  it('[WEB-1998] every emoji is in one group, and none twice', () => {
    const all = (Object.keys(groups) as Group[]).flatMap((group) => emojiIn(group).map(({ emoji }) => emoji))
    expect(all.length).toBeGreaterThan(1_800)
    expect(new Set(all).size).toBe(all.length)
  })

  it('[WEB-1999] is found by its short code, by a tag, by any words of its description, and not by others', () => {
    const found = (text: string) => findEmoji(text).map(({ emoji }) => emoji)
    expect(found(':tada:')).toContain('🎉')
    expect(found('hooray')).toContain('🎉')
    expect(found('Sunglasses  smiling')).toEqual(['😎'])
    expect(found('no such thing')).toEqual([])
    expect([emojiCalled('rocket'), emojiCalled('toString'), emojiCalled('rocke')]).toEqual(['🚀', undefined, undefined])
  })
})
