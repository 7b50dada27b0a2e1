import type { TouchMode } from '@neko-edge/client/view'
import { effect, type Signal, signal } from '@preact/signals'
import { remembered } from './store.ts'

export type Theme = 'auto' | 'light' | 'dark'

const flag = (text: string) => (text === 'true' || text === 'false' ? text === 'true' : undefined)
const within = (least: number, most: number) => (text: string) => {
  const value = Number(text)
  return text !== '' && value >= least && value <= most ? value : undefined
}
const touchModes: readonly string[] = ['auto', 'mouse', 'trackpad', 'native'] satisfies TouchMode[]
/** Panels that may be open from the start; the clipboard needs the controls. */
const panels: readonly string[] = ['chat', 'people', 'files', 'settings', 'none']
const themes: readonly string[] = ['auto', 'light', 'dark'] satisfies Theme[]

/** A signal that the browser remembers; what it remembers wrong counts as nothing. */
function kept<T extends string | number | boolean>(name: string, initial: T, parse: (text: string) => T | undefined): Signal<T> {
  const value = signal(parse(remembered.get(name) ?? '') ?? initial)
  let isFirst = true
  effect(() => {
    const text = String(value.value)
    if (!isFirst) {
      remembered.set(name, text)
    }
    isFirst = false
  })
  return value
}

/** What somebody likes, on this browser. */
export type Preferences = ReturnType<typeof createPreferences>

export function createPreferences() {
  return {
    volume: kept('volume', 1, within(0, 1)),
    /** 1 is the wheel as it is. */
    scrollSpeed: kept('scroll', 1, within(0.1, 5)),
    invertScroll: kept('invert', false, flag),
    touchMode: kept<TouchMode>('touch', 'auto', (text) => (touchModes.includes(text) ? (text as TouchMode) : undefined)),
    /** A layout of XKB, or `auto`. */
    layout: kept('layout', 'auto', (text) => (/^[a-z]{2,8}$/.test(text) ? text : undefined)),
    /** A code of the catalogue, or `auto`. */
    language: kept('language', 'auto', (text) => (/^[a-z-]{2,8}$/i.test(text) ? text : undefined)),
    theme: kept<Theme>('theme', 'auto', (text) => (themes.includes(text) ? (text as Theme) : undefined)),
    /** The panel that was open last beside a wide picture. */
    panel: kept('panel', 'chat', (text) => (panels.includes(text) ? text : undefined)),
    hasSounds: kept('sounds', true, flag),
    /** Emoji that one used last, with spaces between them. */
    recentEmoji: kept('emoji', '', (text) => (text.length <= 500 ? text : undefined)),
    /** The picture moves as soon as one is in. */
    autoplay: kept('autoplay', true, flag),
    showsEmotes: kept('emotes', true, flag),
  }
}
