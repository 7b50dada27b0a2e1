import { Listeners, messageOf } from '@neko-edge/kit'
import type { CursorPixels } from 'x11'
import type { XConnection } from './connection.ts'
import type { CursorImage } from './desktop.ts'
import { encodePng, rgbaFromPremultiplied } from './png.ts'

/** Applications switch between a handful of shapes; the busy ones are animations of some dozen pictures. */
const cacheSize = 64

/** Follows what the pointer looks like (XFIXES cursor notify). */
export class Cursor {
  readonly #connection: XConnection
  readonly #listeners = new Listeners<CursorImage>()
  /** By serial, in the order of use. */
  readonly #cache = new Map<number, CursorImage>()
  #current: CursorImage | undefined
  #isFetching = false
  #isStale = false

  private constructor(connection: XConnection) {
    this.#connection = connection
  }

  static async open(connection: XConnection): Promise<Cursor> {
    const cursor = new Cursor(connection)
    connection.onEvent((event) => {
      if (event.name === 'CursorNotify') {
        cursor.#changed(event.cursorSerial)
      }
    })
    connection.send(() => connection.fixes.SelectCursorInput(connection.root, 1))
    await cursor.#fetch().catch((error: unknown) => connection.log.warn({ error: messageOf(error) }, 'cursor not read'))
    return cursor
  }

  get current(): CursorImage | undefined {
    return this.#current
  }

  onChange(listener: (image: CursorImage) => void): () => void {
    return this.#listeners.add(listener)
  }

  #changed(serial: number): void {
    const known = this.#cache.get(serial)
    if (known !== undefined && !this.#isFetching) {
      this.#show(known)
      return
    }
    this.#isStale = true
    if (!this.#isFetching) {
      this.#follow().catch((error: unknown) => this.#connection.log.debug({ error: messageOf(error) }, 'cursor not read'))
    }
  }

  /** One fetch at a time; a change in the meantime is one more fetch. */
  async #follow(): Promise<void> {
    this.#isFetching = true
    try {
      while (this.#isStale) {
        this.#isStale = false
        await this.#fetch()
      }
    } finally {
      this.#isFetching = false
    }
  }

  async #fetch(): Promise<void> {
    const pixels = await this.#connection.ask<CursorPixels>('the cursor', (_, callback) => this.#connection.fixes.GetCursorImage(callback))
    this.#show(this.#cache.get(pixels.cursorSerial) ?? imageOf(pixels))
  }

  #show(image: CursorImage): void {
    this.#cache.delete(image.serial)
    this.#cache.set(image.serial, image)
    const [oldest] = this.#cache.keys()
    if (oldest !== undefined && this.#cache.size > cacheSize) {
      this.#cache.delete(oldest)
    }
    if (this.#current?.serial !== image.serial) {
      this.#current = image
      this.#listeners.emit(image)
    }
  }
}

function imageOf({ width, height, xhot, yhot, cursorSerial, cursorImage }: CursorPixels): CursorImage {
  const png = encodePng(width, height, rgbaFromPremultiplied(cursorImage))
  return { width, height, hotX: xhot, hotY: yhot, png, serial: cursorSerial }
}
