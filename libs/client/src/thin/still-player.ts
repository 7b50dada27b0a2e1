import type { Surface } from './surface.ts'

/** Shows JPEG pictures, one after the other; `onDone` after each, shown or not: then the next may come. */
export class StillPlayer {
  readonly #surface: Surface
  readonly #onDone: () => void
  #work: Promise<void> = Promise.resolve()
  #isClosed = false

  constructor(surface: Surface, onDone: () => void) {
    this.#surface = surface
    this.#onDone = onDone
  }

  take(jpeg: Uint8Array<ArrayBuffer>): void {
    this.#work = this.#work.then(() => this.#show(jpeg)).catch(() => {})
  }

  close(): void {
    this.#isClosed = true
  }

  async #show(jpeg: Uint8Array<ArrayBuffer>): Promise<void> {
    try {
      if (this.#isClosed) {
        return
      }
      const bitmap = await createImageBitmap(new Blob([jpeg], { type: 'image/jpeg' }))
      this.#surface.draw(bitmap, bitmap)
      bitmap.close()
    } finally {
      this.#onDone()
    }
  }
}
