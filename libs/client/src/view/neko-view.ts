import type { NekoClient } from '../client.ts'
import type { Connection } from '../connection.ts'
import { connectEmbedded, type OwnConnection, showControls, stateWords } from './embedded.ts'
import type { Point } from './mapping.ts'
import { screenPixel } from './mapping.ts'
import { OwnCursor } from './own-cursor.ts'
import { ScreenKeyboard } from './screen-keyboard.ts'
import { type Shown, show } from './shown.ts'
import { createSkeleton, surfaceWords } from './skeleton.ts'
import { numberIn, ViewElement } from './view-element.ts'

export type { NekoViewEvents, NekoViewListener } from './events.ts'
export type { TouchMode } from './pointer-input.ts'

const nowhere: Connection = { is: 'signed-out' }

/** Attributes that say whom the element connects to, and as whom. */
const accountAttributes = ['src', 'token', 'name', 'password', 'manual', 'no-webrtc']

const lookAttributes = ['controls', 'view-only', 'muted', 'volume', 'keyboard-layout', 'touch-mode', 'scroll-speed']

/**
 * `<neko-view>`: the desktop's picture with its pointer, its sound, and one's own mouse, keyboard and fingers on it. Attributes, methods, events,
 * parts and custom properties are listed in libs/client/README.md.
 *
 * Alone it connects by its attributes: `<neko-view src="https://example.org/" name="Anna" password="…" controls></neko-view>`. Or it shows a
 * client of the page's own, which it never closes: `view.client = new NekoClient({ base })`.
 */
export class NekoView extends ViewElement {
  readonly #parts = createSkeleton(this)
  readonly #cursor = new OwnCursor(this.#parts.surface)
  readonly #screenKeyboard: ScreenKeyboard
  #given: NekoClient | undefined
  #own: OwnConnection | undefined
  #shown: Shown | undefined
  /** `connect()` and `disconnect()` outrank the attributes. */
  #isWanted: boolean | undefined
  #willSettle = false
  #wasHosting = false
  #host: string | undefined
  #connection: Connection = nowhere
  #hideControls: () => void = () => {}

  static get observedAttributes(): string[] {
    return [...accountAttributes, ...lookAttributes, ...Object.keys(surfaceWords)]
  }

  constructor() {
    super()
    const { surface, video } = this.#parts
    this.#screenKeyboard = new ScreenKeyboard(surface, () => this.tell('keyboardchange', { isShown: this.isKeyboardShown }))
    video.addEventListener('volumechange', () => this.tell('volumechange', { volume: this.volume, muted: this.muted }))
  }

  connectedCallback(): void {
    this.#settleSoon()
  }

  disconnectedCallback(): void {
    this.#settleSoon()
  }

  attributeChangedCallback(name: string, before: string | null, after: string | null): void {
    if (before === after) {
      return
    }
    if (accountAttributes.includes(name)) {
      this.#settleSoon()
    } else if (name === 'muted') {
      this.muted = after !== null
    } else if (name === 'volume') {
      this.volume = numberIn(after, 1)
    } else if (name in surfaceWords) {
      this.#parts.surface.setAttribute(name, after ?? surfaceWords[name] ?? '')
    } else {
      this.#applyAttributes()
    }
  }

  // What it shows.

  /** The connection that is shown: the element's own, or the one that the page gave. */
  get client(): NekoClient | undefined {
    return this.#given ?? this.#own?.client
  }

  /** Shows a connection of the page's own, which the element never closes; `undefined` goes back to the attributes. */
  set client(client: NekoClient | undefined) {
    this.#given = client
    this.#settle()
  }

  /** Connects by the attributes, also after `disconnect()`; before the element is in a page it waits for that. */
  connect(): void {
    this.#isWanted = true
    this.#settleSoon()
  }

  /** Ends the element's own connection until `connect()`. */
  disconnect(): void {
    this.#isWanted = false
    this.#settleSoon()
  }

  /** The video: for what this element has no word for. */
  get video(): HTMLVideoElement {
    return this.#parts.video
  }

  /** The picture as it is now. Rejects where there is none yet, or the browser does not know the type. */
  async screenshot({ type = 'image/png', quality }: { type?: string; quality?: number } = {}): Promise<Blob> {
    const source = this.#shown?.picture.source
    if (!source) {
      throw new Error('there is no picture yet: wait for the state live')
    }
    const canvas = Object.assign(document.createElement('canvas'), source.size)
    canvas.getContext('2d')?.drawImage(source.picture, 0, 0)
    const blob = await new Promise<Blob | null>((resolve) => canvas.toBlob(resolve, type, quality))
    if (blob?.type !== type) {
      throw new Error(`this browser writes no ${type}: take image/png`)
    }
    return blob
  }

  /** Shows the picture in a small window of its own. Rejects where the browser has none, or it was not asked for by a click. */
  async requestPictureInPicture(): Promise<PictureInPictureWindow> {
    return this.#parts.video.requestPictureInPicture()
  }

  /** Stops the picture where it is, with its sound; the desktop goes on. */
  pause(): void {
    this.#shown?.picture.hold()
  }

  /** Goes on with what is live after `pause()`. */
  async play(): Promise<void> {
    await this.#shown?.picture.resume()
  }

  /** The picture stands, because the person wanted it. */
  get isPaused(): boolean {
    return this.#shown?.picture.isHeld ?? false
  }

  // Sound.

  /** Sound off. The attribute is what it starts with. */
  get muted(): boolean {
    return this.#parts.video.muted
  }

  set muted(isMuted: boolean) {
    this.#parts.video.muted = isMuted
    this.#play()
  }

  /** 0 to 1. */
  get volume(): number {
    return this.#parts.video.volume
  }

  set volume(volume: number) {
    this.#parts.video.volume = Math.max(0, Math.min(1, volume))
    this.#play()
  }

  /** Sound off. */
  mute(): void {
    this.muted = true
  }

  /** Sound on; the browser may want a click before it. */
  unmute(): void {
    this.muted = false
  }

  // The controls.

  /** Whether oneself is at the controls. */
  get isHosting(): boolean {
    return this.client?.control.verdict === 'hosting'
  }

  /** Takes free controls, or asks whoever has them. */
  requestControl(): void {
    this.client?.control.request()
  }

  /** Takes the controls away from whoever has them, as an administrator. Rejects where one may not. */
  async takeControl(): Promise<void> {
    await this.client?.api.takeControl()
  }

  /** Hands the controls to a member. Rejects where one may not. */
  async giveControl(id: string): Promise<void> {
    await this.client?.api.giveControl(id)
  }

  /** Gives the controls up. */
  releaseControl(): void {
    this.client?.control.release()
  }

  /** Types a text in the desktop, key by key, for whoever has the controls. */
  sendText(text: string): void {
    this.#shown?.keyboard.type(text)
  }

  /** Presses the keys of X in order and lets go of them in reverse: `sendKeys(0xffe3, 0xffe9, 0xffff)` is Ctrl+Alt+Delete. */
  sendKeys(...keysyms: number[]): void {
    for (const keysym of keysyms) {
      this.client?.control.input({ is: 'key', keysym, down: true })
    }
    for (const keysym of keysyms.toReversed()) {
      this.client?.control.input({ is: 'key', keysym, down: false })
    }
  }

  /** Puts a text into the clipboard of the desktop, for whoever has the controls. */
  setClipboard(text: string): void {
    this.client?.control.setClipboard(text)
  }

  // One's own input.

  /** Opens or closes the keyboard of a touch screen, which stays away until it is asked for; from a click only. */
  showKeyboard(isShown: boolean): void {
    this.#screenKeyboard.show(isShown)
  }

  /** The keyboard of a touch screen is open. */
  get isKeyboardShown(): boolean {
    return this.#screenKeyboard.isShown
  }

  /** The pixel of the desktop under a point of the page, as `clientX` and `clientY` tell it; `undefined` beside the picture. */
  pixelAt(point: Point): Point | undefined {
    const picture = this.#shown?.picture
    return picture && screenPixel(point, picture.rect, picture.screen)
  }

  /** Part of the picture is out of sight, after a pinch. */
  get isZoomed(): boolean {
    return (this.#shown?.picture.zoom.scale ?? 1) > 1
  }

  /** Shows the whole picture again. */
  resetZoom(): void {
    this.#shown?.picture.zoom.reset()
  }

  override focus(options?: FocusOptions): void {
    this.#parts.surface.focus({ preventScroll: true, ...options })
  }

  /** Several attributes that change together, or an element that only moves in its page, cost one connection at most. */
  #settleSoon(): void {
    if (!this.#willSettle) {
      this.#willSettle = true
      queueMicrotask(() => this.#settle())
    }
  }

  /** Makes what is open what should be. */
  #settle(): void {
    this.#willSettle = false
    const { src, name, password } = this
    const options = { src, token: this.getAttribute('token') ?? undefined, name, password, webrtc: !this.noWebrtc }
    const isWanted = this.isConnected && this.hasAttribute('src') && !this.#given && (this.#isWanted ?? !this.manual)
    if (this.#own && (!isWanted || JSON.stringify(options) !== JSON.stringify(this.#own.options))) {
      this.#detach()
      this.#own.close()
      this.#own = undefined
    }
    if (isWanted && !this.#own) {
      this.#own = connectEmbedded(options)
    }
    const client = this.isConnected ? this.client : undefined
    if (this.#shown?.client !== client) {
      this.#detach()
      this.#shown = client && this.#show(client)
      this.#applyAttributes()
      this.#roomChanged()
    }
    this.#stateChanged()
  }

  #show(client: NekoClient): Shown {
    const shown = show({
      client,
      frame: this,
      parts: this.#parts,
      tell: (type, detail) => this.tell(type, detail),
      onDraw: () => this.#showOwnCursor(),
    })
    const stops = [client.connection.watch(() => this.#stateChanged()), client.room.watch(() => this.#roomChanged())]
    const close = () => {
      for (const stop of stops) {
        stop()
      }
      shown.close()
    }
    return { ...shown, close }
  }

  #detach(): void {
    this.#hideControls()
    this.#screenKeyboard.show(false)
    this.#shown?.close()
    this.#shown = undefined
    this.#wasHosting = false
  }

  #nameOf(id: string): string {
    return this.client?.room.value?.sessions.get(id)?.profile.name ?? ''
  }

  /** What the attributes say to the parts that are there. */
  #applyAttributes(): void {
    this.#hideControls()
    const bar = this.#parts.controls
    bar.hidden = !this.controls || !this.#shown
    if (!this.#shown) {
      return
    }
    const { client, pointer } = this.#shown
    pointer.scrollSpeed = this.scrollSpeed
    pointer.touchMode = this.touchMode
    if (this.viewOnly && !client.control.isLocked) {
      // Held keys and buttons are let go of before nothing gets through any more.
      this.#parts.surface.blur()
      pointer.releaseAll()
    }
    client.control.isLocked = this.viewOnly
    this.#hideControls = this.controls ? showControls({ bar, client, view: this }) : () => {}
    this.#applyLayout()
    this.#showOwnCursor()
  }

  #applyLayout(): void {
    const [, layout, variant = ''] = /^([\w-]+)(?:\(([\w-]+)\))?$/.exec(this.keyboardLayout) ?? []
    if (layout !== undefined && this.isHosting) {
      this.client?.control.setLayout(layout, variant)
    }
  }

  #stateChanged(): void {
    const connection = this.client?.connection.value ?? nowhere
    const words = this.#own ? stateWords(connection) : ''
    this.#parts.state.textContent = words
    this.#parts.state.hidden = words === ''
    if (connection !== this.#connection) {
      this.#connection = connection
      this.tell('statechange', { connection })
    }
  }

  #roomChanged(): void {
    const room = this.client?.room.value
    if (room) {
      this.#parts.setShape(room.screen)
    }
    if (room?.host !== this.#host) {
      this.#host = room?.host
      const id = this.#host
      this.tell('controlchange', { isMine: this.isHosting, id, name: id === undefined ? undefined : this.#nameOf(id) })
    }
    const isHosting = this.isHosting
    if (this.#shown && isHosting !== this.#wasHosting) {
      this.#wasHosting = isHosting
      this.#showOwnCursor()
      this.#handsChanged(this.#shown, isHosting)
    }
  }

  #handsChanged({ keyboard, clipboard }: Shown, isHosting: boolean): void {
    if (isHosting) {
      keyboard.tellLocksAgain()
      this.#applyLayout()
      void clipboard.bring()
    } else {
      keyboard.forgetAll()
    }
  }

  #showOwnCursor(): void {
    const image = this.client?.cursor.image.value
    this.#cursor.show(image, { isMine: this.isHosting && !this.viewOnly, scale: this.#shown?.picture.cursorScale ?? 1 })
  }

  #play(): void {
    if (this.client?.stream.value) {
      void this.#shown?.picture.play()
    }
  }
}

declare global {
  interface HTMLElementTagNameMap {
    'neko-view': NekoView
  }
}

if (!customElements.get('neko-view')) {
  customElements.define('neko-view', NekoView)
}
