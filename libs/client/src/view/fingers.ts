import type { Point } from './mapping.ts'

/** A finger on the picture: where, as a point of the page, and how hard, 0 to 1. */
export interface Finger extends Point {
  readonly pressure: number
}

/** What fingers do to the desktop and to the view, at points of the page. */
export interface FingerTarget {
  move: (at: Point) => void
  /** Moves the pointer from where it is, by pixels of the page. */
  moveBy: (by: Point) => void
  button: (code: number, down: boolean) => void
  /** Clicks of the wheel, positive up and left. */
  scroll: (clicks: { deltaX: number; deltaY: number }) => void
  /** Two fingers go apart or together, and on. */
  pinch: (pinch: { factor: number; at: Point; by: Point }) => void
  /** A finger on the desktop's own touch screen. */
  touch: (phase: 'begin' | 'update' | 'end', id: number, finger: Finger) => void
}

/** A way to read fingers. */
export interface Fingers {
  down(finger: number, at: Finger): void
  move(finger: number, at: Finger): void
  up(finger: number): void
  /** The system took the fingers away, or the view is gone: no button stays held. */
  cancel(): void
}

export const leftButton = 1
export const rightButton = 3

/** Presses and lets go of a button where the pointer is. */
export function click(target: FingerTarget, code: number): void {
  target.button(code, true)
  target.button(code, false)
}

/** Where the fingers are that are down. */
export class Hand {
  readonly #fingers = new Map<number, Finger>()

  get isEmpty(): boolean {
    return this.#fingers.size === 0
  }

  set(finger: number, at: Finger): void {
    this.#fingers.set(finger, at)
  }

  /** Takes in where a finger went and gives where it was; `undefined` for one that is not down. */
  move(finger: number, at: Finger): Finger | undefined {
    const before = this.#fingers.get(finger)
    if (before) {
      this.#fingers.set(finger, at)
    }
    return before
  }

  /** False for a finger that was not down. */
  lift(finger: number): boolean {
    return this.#fingers.delete(finger)
  }

  clear(): void {
    this.#fingers.clear()
  }

  get middle(): Point {
    const all = [...this.#fingers.values()]
    const mean = (key: 'x' | 'y') => all.reduce((sum, point) => sum + point[key], 0) / Math.max(1, all.length)
    return { x: mean('x'), y: mean('y') }
  }

  /** How far the first two fingers are from each other. */
  get apart(): number {
    const [one, two] = this.#fingers.values()
    return one && two ? distance(one, two) : 0
  }
}

export const distance = (one: Point, two: Point): number => Math.hypot(one.x - two.x, one.y - two.y)
