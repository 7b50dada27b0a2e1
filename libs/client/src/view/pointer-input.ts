import { systemClock } from '@neko-edge/kit'
import type { NekoClient } from '../client.ts'
import type { Finger, Fingers, FingerTarget } from './fingers.ts'
import { Gestures } from './gestures.ts'
import { nearestPixel, type Point, screenPixel } from './mapping.ts'
import type { Picture } from './picture.ts'
import { TouchScreen } from './touch-screen.ts'
import { Trackpad } from './trackpad.ts'
import { Wheel } from './wheel.ts'

export interface PointerInputOptions {
  surface: HTMLElement
  client: NekoClient
  picture: Picture
  /** Whether a Control key is held in the desktop already: then the wheel need not press one. */
  holdsControl: () => boolean
}

/**
 * What fingers mean: a mouse that is where they are, a trackpad that moves the pointer from where it is, or the fingers themselves for a
 * desktop with a touch screen (elsewhere a mouse). `auto` is the last where the desktop has one, else the first.
 */
export const touchModes = ['auto', 'mouse', 'trackpad', 'native'] as const
export type TouchMode = (typeof touchModes)[number]

/** DOM buttons by their number, as X counts: the side buttons are 8 and 9, since 4 to 7 are the wheel. */
const xButtons = [1, 2, 3, 8, 9] as const

/** Mouse, pen, trackpad and fingers over the picture. What happens in the bars beside it never reaches the desktop. */
export class PointerInput {
  readonly #options: PointerInputOptions
  readonly #ways: Readonly<Record<Exclude<TouchMode, 'auto'>, Fingers>>
  readonly #wheel = new Wheel()
  readonly #held = new Set<number>()
  readonly #abort = new AbortController()
  #moveRequest: number | undefined
  #movedTo: Point | undefined
  /** Where a trackpad has brought the pointer, in pixels of the desktop with their fractions. */
  #steeredTo: Point | undefined
  /** Fingers that are down, and how they are read: not otherwise before all are lifted. */
  readonly #down = new Set<number>()
  #fingers: Fingers
  /** What fingers mean from the next one on. */
  touchMode: TouchMode = 'auto'
  /** How fast the wheel turns; below 0 the other way. */
  scrollSpeed = 1

  constructor(options: PointerInputOptions) {
    this.#options = options
    const { surface } = options
    const target: FingerTarget = {
      move: (at) => this.#moveNow(this.#nearest(at)),
      moveBy: (by) => this.#steer(by),
      button: (code, down) => this.#button(code, down),
      scroll: (clicks) => options.client.control.input({ is: 'scroll', ...clicks, control: false }),
      pinch: (pinch) => options.picture.zoom.pinch(pinch, options.picture.box),
      touch: (phase, id, finger) => this.#touch(phase, id, finger),
    }
    const mouse = new Gestures(systemClock, target)
    this.#ways = { mouse, trackpad: new Trackpad(systemClock, target), native: new TouchScreen(target) }
    this.#fingers = mouse
    const listen = { signal: this.#abort.signal, passive: false }
    surface.addEventListener('pointerdown', (event) => this.#pressed(event), listen)
    surface.addEventListener('pointermove', (event) => this.#moved(event), listen)
    surface.addEventListener('pointerup', (event) => this.#lifted(event), listen)
    surface.addEventListener('pointercancel', () => this.#cancelFingers(), listen)
    surface.addEventListener('wheel', (event) => this.#wheeled(event), listen)
    surface.addEventListener('contextmenu', (event) => (this.#isHosting() || isTouch(event)) && event.preventDefault(), listen)
    // The middle button would start the browser's own scrolling, the side buttons would leave the page.
    surface.addEventListener('mousedown', (event) => event.preventDefault(), listen)
    surface.addEventListener('mouseup', (event) => event.preventDefault(), listen)
    surface.addEventListener('auxclick', (event) => event.preventDefault(), listen)
  }

  /** Lets go of every button and finger. */
  releaseAll(): void {
    this.#cancelFingers()
    for (const code of [...this.#held]) {
      this.#button(code, false)
    }
  }

  close(): void {
    this.releaseAll()
    this.#abort.abort()
    if (this.#moveRequest !== undefined) {
      cancelAnimationFrame(this.#moveRequest)
    }
  }

  #isHosting(): boolean {
    const { control } = this.#options.client
    return control.verdict === 'hosting' && !control.isLocked
  }

  #pressed(event: PointerEvent): void {
    const { picture, surface } = this.#options
    const at = { x: event.clientX, y: event.clientY }
    const pixel = screenPixel(at, picture.rect, picture.screen)
    surface.focus({ preventScroll: true })
    picture.drawsOwn = isTouch(event)
    if (!pixel) {
      return
    }
    capture(surface, event.pointerId)
    if (isTouch(event)) {
      event.preventDefault()
      this.#fingerDown(event)
      return
    }
    this.#moveNow(pixel)
    this.#button(xButtons[event.button] ?? 0, true)
  }

  #moved(event: PointerEvent): void {
    const at = { x: event.clientX, y: event.clientY }
    if (isTouch(event)) {
      this.#fingers.move(event.pointerId, fingerOf(event))
      return
    }
    this.#changeButtons(event)
    const { picture } = this.#options
    const pixel = this.#held.size > 0 ? this.#nearest(at) : screenPixel(at, picture.rect, picture.screen)
    if (pixel) {
      this.#moveSoon(pixel)
    }
  }

  #lifted(event: PointerEvent): void {
    if (isTouch(event)) {
      this.#down.delete(event.pointerId)
      this.#fingers.move(event.pointerId, { ...fingerOf(event), pressure: 0 })
      this.#fingers.up(event.pointerId)
      return
    }
    if (this.#held.size > 0) {
      this.#moveNow(this.#nearest({ x: event.clientX, y: event.clientY }))
    }
    this.#button(xButtons[event.button] ?? 0, false)
  }

  #fingerDown(event: PointerEvent): void {
    if (this.#down.size === 0) {
      this.#steeredTo = undefined
      const { touchMode } = this
      const isNative = touchMode !== 'mouse' && this.#options.client.room.value?.touch === true
      this.#fingers = this.#ways[touchMode === 'trackpad' ? 'trackpad' : isNative ? 'native' : 'mouse']
    }
    this.#down.add(event.pointerId)
    this.#fingers.down(event.pointerId, fingerOf(event))
  }

  #cancelFingers(): void {
    this.#down.clear()
    this.#fingers.cancel()
  }

  #touch(phase: 'begin' | 'update' | 'end', id: number, finger: Finger): void {
    const pressure = Math.round(255 * Math.max(0, Math.min(1, finger.pressure)))
    this.#options.client.control.input({ is: 'touch', phase, id, ...this.#nearest(finger), pressure })
  }

  /** A second button while one is held comes as a move (Pointer Events §4.1.1.1). */
  #changeButtons(event: PointerEvent): void {
    const code = xButtons[event.button]
    if (code !== undefined) {
      const masks = [1, 4, 2, 8, 16]
      this.#moveNow(this.#nearest({ x: event.clientX, y: event.clientY }))
      this.#button(code, (event.buttons & (masks[event.button] ?? 0)) !== 0)
    }
  }

  #wheeled(event: WheelEvent): void {
    const { client, holdsControl, picture } = this.#options
    const pixel = screenPixel({ x: event.clientX, y: event.clientY }, picture.rect, picture.screen)
    if (!pixel || !this.#isHosting()) {
      return
    }
    event.preventDefault()
    const clicks = this.#wheel.turn(event, this.scrollSpeed)
    if (clicks.deltaX !== 0 || clicks.deltaY !== 0) {
      this.#moveNow(pixel)
      // A pinch on a trackpad comes as a wheel with Control that nobody pressed.
      client.control.input({ is: 'scroll', ...clicks, control: event.ctrlKey && !holdsControl() })
    }
  }

  #steer(by: Point): void {
    const { client, picture } = this.#options
    const { rect, screen } = picture
    const from = this.#steeredTo ?? client.cursor.position.value ?? { x: screen.width / 2, y: screen.height / 2 }
    const along = (start: number, offset: number, { pixels, length }: { pixels: number; length: number }) =>
      Math.max(0, Math.min(pixels - 1, start + (offset * pixels) / Math.max(1, length)))
    const to = {
      x: along(from.x, by.x, { pixels: screen.width, length: rect.width }),
      y: along(from.y, by.y, { pixels: screen.height, length: rect.height }),
    }
    this.#steeredTo = to
    this.#moveNow({ x: Math.floor(to.x), y: Math.floor(to.y) })
    picture.reveal(to)
  }

  #nearest(at: Point): Point {
    const { picture } = this.#options
    return nearestPixel(at, picture.rect, picture.screen)
  }

  /** At most one move a frame: a mouse may tell a thousand a second. */
  #moveSoon(pixel: Point): void {
    this.#movedTo = pixel
    this.#moveRequest ??= requestAnimationFrame(() => {
      if (this.#movedTo) {
        this.#moveNow(this.#movedTo)
      }
    })
  }

  #moveNow(pixel: Point): void {
    if (this.#moveRequest !== undefined) {
      cancelAnimationFrame(this.#moveRequest)
      this.#moveRequest = undefined
    }
    this.#movedTo = undefined
    const { client } = this.#options
    client.control.input({ is: 'move', ...pixel })
    if (this.#isHosting()) {
      client.cursor.movedTo(pixel)
    }
  }

  #button(code: number, down: boolean): void {
    if (code === 0 || this.#held.has(code) === down) {
      return
    }
    if (down) {
      this.#held.add(code)
    } else {
      this.#held.delete(code)
    }
    this.#options.client.control.input({ is: 'button', code, down })
  }
}

const isTouch = (event: MouseEvent) => event instanceof PointerEvent && event.pointerType === 'touch'

const fingerOf = ({ clientX: x, clientY: y, pressure }: PointerEvent): Finger => ({ x, y, pressure })

function capture(surface: HTMLElement, pointerId: number): void {
  try {
    surface.setPointerCapture(pointerId)
  } catch {
    // The pointer was lifted in the meantime, or a script made it up: there is nothing to capture.
  }
}
