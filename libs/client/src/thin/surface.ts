/** Where the pictures of the thin line are drawn: a canvas that becomes as large as the picture. */
export class Surface {
  readonly canvas: HTMLCanvasElement
  readonly #context: CanvasRenderingContext2D | null
  readonly #onDrawn: () => void
  #pictures = 0

  /** `onDrawn` is called after each picture. */
  constructor(canvas: HTMLCanvasElement, onDrawn: () => void) {
    this.canvas = canvas
    this.#context = canvas.getContext('2d', { alpha: false })
    this.#onDrawn = onDrawn
  }

  /** Pictures drawn so far. */
  get pictures(): number {
    return this.#pictures
  }

  draw(picture: CanvasImageSource, { width, height }: { width: number; height: number }): void {
    if (this.canvas.width !== width || this.canvas.height !== height) {
      this.canvas.width = width
      this.canvas.height = height
      this.canvas.dispatchEvent(new Event('resize'))
    }
    this.#context?.drawImage(picture, 0, 0)
    this.#pictures += 1
    this.#onDrawn()
  }
}
