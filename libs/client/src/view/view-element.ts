import type { NekoViewEvents, NekoViewListener } from './events.ts'
import { type TouchMode, touchModes } from './pointer-input.ts'

/** The attributes of `<neko-view>` as properties, and its events by their types. */
export class ViewElement extends HTMLElement {
  /** The address of the room, relative to the page. */
  get src(): string {
    return this.getAttribute('src') ?? ''
  }

  set src(src: string) {
    this.setAttribute('src', src)
  }

  /** The token of a login elsewhere, in place of name and password. */
  get token(): string {
    return this.getAttribute('token') ?? ''
  }

  set token(token: string) {
    this.setAttribute('token', token)
  }

  /** As whom the element signs in; `Guest` where the attribute is absent. */
  get name(): string {
    return this.getAttribute('name') ?? 'Guest'
  }

  set name(name: string) {
    this.setAttribute('name', name)
  }

  /** With what it signs in. */
  get password(): string {
    return this.getAttribute('password') ?? ''
  }

  set password(password: string) {
    this.setAttribute('password', password)
  }

  /** The element connects only when `connect()` is called. */
  get manual(): boolean {
    return this.hasAttribute('manual')
  }

  set manual(isManual: boolean) {
    this.toggleAttribute('manual', isManual)
  }

  /** Picture and sound come over a WebSocket from the start; without it, where WebRTC shows nothing for three seconds. */
  get noWebrtc(): boolean {
    return this.hasAttribute('no-webrtc')
  }

  set noWebrtc(isOff: boolean) {
    this.toggleAttribute('no-webrtc', isOff)
  }

  /** A few buttons over the picture. */
  get controls(): boolean {
    return this.hasAttribute('controls')
  }

  set controls(isOn: boolean) {
    this.toggleAttribute('controls', isOn)
  }

  /** Nothing that one does on the picture reaches the desktop, or asks for the controls. */
  get viewOnly(): boolean {
    return this.hasAttribute('view-only')
  }

  set viewOnly(isViewOnly: boolean) {
    this.toggleAttribute('view-only', isViewOnly)
  }

  /** What fingers mean: `auto`, `mouse`, `trackpad` or `native`. */
  get touchMode(): TouchMode {
    return touchModes.find((mode) => mode === this.getAttribute('touch-mode')) ?? 'auto'
  }

  set touchMode(mode: TouchMode) {
    this.setAttribute('touch-mode', mode)
  }

  /** 1 is the wheel as it is, below 0 it turns the other way; from -10 to 10. */
  get scrollSpeed(): number {
    return Math.max(-10, Math.min(10, numberIn(this.getAttribute('scroll-speed'), 1)))
  }

  set scrollSpeed(speed: number) {
    this.setAttribute('scroll-speed', String(speed))
  }

  /** The layout that the desktop's keyboard gets with the controls, as XKB writes it: `de`, `us(intl)`; empty: as it is. */
  get keyboardLayout(): string {
    return this.getAttribute('keyboard-layout') ?? ''
  }

  set keyboardLayout(layout: string) {
    this.setAttribute('keyboard-layout', layout)
  }

  override addEventListener<K extends keyof NekoViewEvents>(
    type: K,
    listener: NekoViewListener<K>,
    options?: boolean | AddEventListenerOptions,
  ): void
  override addEventListener(type: string, listener: EventListenerOrEventListenerObject, options?: boolean | AddEventListenerOptions): void
  override addEventListener(
    type: string,
    // An event has the detail that its type says: only `tell` makes them.
    listener: EventListenerOrEventListenerObject | ((event: never) => void),
    options?: boolean | AddEventListenerOptions,
  ): void {
    super.addEventListener(type, listener as EventListenerOrEventListenerObject, options)
  }

  /** Tells an event to whoever listens. */
  protected tell<K extends keyof NekoViewEvents>(type: K, detail: NekoViewEvents[K]): void {
    this.dispatchEvent(new CustomEvent(type, { detail }))
  }
}

/** The number that an attribute has; `otherwise` for none. */
export function numberIn(text: string | null, otherwise: number): number {
  const value = Number.parseFloat(text ?? '')
  return Number.isFinite(value) ? value : otherwise
}
