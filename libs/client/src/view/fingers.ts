import type { Point } from './mapping.ts'

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
}

/** A way to read fingers. */
export interface Fingers {
  down(finger: number, at: Point): void
  move(finger: number, at: Point): void
  up(finger: number): void
  /** The system took the fingers away, or the view is gone: no button stays held. */
  cancel(): void
}
