import type { Finger, Fingers, FingerTarget } from './fingers.ts'

/** As many fingers as a touch screen of X has slots for. */
const mostFingers = 10

/** Fingers as what they are, for a desktop that has a touch screen: its application sees every one of them, and reads the gestures itself. */
export class TouchScreen implements Fingers {
  readonly #target: FingerTarget
  /** The slot of each finger that is down, and where it was last. Browsers number fingers on and on; the desktop has slots. */
  readonly #down = new Map<number, { slot: number; last: Finger }>()

  constructor(target: FingerTarget) {
    this.#target = target
  }

  down(finger: number, at: Finger): void {
    const used = new Set([...this.#down.values()].map(({ slot }) => slot))
    const slot = Array.from({ length: mostFingers }, (_, index) => index).find((index) => !used.has(index))
    if (slot !== undefined && !this.#down.has(finger)) {
      this.#down.set(finger, { slot, last: at })
      this.#target.touch('begin', slot, at)
    }
  }

  move(finger: number, at: Finger): void {
    const known = this.#down.get(finger)
    if (known && (known.last.x !== at.x || known.last.y !== at.y || known.last.pressure !== at.pressure)) {
      known.last = at
      this.#target.touch('update', known.slot, at)
    }
  }

  up(finger: number): void {
    const known = this.#down.get(finger)
    if (known) {
      this.#down.delete(finger)
      this.#target.touch('end', known.slot, known.last)
    }
  }

  cancel(): void {
    for (const finger of [...this.#down.keys()]) {
      this.up(finger)
    }
  }
}
