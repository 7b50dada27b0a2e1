import { gemoji } from 'gemoji'

/** The groups of Unicode, each with an emoji that stands for it. */
export const groups = {
  smileys: { of: 'Smileys & Emotion', sign: '😀' },
  people: { of: 'People & Body', sign: '👋' },
  animals: { of: 'Animals & Nature', sign: '🐻' },
  food: { of: 'Food & Drink', sign: '🍎' },
  travel: { of: 'Travel & Places', sign: '🚗' },
  activities: { of: 'Activities', sign: '⚽' },
  objects: { of: 'Objects', sign: '💡' },
  symbols: { of: 'Symbols', sign: '💕' },
  flags: { of: 'Flags', sign: '🏳️' },
} as const
export type Group = keyof typeof groups

/** One emoji, and what it is called: its short code first. */
export interface Emoji {
  readonly emoji: string
  readonly names: readonly string[]
}

/** The emoji of a group, in the order of Unicode. */
export function emojiIn(group: Group): readonly Emoji[] {
  return gemoji.filter(({ category }) => category === groups[group].of)
}

/** Those whose short codes, tags or description have all words of a text in them, in English. */
export function findEmoji(text: string): readonly Emoji[] {
  const words = text
    .toLowerCase()
    .split(/[\s_:]+/)
    .filter(Boolean)
  return gemoji.filter(({ names, tags, description }) => {
    const called = [...names, ...tags, description].join(' ').toLowerCase()
    return words.every((word) => called.includes(word))
  })
}

/** The emoji of a short code such as `tada`; `undefined` where there is none. */
export function emojiCalled(code: string): string | undefined {
  return gemoji.find(({ names }) => names.includes(code))?.emoji
}
