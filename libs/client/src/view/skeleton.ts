import type { Size } from './mapping.ts'
import { viewStyle } from './style.ts'

/** What an element consists of, in its shadow root; each is a CSS part of that name. */
export interface Skeleton {
  readonly video: HTMLVideoElement
  readonly others: HTMLElement
  readonly cursor: HTMLImageElement
  /** Where mouse, fingers and keys arrive: focusable and editable, since only there browsers compose dead keys and input methods. */
  readonly surface: HTMLTextAreaElement
  readonly state: HTMLElement
  readonly controls: HTMLElement
  /** Gives the element the proportions of the desktop, where the page gives it no height. */
  setShape: (screen: Size) => void
}

/** What the surface is called where the page says nothing else. */
export const surfaceWords: Readonly<Record<string, string>> = {
  'aria-label': 'Remote desktop',
  'aria-description': 'At the controls, every key goes to the desktop; Ctrl, Alt and Shift together give the keyboard back.',
}

/** Builds the shadow root. */
export function createSkeleton(host: HTMLElement): Skeleton {
  const root = host.attachShadow({ mode: 'open', delegatesFocus: true })
  const part = <K extends keyof HTMLElementTagNameMap>(tag: K, name: string) => {
    const element = document.createElement(tag)
    element.setAttribute('part', name)
    root.append(element)
    return element
  }
  const video = part('video', 'video')
  video.playsInline = true
  video.autoplay = true
  const others = part('div', 'others')
  const cursor = part('img', 'cursor')
  cursor.alt = ''
  cursor.hidden = true
  const surface = part('textarea', 'surface')
  prepareSurface(surface)
  const state = part('div', 'state')
  state.setAttribute('role', 'status')
  state.dir = 'auto'
  state.hidden = true
  const controls = part('div', 'controls')
  controls.hidden = true
  const style = new CSSStyleSheet()
  const shape = new CSSStyleSheet()
  style.replaceSync(viewStyle)
  root.adoptedStyleSheets = [style, shape]
  let before = ''
  const setShape = ({ width, height }: Size) => {
    const now = `:host { aspect-ratio: ${Number(width)} / ${Number(height)} }`
    if (now !== before && width > 0 && height > 0) {
      before = now
      shape.replaceSync(now)
    }
  }
  return { video, others, cursor, surface, state, controls, setShape }
}

function prepareSurface(surface: HTMLTextAreaElement): void {
  // An editable element always matches :focus-visible: the ring is for those who came by keyboard.
  surface.addEventListener('pointerdown', () => surface.setAttribute('data-by-pointer', ''))
  surface.addEventListener('blur', () => surface.removeAttribute('data-by-pointer'))
  surface.autocomplete = 'off'
  surface.spellcheck = false
  surface.setAttribute('autocorrect', 'off')
  surface.setAttribute('autocapitalize', 'off')
  for (const [name, words] of Object.entries(surfaceWords)) {
    surface.setAttribute(name, words)
  }
}
