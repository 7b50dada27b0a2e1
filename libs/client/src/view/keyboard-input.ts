import type { NekoClient } from '../client.ts'
import { Keyboard } from '../keyboard/keyboard.ts'
import { profileOf } from '../room.ts'
import { pasteIn } from './clipboard-sync.ts'

export interface KeyboardInputOptions {
  /** Focusable and editable: only there do browsers compose dead keys and input methods. */
  surface: HTMLTextAreaElement
  client: NekoClient
  /** Ctrl+Alt+Shift: the way out for people who have only a keyboard (WCAG 2.1.2). */
  onEscape: () => void
}

/** Formatting beyond this many characters is left behind: the text comes without it. */
const longestHtml = 500_000
const backspace = 0xff08
const deleteKey = 0xffff
const enter = 0xff0d

/** The keyboard while the picture has the focus and oneself the controls; otherwise every key is the browser's. */
export class KeyboardInput {
  readonly #options: KeyboardInputOptions
  readonly #keyboard: Keyboard
  readonly #abort = new AbortController()

  constructor(options: KeyboardInputOptions) {
    this.#options = options
    const { client, surface } = options
    this.#keyboard = new Keyboard({
      mac: /mac|iphone|ipad/i.test(navigator.platform),
      press: (keysym, down) => client.control.input({ is: 'key', keysym, down }),
      locks: (state) => this.#isActive() && client.control.setLocks(state),
    })
    const signal = this.#abort.signal
    surface.addEventListener('keydown', (event) => this.#down(event), { signal })
    surface.addEventListener('keyup', (event) => this.#up(event), { signal })
    surface.addEventListener('beforeinput', (event) => this.#edit(event), { signal })
    surface.addEventListener('input', (event) => this.#typed(event), { signal })
    surface.addEventListener('compositionend', () => this.#takeText(), { signal })
    surface.addEventListener('paste', (event) => this.#paste(event), { signal })
    surface.addEventListener('blur', () => this.releaseAll(), { signal })
    window.addEventListener('blur', () => this.releaseAll(), { signal })
    document.addEventListener('visibilitychange', () => document.hidden && this.releaseAll(), { signal })
  }

  releaseAll(): void {
    this.#keyboard.releaseAll()
  }

  /** Types a text, key by key. */
  type(text: string): void {
    this.#keyboard.type(text)
  }

  /** The controls were taken away: the server has let go of everything. */
  forgetAll(): void {
    this.#keyboard.forgetAll()
  }

  get holdsControl(): boolean {
    return this.#keyboard.holdsControl
  }

  /** Somebody else may have turned Caps or Num Lock in the meantime. */
  tellLocksAgain(): void {
    this.#keyboard.forgetLocks()
  }

  close(): void {
    this.releaseAll()
    this.#abort.abort()
  }

  #isActive(): boolean {
    const { control } = this.#options.client
    return !control.isLocked && (control.verdict === 'hosting' || control.isTaking)
  }

  #down(event: KeyboardEvent): void {
    if (!this.#isActive()) {
      return
    }
    if (event.ctrlKey && event.altKey && event.shiftKey && ['Control', 'Alt', 'Shift'].includes(event.key)) {
      this.releaseAll()
      this.#options.onEscape()
      return
    }
    if (isPasteKey(event) && this.#mayPaste()) {
      // The browser's paste event follows, with the text, and asks nobody for permission.
      return
    }
    if (this.#keyboard.down(event)) {
      event.preventDefault()
    }
  }

  #up(event: KeyboardEvent): void {
    if (this.#keyboard.up(event)) {
      event.preventDefault()
    }
  }

  /** Keyboards on a screen edit where others press keys. */
  #edit(event: InputEvent): void {
    const keysym = { deleteContentBackward: backspace, deleteContentForward: deleteKey, insertLineBreak: enter }[event.inputType]
    if (keysym !== undefined && !event.isComposing && this.#isActive()) {
      event.preventDefault()
      this.#keyboard.tap(keysym)
    }
  }

  #typed(event: Event): void {
    if (!(event instanceof InputEvent && event.isComposing)) {
      this.#takeText()
    }
  }

  #takeText(): void {
    const { surface } = this.#options
    const text = surface.value
    surface.value = ''
    if (this.#isActive()) {
      this.#keyboard.type(text)
    }
  }

  #mayPaste(): boolean {
    const room = this.#options.client.room.value
    return room !== undefined && profileOf(room)?.can_access_clipboard === true
  }

  #paste(event: ClipboardEvent): void {
    event.preventDefault()
    const text = event.clipboardData?.getData('text/plain') ?? ''
    const html = event.clipboardData?.getData('text/html') ?? ''
    if (this.#isActive()) {
      // The desktop presses Ctrl+V of its own: nothing of ours may be held under it.
      this.releaseAll()
      pasteIn(this.#options.client, { text, html: html.length <= longestHtml ? html : '' })
    }
  }
}

function isPasteKey(event: KeyboardEvent): boolean {
  const isCommand = (event.ctrlKey || event.metaKey) && !event.altKey && !event.shiftKey
  return (isCommand && event.key.toLowerCase() === 'v') || (event.shiftKey && event.key === 'Insert')
}
