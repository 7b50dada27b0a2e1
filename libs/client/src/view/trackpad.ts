import type { Clock } from '@neko-edge/kit'
import type { Fingers, FingerTarget } from './fingers.ts'
import type { Point } from './mapping.ts'

const leftButton = 1
const rightButton = 3
const stillPx = 8
const holdMs = 400
const scrollPx = 24
/** A finger has less way than a desktop is wide; fast ones go further, as a trackpad does. */
const slow = 1.2
const fast = 3
const fastPx = 18

type State =
  | { is: 'none' }
  | { is: 'touching'; from: Point; cancel: () => void }
  | { is: 'steering' }
  | { is: 'dragging' }
  | { is: 'two'; moved: boolean; rest: Point }
  | { is: 'done' }

/**
 * Fingers on the picture as on a trackpad: one moves the pointer from where it is, a tap clicks there, a finger that rests and then moves
 * drags, two fingers scroll, a tap of two is the right button.
 */
export class Trackpad implements Fingers {
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
      this.#state = { is: 'touching', from: at, cancel: this.#clock.after(holdMs, () => this.#hold()) }
    } else if (state.is === 'touching' || state.is === 'steering') {
      this.#stopWaiting()
      this.#state = { is: 'two', moved: state.is === 'steering', rest: { x: 0, y: 0 } }
    }
  }

  move(finger: number, at: Point): void {
    const before = this.#fingers.get(finger)
    if (!before) {
      return
    }
    this.#fingers.set(finger, at)
    const state = this.#state
    if (state.is === 'touching' && Math.hypot(at.x - state.from.x, at.y - state.from.y) > stillPx) {
      this.#stopWaiting()
      this.#state = { is: 'steering' }
    } else if (state.is === 'steering' || state.is === 'dragging') {
      const by = { x: at.x - before.x, y: at.y - before.y }
      const speed = slow + (fast - slow) * Math.min(1, Math.hypot(by.x, by.y) / fastPx)
      this.#target.moveBy({ x: by.x * speed, y: by.y * speed })
    } else if (state.is === 'two') {
      this.#scroll(state, { x: (at.x - before.x) / 2, y: (at.y - before.y) / 2 })
    }
  }

  up(finger: number): void {
    if (!this.#fingers.delete(finger)) {
      return
    }
    const state = this.#state
    if (state.is === 'touching') {
      state.cancel()
      this.#click(leftButton)
    } else if (state.is === 'dragging') {
      this.#target.button(leftButton, false)
    } else if (state.is === 'two' && !state.moved) {
      this.#click(rightButton)
    }
    this.#state = this.#fingers.size > 0 ? { is: 'done' } : { is: 'none' }
  }

  cancel(): void {
    this.#stopWaiting()
    if (this.#state.is === 'dragging') {
      this.#target.button(leftButton, false)
    }
    this.#fingers.clear()
    this.#state = { is: 'none' }
  }

  #hold(): void {
    this.#target.button(leftButton, true)
    this.#state = { is: 'dragging' }
  }

  #stopWaiting(): void {
    if (this.#state.is === 'touching') {
      this.#state.cancel()
    }
  }

  #click(code: number): void {
    this.#target.button(code, true)
    this.#target.button(code, false)
  }

  #scroll(state: { is: 'two'; moved: boolean; rest: Point }, by: Point): void {
    const x = state.rest.x + by.x
    const y = state.rest.y + by.y
    const deltaX = Math.trunc(x / scrollPx)
    const deltaY = Math.trunc(y / scrollPx)
    if (deltaX !== 0 || deltaY !== 0) {
      this.#target.scroll({ deltaX, deltaY })
    }
    const moved = state.moved || Math.hypot(x, y) > stillPx
    this.#state = { is: 'two', moved, rest: { x: x - deltaX * scrollPx, y: y - deltaY * scrollPx } }
  }
}
