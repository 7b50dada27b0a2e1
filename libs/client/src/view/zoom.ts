import type { Point, Rect } from './mapping.ts'

const most = 6

/** How far the view is magnified, and which part of it is in sight: by pinching, on a small screen. */
export class Zoom {
  #scale = 1
  #x = 0
  #y = 0
  readonly #onChange: () => void

  constructor(onChange: () => void) {
    this.#onChange = onChange
  }

  get scale(): number {
    return this.#scale
  }

  /** As CSS has it, from the frame's upper left corner. */
  get transform(): string {
    return this.#scale === 1 ? 'none' : `translate(${this.#x}px, ${this.#y}px) scale(${this.#scale})`
  }

  /** Magnifies by `factor` around a point of the page, and moves by what the fingers moved. */
  pinch({ factor, at, by }: { factor: number; at: Point; by: Point }, frame: Rect): void {
    const scale = Math.max(1, Math.min(most, this.#scale * factor))
    const ratio = scale / this.#scale
    const inside = { x: at.x - frame.left, y: at.y - frame.top }
    this.#scale = scale
    this.#x = within(inside.x - (inside.x - this.#x) * ratio + by.x, frame.width * (1 - scale))
    this.#y = within(inside.y - (inside.y - this.#y) * ratio + by.y, frame.height * (1 - scale))
    this.#onChange()
  }

  /** Moves the view so that a point of the page is in it, with some room around. Nothing changes where it is already. */
  reveal(at: Point, frame: Rect): void {
    const by = { x: outside(at.x - frame.left, frame.width), y: outside(at.y - frame.top, frame.height) }
    if (this.#scale > 1 && (by.x !== 0 || by.y !== 0)) {
      this.pinch({ factor: 1, at, by }, frame)
    }
  }

  reset(): void {
    this.#scale = 1
    this.#x = 0
    this.#y = 0
    this.#onChange()
  }

  /** Where a rectangle of the page lies when it is magnified. */
  apply(rect: Rect, frame: Rect): Rect {
    return {
      left: frame.left + (rect.left - frame.left) * this.#scale + this.#x,
      top: frame.top + (rect.top - frame.top) * this.#scale + this.#y,
      width: rect.width * this.#scale,
      height: rect.height * this.#scale,
    }
  }
}

/** The frame stays covered: nothing moves further in than its edge. */
const within = (offset: number, least: number) => Math.min(0, Math.max(least, offset))

/** What a place has to move by to be inside of `length`, away from its edges by an eighth. */
function outside(offset: number, length: number): number {
  const margin = length / 8
  return offset < margin ? margin - offset : offset > length - margin ? length - margin - offset : 0
}
