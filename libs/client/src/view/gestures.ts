import type { Clock } from '@neko-edge/kit'
import { click, distance, type Finger, type Fingers, type FingerTarget, Hand, leftButton, rightButton } from './fingers.ts'
import { TwoFingers } from './two-fingers.ts'

/** A finger that strays no further than this is still; one that stays this long presses the right button. */
const stillPx = 10
const longPressMs = 500

type State =
  | { is: 'none' }
  | { is: 'pressing'; from: Finger; cancel: () => void }
  | { is: 'dragging' }
  | { is: 'two'; two: TwoFingers }
  /** The gesture is over; the fingers are still to be lifted. */
  | { is: 'done' }

/** Fingers as a mouse that is where they are: tap, long press for the right button, drag, and what two fingers do. */
export class Gestures implements Fingers {
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
      this.#state = { is: 'pressing', from: at, cancel: this.#clock.after(longPressMs, () => this.#longPress(at)) }
    } else if (state.is === 'pressing') {
      state.cancel()
      const point = this.#target.move
      this.#state = { is: 'two', two: new TwoFingers({ hand: this.#hand, target: this.#target, point, canTap: true }) }
    }
  }

  move(finger: number, at: Finger): void {
    if (!this.#hand.move(finger, at)) {
      return
    }
    const state = this.#state
    if (state.is === 'pressing' && distance(at, state.from) > stillPx) {
      state.cancel()
      this.#target.move(state.from)
      this.#target.button(leftButton, true)
      this.#target.move(at)
      this.#state = { is: 'dragging' }
    } else if (state.is === 'dragging') {
      this.#target.move(at)
    } else if (state.is === 'two') {
      state.two.moved()
    }
  }

  up(finger: number): void {
    if (!this.#hand.lift(finger)) {
      return
    }
    const state = this.#state
    if (state.is === 'pressing') {
      state.cancel()
      this.#clickAt(state.from, leftButton)
    } else if (state.is === 'dragging') {
      this.#target.button(leftButton, false)
    } else if (state.is === 'two') {
      state.two.lifted()
    }
    this.#state = this.#hand.isEmpty ? { is: 'none' } : { is: 'done' }
  }

  cancel(): void {
    if (this.#state.is === 'pressing') {
      this.#state.cancel()
    } else if (this.#state.is === 'dragging') {
      this.#target.button(leftButton, false)
    }
    this.#hand.clear()
    this.#state = { is: 'none' }
  }

  #longPress(at: Finger): void {
    this.#clickAt(at, rightButton)
    this.#state = { is: 'done' }
  }

  #clickAt(at: Finger, code: number): void {
    this.#target.move(at)
    click(this.#target, code)
  }
}
