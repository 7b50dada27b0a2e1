import { BadValue } from './bad-value.ts'
import { readText } from './scalar.ts'

/** A screen size in pixels and its rate in frames a second. */
export interface Screen {
  readonly width: number
  readonly height: number
  readonly rate: number
}

/** `1920x1080@60`; without a rate it is 30. Upstream takes the first match anywhere in the text and silently its default otherwise. */
export function readScreen(raw: unknown): Screen | BadValue {
  const text = readText(raw)
  if (text instanceof BadValue) {
    return text
  }
  const match = /^\s*(\d{1,4})\s*[x×]\s*(\d{1,4})\s*(?:@\s*(\d{1,3}))?\s*$/i.exec(text)
  if (match === null) {
    return new BadValue('is not a screen')
  }
  const screen = { width: Number(match[1]), height: Number(match[2]), rate: Number(match[3] ?? 30) }
  return screen.width === 0 || screen.height === 0 || screen.rate === 0 ? new BadValue('has a zero in it') : screen
}

export function printScreen(screen: Screen): string {
  return `${screen.width}x${screen.height}@${screen.rate}`
}
