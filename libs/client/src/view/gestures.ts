import type { Clock } from '@neko-edge/kit'
import type { Point } from './mapping.ts'

/** What fingers do to the desktop, at points of the page. */
export interface GestureTarget {
  move: (at: Point) => void
  button: (code: number, down: boolean) => void
  /** Clicks of the wheel, positive up and left. */
  scroll: (clicks: { deltaX: number; deltaY: number }) => void
}

const leftButton = 1
const rightButton = 3
/** A finger that strays no further than this is still; one that stays this long presses the right button. */
const stillPx = 10
const longPressMs = 500
/** Two fingers on the way for one click of the wheel. */
const scrollPx = 24

type State =
  | { is: 'none' }
  | { is: 'pressing'; from: Point; cancel: () => void }
  | { is: 'dragging' }
  | { is: 'scrolling'; from: Point; moved: boolean }
  /** The gesture is over; the fingers are still to be lifted. */
  | { is: 'done' }

/** Fingers as a mouse: tap, long press for the right button, drag, two fingers to scroll, a two-finger tap for the right button. */
export class Gestures {
  readonly #clock: Clock
  readonly #target: GestureTarget
  readonly #fingers = new Map<number, Point>()
  #state: State = { is: 'none' }

  constructor(clock: Clock, target: GestureTarget) {
    this.#clock = clock
    this.#target = target
  }

  down(finger: number, at: Point): void {
    this.#fingers.set(finger, at)
    const state = this.#state
    if (state.is === 'none') {
      this.#state = { is: 'pressing', from: at, cancel: this.#clock.after(longPressMs, () => this.#longPress(at)) }
    } else if (state.is === 'pressing') {
      state.cancel()
      this.#state = { is: 'scrolling', from: this.#middle(), moved: false }
    }
  }

  move(finger: number, at: Point): void {
    if (!this.#fingers.has(finger)) {
      return
    }
    this.#fingers.set(finger, at)
    const state = this.#state
    if (state.is === 'pressing' && Math.hypot(at.x - state.from.x, at.y - state.from.y) > stillPx) {
      state.cancel()
      this.#target.move(state.from)
      this.#target.button(leftButton, true)
      this.#target.move(at)
      this.#state = { is: 'dragging' }
    } else if (state.is === 'dragging') {
      this.#target.move(at)
    } else if (state.is === 'scrolling') {
      this.#scroll(state)
    }
  }

  up(finger: number): void {
    if (!this.#fingers.delete(finger)) {
      return
    }
    const state = this.#state
    if (state.is === 'pressing') {
      state.cancel()
      this.#click(leftButton, state.from)
    } else if (state.is === 'dragging') {
      this.#target.button(leftButton, false)
    } else if (state.is === 'scrolling' && !state.moved) {
      this.#click(rightButton, state.from)
    }
    this.#state = this.#fingers.size > 0 ? { is: 'done' } : { is: 'none' }
  }

  /** The system took the fingers away, or the view is gone. */
  cancel(): void {
    if (this.#state.is === 'pressing') {
      this.#state.cancel()
    } else if (this.#state.is === 'dragging') {
      this.#target.button(leftButton, false)
    }
    this.#fingers.clear()
    this.#state = { is: 'none' }
  }

  #longPress(at: Point): void {
    this.#click(rightButton, at)
    this.#state = { is: 'done' }
  }

  #click(code: number, at: Point): void {
    this.#target.move(at)
    this.#target.button(code, true)
    this.#target.button(code, false)
  }

  #scroll(state: { is: 'scrolling'; from: Point; moved: boolean }): void {
    const middle = this.#middle()
    const deltaX = Math.trunc((middle.x - state.from.x) / scrollPx)
    const deltaY = Math.trunc((middle.y - state.from.y) / scrollPx)
    if (deltaX !== 0 || deltaY !== 0) {
      if (!state.moved) {
        this.#target.move(state.from)
      }
      // The content follows the fingers: down with the fingers is up with the wheel.
      this.#target.scroll({ deltaX, deltaY })
      const from = { x: state.from.x + deltaX * scrollPx, y: state.from.y + deltaY * scrollPx }
      this.#state = { is: 'scrolling', from, moved: true }
    }
  }

  #middle(): Point {
    const all = [...this.#fingers.values()]
    const mean = (key: 'x' | 'y') => all.reduce((sum, point) => sum + point[key], 0) / Math.max(1, all.length)
    return { x: mean('x'), y: mean('y') }
  }
}
