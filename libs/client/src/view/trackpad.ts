import type { Clock } from '@neko-edge/kit'
import { click, distance, type Finger, type Fingers, type FingerTarget, Hand, leftButton } from './fingers.ts'
import { TwoFingers } from './two-fingers.ts'

const stillPx = 8
const holdMs = 400
/** A finger has less way than a desktop is wide; fast ones go further, as a trackpad does. */
const slow = 1.2
const fast = 3
const fastPx = 18

type State =
  | { is: 'none' }
  | { is: 'touching'; from: Finger; cancel: () => void }
  | { is: 'steering' }
  | { is: 'dragging' }
  | { is: 'two'; two: TwoFingers }
  | { is: 'done' }

/**
 * Fingers on the picture as on a trackpad: one moves the pointer from where it is, a tap clicks there, a finger that rests and then moves
 * drags; and what two fingers do, where the pointer is.
 */
export class Trackpad implements Fingers {
  readonly #clock: Clock
  readonly #target: FingerTarget
  readonly #hand = new Hand()
  #state: State = { is: 'none' }

  constructor(clock: Clock, target: FingerTarget) {
    this.#clock = clock
    this.#target = target
  }

  down(finger: number, at: Finger): void {
    this.#hand.set(finger, at)
    const state = this.#state
    if (state.is === 'none') {
      this.#state = { is: 'touching', from: at, cancel: this.#clock.after(holdMs, () => this.#hold()) }
    } else if (state.is === 'touching' || state.is === 'steering') {
      this.#stopWaiting()
      const canTap = state.is === 'touching'
      this.#state = { is: 'two', two: new TwoFingers({ hand: this.#hand, target: this.#target, point: () => {}, canTap }) }
    }
  }

  move(finger: number, at: Finger): void {
    const before = this.#hand.move(finger, at)
    if (!before) {
      return
    }
    const state = this.#state
    if (state.is === 'touching' && distance(at, state.from) > stillPx) {
      this.#stopWaiting()
      this.#state = { is: 'steering' }
    } else if (state.is === 'steering' || state.is === 'dragging') {
      const speed = slow + (fast - slow) * Math.min(1, distance(at, before) / fastPx)
      this.#target.moveBy({ x: (at.x - before.x) * speed, y: (at.y - before.y) * speed })
    } else if (state.is === 'two') {
      state.two.moved()
    }
  }

  up(finger: number): void {
    if (!this.#hand.lift(finger)) {
      return
    }
    const state = this.#state
    if (state.is === 'touching') {
      state.cancel()
      click(this.#target, leftButton)
    } else if (state.is === 'dragging') {
      this.#target.button(leftButton, false)
    } else if (state.is === 'two') {
      state.two.lifted()
    }
    this.#state = this.#hand.isEmpty ? { is: 'none' } : { is: 'done' }
  }

  cancel(): void {
    this.#stopWaiting()
    if (this.#state.is === 'dragging') {
      this.#target.button(leftButton, false)
    }
    this.#hand.clear()
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
}
