import { signal } from '@preact/signals'

/** V2's emotes by their names on the wire, with what we draw for each. */
export const emotes: Readonly<Record<string, string>> = {
  'thumbs-up': '👍',
  clap: '👏',
  love: '😍',
  rofl: '🤣',
  happy: '😄',
  party: '🥳',
  celebrate: '🎉',
  flame: '🔥',
  hundred: '💯',
  wave: '👋',
  okay: '👌',
  prey: '🙏',
  punch: '👊',
  alert: '❗',
  cool: '😎',
  smerk: '😏',
  blush: '😊',
  goof: '🤪',
  thinking: '🤔',
  'roll-eyes': '🙄',
  sus: '🤨',
  odd: '🧐',
  quiet: '🤫',
  surprised: '😮',
  scared: '😨',
  terrified: '😱',
  worry: '😟',
  sad: '😔',
  cry: '😢',
  ouch: '🤕',
  sick: '🤢',
  sniff: '🤧',
  sleepy: '😴',
  sleep: '💤',
  drule: '🤤',
  hot: '🥵',
  cold: '🥶',
  sweat: '💦',
  annoy: '😒',
  steamed: '😤',
  rage: '😡',
  anger: '💢',
  dead: '💀',
  clown: '🤡',
  poo: '💩',
  bomb: '💣',
  explode: '💥',
}

/** What people type between colons, beside the names above. */
const more: Readonly<Record<string, string>> = {
  smile: '😄',
  grin: '😁',
  joy: '😂',
  laughing: '😆',
  wink: '😉',
  heart: '❤️',
  broken_heart: '💔',
  heart_eyes: '😍',
  kiss: '😘',
  sunglasses: '😎',
  sob: '😭',
  angry: '😠',
  scream: '😱',
  thumbsup: '👍',
  '+1': '👍',
  thumbsdown: '👎',
  '-1': '👎',
  ok: '👌',
  ok_hand: '👌',
  pray: '🙏',
  muscle: '💪',
  eyes: '👀',
  fire: '🔥',
  tada: '🎉',
  rocket: '🚀',
  star: '⭐',
  check: '✅',
  x: '❌',
  warning: '⚠️',
  '100': '💯',
  coffee: '☕',
  beer: '🍺',
  pizza: '🍕',
  cat: '🐱',
  dog: '🐶',
  shrug: '🤷',
}

/** Knows every short code there is, once one was needed. */
export const allCodes = signal<((code: string) => string | undefined) | undefined>(undefined)

/** The emoji of a short code such as `tada`; `undefined` where there is none, or it is not known yet. */
export function emojiOf(code: string): string | undefined {
  return Object.hasOwn(more, code) ? more[code] : Object.hasOwn(emotes, code) ? emotes[code] : allCodes.value?.(code)
}

/** Fetches the list of all emoji for a text with a short code that is not known. */
export async function fetchCodes(text: string): Promise<void> {
  const isKnown = [...text.matchAll(/:([a-z0-9_+-]{1,40}):/gi)].every(([, code = '']) => emojiOf(code) !== undefined)
  if (!isKnown && allCodes.value === undefined) {
    const { emojiCalled } = await import('./emoji.ts')
    allCodes.value = emojiCalled
  }
}
