import type { Clock } from '@neko-edge/kit'
import type { Fingers, FingerTarget } from './fingers.ts'
import type { Point } from './mapping.ts'

const leftButton = 1
const rightButton = 3
/** A finger that strays no further than this is still; one that stays this long presses the right button. */
const stillPx = 10
const longPressMs = 500
/** Two fingers on the way for one click of the wheel. */
const scrollPx = 24
/** Two fingers that go apart or together by this much before they scroll magnify the view. */
const pinchPx = 32

type State =
  | { is: 'none' }
  | { is: 'pressing'; from: Point; cancel: () => void }
  | { is: 'dragging' }
  | { is: 'scrolling'; from: Point; moved: boolean; apart: number }
  | { is: 'pinching'; middle: Point; apart: number }
  /** The gesture is over; the fingers are still to be lifted. */
  | { is: 'done' }

/** Fingers as a mouse: tap, long press for the right button, drag, two fingers to scroll or magnify, a two-finger tap for the right button. */
export class Gestures implements Fingers {
  readonly #clock: Clock
  readonly #target: FingerTarget
  readonly #fingers = new Map<number, Point>()
  #state: State = { is: 'none' }

  constructor(clock: Clock, target: FingerTarget) {
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
      this.#state = { is: 'scrolling', from: this.#middle(), moved: false, apart: this.#apart() }
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
    } else if (state.is === 'pinching') {
      this.#pinch(state)
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

  #scroll(state: { is: 'scrolling'; from: Point; moved: boolean; apart: number }): void {
    const middle = this.#middle()
    const change = Math.abs(this.#apart() - state.apart)
    // Fingers that move together are told one after the other: for a moment they are apart, too.
    if (!state.moved && change > pinchPx && change > 1.6 * Math.hypot(middle.x - state.from.x, middle.y - state.from.y)) {
      this.#state = { is: 'pinching', middle, apart: this.#apart() }
      return
    }
    const deltaX = Math.trunc((middle.x - state.from.x) / scrollPx)
    const deltaY = Math.trunc((middle.y - state.from.y) / scrollPx)
    if (deltaX !== 0 || deltaY !== 0) {
      if (!state.moved) {
        this.#target.move(state.from)
      }
      // The content follows the fingers: down with the fingers is up with the wheel.
      this.#target.scroll({ deltaX, deltaY })
      const from = { x: state.from.x + deltaX * scrollPx, y: state.from.y + deltaY * scrollPx }
      this.#state = { ...state, from, moved: true }
    }
  }

  #pinch(state: { middle: Point; apart: number }): void {
    const middle = this.#middle()
    const apart = this.#apart()
    const by = { x: middle.x - state.middle.x, y: middle.y - state.middle.y }
    this.#target.pinch({ factor: state.apart > 0 ? apart / state.apart : 1, at: state.middle, by })
    this.#state = { is: 'pinching', middle, apart }
  }

  /** How far the first two fingers are from each other. */
  #apart(): number {
    const [one, two] = this.#fingers.values()
    return one && two ? Math.hypot(one.x - two.x, one.y - two.y) : 0
  }

  #middle(): Point {
    const all = [...this.#fingers.values()]
    const mean = (key: 'x' | 'y') => all.reduce((sum, point) => sum + point[key], 0) / Math.max(1, all.length)
    return { x: mean('x'), y: mean('y') }
  }
}
