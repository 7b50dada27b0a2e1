/** A window that grows by more than this while the keyboard is open has got its space back, in CSS pixels. */
const grownPx = 120

/**
 * The keyboard of a touch screen: away until it is asked for, and away again once the person has closed it or gone elsewhere. Without that the
 * next tap on the picture would open it again.
 */
export class ScreenKeyboard {
  readonly #surface: HTMLElement
  readonly #onChange: () => void
  #stopWatching: () => void = () => {}
  /** The least height of the window since the keyboard was asked for; `undefined` while it is away. */
  #least: number | undefined

  constructor(surface: HTMLElement, onChange: () => void) {
    this.#surface = surface
    this.#onChange = onChange
    surface.inputMode = 'none'
    surface.addEventListener('blur', () => this.#set(undefined))
  }

  get isShown(): boolean {
    return this.#least !== undefined
  }

  show(isShown: boolean): void {
    // Only what gets the focus anew opens a keyboard, and only from a click.
    this.#surface.blur()
    this.#set(isShown ? heightNow() : undefined)
    if (isShown) {
      this.#surface.focus({ preventScroll: true })
    }
  }

  #resized(): void {
    if (this.#least !== undefined) {
      const height = heightNow()
      this.#set(height > this.#least + grownPx ? undefined : Math.min(height, this.#least))
    }
  }

  #set(least: number | undefined): void {
    const wasShown = this.isShown
    this.#least = least
    this.#surface.inputMode = this.isShown ? 'text' : 'none'
    if (wasShown !== this.isShown) {
      this.#stopWatching()
      this.#stopWatching = this.isShown ? watchWindow(() => this.#resized()) : () => {}
      this.#onChange()
    }
  }
}

const heightNow = () => window.visualViewport?.height ?? window.innerHeight

function watchWindow(onResize: () => void): () => void {
  window.visualViewport?.addEventListener('resize', onResize)
  return () => window.visualViewport?.removeEventListener('resize', onResize)
}
