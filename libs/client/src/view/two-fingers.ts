import { click, distance, type FingerTarget, type Hand, rightButton } from './fingers.ts'
import type { Point } from './mapping.ts'

/** Two fingers that stray no further than this tap. */
const stillPx = 10
/** Their way for one click of the wheel. */
const scrollPx = 24
/** Two fingers that go apart or together by this much before they scroll magnify the view. */
const pinchPx = 32

export interface TwoFingersOptions {
  hand: Hand
  target: FingerTarget
  /** Brings the pointer to where the fingers are, where that is what fingers mean. */
  point: (at: Point) => void
  /** Whether they may still become a tap: no finger had moved before. */
  canTap: boolean
}

/** Two fingers, from the moment that the second is down: they scroll, magnify the view, or tap for the right button. */
export class TwoFingers {
  readonly #options: TwoFingersOptions
  readonly #start: Point
  #from: Point
  #apart: number
  #is: 'still' | 'strayed' | 'scrolling' | 'pinching'

  constructor(options: TwoFingersOptions) {
    const { hand, canTap } = options
    this.#options = options
    this.#start = hand.middle
    this.#from = hand.middle
    this.#apart = hand.apart
    this.#is = canTap ? 'still' : 'strayed'
  }

  moved(): void {
    const { middle, apart } = this.#options.hand
    const way = distance(middle, this.#start)
    const change = Math.abs(apart - this.#apart)
    if (this.#is === 'pinching') {
      this.#pinch(middle, apart)
    } else if (this.#is !== 'scrolling' && change > pinchPx && change > 1.6 * way) {
      // Fingers that move together are told one after the other: for a moment they are apart, too.
      this.#is = 'pinching'
      this.#from = middle
      this.#apart = apart
    } else {
      this.#is = this.#is === 'still' && way > stillPx ? 'strayed' : this.#is
      this.#scroll(middle)
    }
  }

  /** The first of them is lifted. */
  lifted(): void {
    if (this.#is === 'still') {
      this.#options.point(this.#start)
      click(this.#options.target, rightButton)
    }
  }

  #scroll(middle: Point): void {
    const deltaX = Math.trunc((middle.x - this.#from.x) / scrollPx)
    const deltaY = Math.trunc((middle.y - this.#from.y) / scrollPx)
    if (deltaX !== 0 || deltaY !== 0) {
      if (this.#is !== 'scrolling') {
        this.#is = 'scrolling'
        this.#options.point(this.#start)
      }
      // The content follows the fingers: down with the fingers is up with the wheel.
      this.#options.target.scroll({ deltaX, deltaY })
      this.#from = { x: this.#from.x + deltaX * scrollPx, y: this.#from.y + deltaY * scrollPx }
    }
  }

  #pinch(middle: Point, apart: number): void {
    const by = { x: middle.x - this.#from.x, y: middle.y - this.#from.y }
    this.#options.target.pinch({ factor: this.#apart > 0 ? apart / this.#apart : 1, at: this.#from, by })
    this.#from = middle
    this.#apart = apart
  }
}
