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

/** What one's own mouse looks like over the picture: at the controls as the desktop's, with no round trip between hand and eye. */
export class OwnCursor {
  readonly #surface: HTMLElement
  /** As it was set: reading it back gives other words. */
  #now = ''

  constructor(surface: HTMLElement) {
    this.#surface = surface
  }

  /** `undefined`: the application hides it. */
  show(image: CursorImage | undefined, { isMine, scale }: { isMine: boolean; scale: number }): void {
    const [best, plain] = isMine && image ? cursorStyles(image, scale) : isMine ? ['none', 'none'] : ['default', 'default']
    if (best !== this.#now) {
      this.#now = best
      this.#surface.style.cursor = plain
      // A browser that does not know it leaves the line above.
      this.#surface.style.cursor = best
    }
  }
}
