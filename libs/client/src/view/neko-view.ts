import type { NekoClient } from '../client.ts'
import { ClipboardSync } from './clipboard-sync.ts'
import { KeyboardInput } from './keyboard-input.ts'
import { Picture } from './picture.ts'
import { PointerInput } from './pointer-input.ts'
import { viewStyle } from './style.ts'

/**
 * `<neko-view>`: the desktop's picture with its pointer, its sound, and one's own mouse, keyboard and fingers on it. Give it a client:
 * `view.client = new NekoClient({ base })`. Events: `soundblocked` when the browser allows sound only after a click, `leavefocus` when
 * Ctrl+Alt+Shift asks for the keyboard back.
 */
export class NekoView extends HTMLElement {
  readonly #video = document.createElement('video')
  readonly #cursor = document.createElement('img')
  readonly #surface = document.createElement('textarea')
  #client: NekoClient | undefined
  #picture: Picture | undefined
  #wasHosting = false
  #stop: (() => void)[] = []

  constructor() {
    super()
    const style = new CSSStyleSheet()
    style.replaceSync(viewStyle)
    const root = this.attachShadow({ mode: 'open', delegatesFocus: true })
    root.adoptedStyleSheets = [style]
    this.#video.playsInline = true
    this.#video.autoplay = true
    this.#video.setAttribute('part', 'video')
    this.#cursor.setAttribute('part', 'cursor')
    this.#cursor.alt = ''
    this.#cursor.hidden = true
    this.#surface.setAttribute('part', 'surface')
    prepareSurface(this.#surface)
    root.append(this.#video, this.#cursor, this.#surface)
  }

  connectedCallback(): void {
    this.#attach()
  }

  disconnectedCallback(): void {
    this.#detach()
  }

  /** The connection that is shown; the element never closes it. */
  get client(): NekoClient | undefined {
    return this.#client
  }

  set client(client: NekoClient | undefined) {
    this.#detach()
    this.#client = client
    this.#attach()
  }

  /** The video, for full screen, picture in picture and its sound. */
  get video(): HTMLVideoElement {
    return this.#video
  }

  /** What a screen reader calls the picture. */
  set label(label: string) {
    this.#surface.setAttribute('aria-label', label)
  }

  /** Sound on or off; `volume` from 0 to 1. */
  setSound({ muted, volume }: { muted: boolean; volume: number }): void {
    this.#video.volume = volume
    this.#video.muted = muted
    if (this.#client?.stream.value) {
      void this.#picture?.play()
    }
  }

  /** Opens or closes the keyboard of a touch screen, which stays away until it is asked for. */
  showKeyboard(isShown: boolean): void {
    this.#surface.inputMode = isShown ? 'text' : 'none'
    this.#surface.blur()
    if (isShown) {
      this.#surface.focus({ preventScroll: true })
    }
  }

  override focus(options?: FocusOptions): void {
    this.#surface.focus({ preventScroll: true, ...options })
  }

  #attach(): void {
    const client = this.#client
    if (!client || !this.isConnected || this.#picture) {
      return
    }
    const parts = { frame: this, video: this.#video, cursor: this.#cursor }
    const picture = new Picture({ parts, client, onSoundBlocked: () => this.dispatchEvent(new Event('soundblocked')) })
    const onEscape = () => this.dispatchEvent(new Event('leavefocus'))
    const keyboard = new KeyboardInput({ surface: this.#surface, client, onEscape })
    const pointer = new PointerInput({ surface: this.#surface, client, picture, holdsControl: () => keyboard.holdsControl })
    const clipboard = new ClipboardSync(client, this.#surface)
    this.#picture = picture
    this.#wasHosting = false
    this.#stop = [
      client.room.watch(() => this.#hostChanged(keyboard, clipboard)),
      client.cursor.image.watch(() => this.#showOwnCursor()),
      () => keyboard.close(),
      () => pointer.close(),
      () => picture.close(),
      () => clipboard.close(),
    ]
    this.#showOwnCursor()
  }

  #detach(): void {
    for (const stop of this.#stop) {
      stop()
    }
    this.#stop = []
    this.#picture = undefined
  }

  #hostChanged(keyboard: KeyboardInput, clipboard: ClipboardSync): void {
    const isHosting = this.#client?.control.verdict === 'hosting'
    if (isHosting !== this.#wasHosting) {
      this.#wasHosting = isHosting
      this.#showOwnCursor()
      if (isHosting) {
        keyboard.tellLocksAgain()
        void clipboard.bring()
      } else {
        keyboard.forgetAll()
      }
    }
  }

  /** At the controls, one's own pointer is the desktop's: no round trip between hand and eye. */
  #showOwnCursor(): void {
    const image = this.#client?.cursor.image.value
    const isHosting = this.#client?.control.verdict === 'hosting'
    const own = image ? `url(${image.url}) ${image.hotX} ${image.hotY}, default` : 'none'
    this.#surface.style.cursor = isHosting ? own : 'default'
  }
}

function prepareSurface(surface: HTMLTextAreaElement): void {
  // An editable element always matches :focus-visible: the ring is for those who came by keyboard.
  surface.addEventListener('pointerdown', () => surface.setAttribute('data-by-pointer', ''))
  surface.addEventListener('blur', () => surface.removeAttribute('data-by-pointer'))
  surface.autocomplete = 'off'
  surface.spellcheck = false
  surface.inputMode = 'none'
  surface.setAttribute('autocorrect', 'off')
  surface.setAttribute('autocapitalize', 'off')
  surface.setAttribute('aria-label', 'Remote desktop')
  surface.setAttribute(
    'aria-description',
    'At the controls, every key goes to the desktop; Ctrl, Alt and Shift together give the keyboard back.',
  )
}

if (!customElements.get('neko-view')) {
  customElements.define('neko-view', NekoView)
}
