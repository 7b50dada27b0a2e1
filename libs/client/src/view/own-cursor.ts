import type { CursorImage } from '../cursor.ts'

/** Browsers show no cursor that is larger, in CSS pixels. */
const mostPx = 128

/**
 * The desktop's pointer as one's own, as values of CSS `cursor`, the best first. It is as large as the picture around it: at `scale` 0.5 the
 * image has two pixels for each of the page, so that it stays sharp on a screen of high density; the hot spot is in pixels of the page (CSS
 * UI 4 §5.1.1). A browser that knows no `image-set` here takes the second.
 */
export function cursorStyles({ url, width, height, hotX, hotY }: CursorImage, scale: number): [string, string] {
  const wanted = Math.min(scale, mostPx / Math.max(width, height))
  const density = Math.round(100 / wanted) / 100
  return [
    `image-set(url("${url}") ${density}x) ${Math.round(hotX / density)} ${Math.round(hotY / density)}, default`,
    `url("${url}") ${hotX} ${hotY}, default`,
  ]
}
