import type { NekoClient } from '../client.ts'
import { ClipboardSync } from './clipboard-sync.ts'
import { connectEmbedded, showControls, stateWords } from './embedded.ts'
import { KeyboardInput } from './keyboard-input.ts'
import type { Point } from './mapping.ts'
import { screenPixel } from './mapping.ts'
import { OtherCursors } from './others.ts'
import { Picture } from './picture.ts'
import { PointerInput } from './pointer-input.ts'
import { viewStyle } from './style.ts'

/** How one likes one's own input. */
export interface InputOptions {
  /** 1 is the wheel as it is; below 0 it turns the other way. */
  scrollSpeed: number
  /** Fingers move the pointer from where it is, instead of being where it is. */
  isTrackpad: boolean
}

/**
 * `<neko-view>`: the desktop's picture with its pointer, its sound, and one's own mouse, keyboard and fingers on it.
 *
 * Alone: `<neko-view src="https://example.org/" name="Anna" password="…" controls></neko-view>`, with `token` in place of name and password where
 * somebody has signed in already; `controls` shows a few buttons, `view-only` keeps all input away, `muted` starts without sound. Or give it
 * a client: `view.client = new NekoClient({ base })`, which it never closes.
 *
 * Events: `statechange` when the connection does (`view.client.connection`), `soundblocked` when the browser allows sound only after a click,
 * `leavefocus` when Ctrl+Alt+Shift asks for the keyboard back, `zoomchange` after a pinch. Parts: `video`, `cursor`, `surface`, `others`, `other-cursor`, `state`, `controls`.
 */
export class NekoView extends HTMLElement {
  readonly #video = document.createElement('video')
  readonly #cursor = document.createElement('img')
  readonly #surface = document.createElement('textarea')
  readonly #others = document.createElement('div')
  readonly #state = document.createElement('div')
  readonly #controls = document.createElement('div')
  #client: NekoClient | undefined
  #picture: Picture | undefined
  #pointer: PointerInput | undefined
  #own: NekoClient | undefined
  #input: InputOptions = { scrollSpeed: 1, isTrackpad: false }
  #wasHosting = false
  #stop: (() => void)[] = []

  static get observedAttributes(): string[] {
    return ['src', 'token', 'name', 'password', 'controls', 'view-only', 'muted']
  }

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
    this.#others.setAttribute('part', 'others')
    this.#state.setAttribute('part', 'state')
    this.#state.setAttribute('role', 'status')
    this.#controls.setAttribute('part', 'controls')
    this.#state.hidden = true
    this.#controls.hidden = true
    root.append(this.#video, this.#others, this.#cursor, this.#surface, this.#state, this.#controls)
  }

  connectedCallback(): void {
    this.#connectOwn()
    this.#attach()
  }

  disconnectedCallback(): void {
    this.#detach()
    this.#closeOwn()
  }

  attributeChangedCallback(name: string, before: string | null, after: string | null): void {
    if (before === after) {
      return
    }
    if (name === 'muted') {
      this.isMuted = after !== null
    } else if (name === 'view-only') {
      this.#lock()
    } else if (this.isConnected) {
      this.#detach()
      this.#closeOwn()
      this.#connectOwn()
      this.#attach()
    }
  }

  /** Sound off, by attribute, button or script. */
  get isMuted(): boolean {
    return this.#video.muted
  }

  set isMuted(isMuted: boolean) {
    this.setSound({ muted: isMuted, volume: this.#video.volume })
  }

  /** How one's own input works; survives another client. */
  set input(input: InputOptions) {
    this.#input = input
    this.#applyInput()
  }

  /** The pixel of the desktop under a point of the page, as `clientX` and `clientY` tell it; `undefined` beside the picture. */
  pixelAt(point: Point): Point | undefined {
    return this.#picture && screenPixel(point, this.#picture.rect, this.#picture.screen)
  }

  /** Part of the picture is out of sight, after a pinch. */
  get isZoomed(): boolean {
    return (this.#picture?.zoom.scale ?? 1) > 1
  }

  /** Shows the whole picture again. */
  resetZoom(): void {
    this.#picture?.zoom.reset()
  }

  /** The connection that is shown; the element never closes it. */
  get client(): NekoClient | undefined {
    return this.#client
  }

  set client(client: NekoClient | undefined) {
    this.#detach()
    this.#closeOwn()
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
    const tell = (type: string) => () => this.dispatchEvent(new Event(type))
    const picture = new Picture({ parts, client, onSoundBlocked: tell('soundblocked'), onZoom: tell('zoomchange') })
    const keyboard = new KeyboardInput({ surface: this.#surface, client, onEscape: tell('leavefocus') })
    const pointer = new PointerInput({ surface: this.#surface, client, picture, holdsControl: () => keyboard.holdsControl })
    const clipboard = new ClipboardSync(client, this.#surface)
    const others = new OtherCursors({ layer: this.#others, client, picture })
    picture.onDraw = () => others.draw()
    this.#picture = picture
    this.#pointer = pointer
    this.#wasHosting = false
    this.#applyInput()
    this.#lock()
    this.#stop = [
      client.connection.watch(() => this.#stateChanged()),
      () => others.close(),
      client.room.watch(() => this.#hostChanged(keyboard, clipboard)),
      client.cursor.image.watch(() => this.#showOwnCursor()),
      () => keyboard.close(),
      () => pointer.close(),
      () => picture.close(),
      () => clipboard.close(),
    ]
    this.#showOwnCursor()
    this.#stateChanged()
    if (this.hasAttribute('controls')) {
      this.#controls.hidden = false
      this.#stop.push(showControls({ bar: this.#controls, client, view: this }), () => {
        this.#controls.hidden = true
      })
    }
  }

  #connectOwn(): void {
    const src = this.getAttribute('src')
    if (src === null || this.#own) {
      return
    }
    const token = this.getAttribute('token') ?? undefined
    this.#own = connectEmbedded({ src, token, name: this.getAttribute('name') ?? 'Guest', password: this.getAttribute('password') ?? '' })
    this.#client = this.#own
  }

  #closeOwn(): void {
    if (this.#own) {
      this.#own.close()
      this.#client = this.#client === this.#own ? undefined : this.#client
      this.#own = undefined
    }
  }

  #stateChanged(): void {
    const words = this.#own ? stateWords(this.#own.connection.value) : ''
    this.#state.textContent = words
    this.#state.hidden = words === ''
    this.dispatchEvent(new Event('statechange'))
  }

  #applyInput(): void {
    if (this.#pointer) {
      this.#pointer.scrollSpeed = this.#input.scrollSpeed
      this.#pointer.way = this.#input.isTrackpad ? 'trackpad' : 'direct'
    }
  }

  #lock(): void {
    if (this.#client) {
      const isLocked = this.hasAttribute('view-only')
      if (isLocked) {
        // Held keys and buttons are let go of before nothing gets through any more.
        this.#surface.blur()
        this.#pointer?.releaseAll()
      }
      this.#client.control.isLocked = isLocked
      this.#showOwnCursor()
    }
  }

  #detach(): void {
    for (const stop of this.#stop) {
      stop()
    }
    this.#stop = []
    this.#picture = undefined
    this.#pointer = undefined
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
    const isHosting = this.#client?.control.verdict === 'hosting' && !this.#client.control.isLocked
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
