/** What of WheelEvent counts. */
export interface WheelLike {
  readonly deltaX: number
  readonly deltaY: number
  /** 0 pixels, 1 lines, 2 pages. */
  readonly deltaMode: number
  readonly timeStamp: number
}

/** A wheel's notch in pixels (Chrome 100 to 120) and lines (Firefox 3); a page counts as three notches. */
const notchPixels = 100
const notchLines = 3
const pageNotches = 3
/** A finger on a trackpad sends many small steps: half a notch of way is one click, or it would feel slow. */
const trackpadPixels = 50
/** A pause after which what was left of the last movement is forgotten, in milliseconds. */
const pauseMs = 400
/** A single event never scrolls further than this; the server has no bound of its own. */
const mostClicks = 10

/** Turns a wheel or trackpad into whole clicks of an X wheel. Positive is up and left, as the protocol counts. */
export class Wheel {
  #restX = 0
  #restY = 0
  #at = Number.NEGATIVE_INFINITY

  /** `speed` is 1 for the wheel as it is; below 0 it turns the other way. */
  turn(event: WheelLike, speed = 1): { deltaX: number; deltaY: number } {
    if (event.timeStamp - this.#at > pauseMs) {
      this.#restX = 0
      this.#restY = 0
    }
    this.#at = event.timeStamp
    const [deltaX, restX] = take(this.#restX, -clicksOf(event.deltaX, event.deltaMode) * speed)
    const [deltaY, restY] = take(this.#restY, -clicksOf(event.deltaY, event.deltaMode) * speed)
    this.#restX = restX
    this.#restY = restY
    return { deltaX, deltaY }
  }
}

function clicksOf(delta: number, mode: number): number {
  if (mode === 1) {
    return delta / notchLines
  }
  if (mode === 2) {
    return delta * pageNotches
  }
  return delta / (Math.abs(delta) >= notchPixels ? notchPixels : trackpadPixels)
}

/** Whole clicks and what is left; a turn back starts anew. */
function take(rest: number, step: number): [number, number] {
  const sum = Math.sign(rest) === -Math.sign(step) ? step : rest + step
  const clicks = Math.max(-mostClicks, Math.min(mostClicks, Math.trunc(sum)))
  // Adding 0 turns −0 into 0.
  return [clicks + 0, Math.abs(sum) > mostClicks ? 0 : sum - clicks]
}
