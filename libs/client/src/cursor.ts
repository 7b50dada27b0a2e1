import type { ServerPayloads } from '@neko-edge/protocol'
import type { ChannelOutput } from '@neko-edge/protocol/channel'
import { Cell, type Watchable } from './cell.ts'

/** The desktop's pointer as a picture: sizes and hot spot in pixels of the desktop. */
export interface CursorImage {
  readonly url: string
  readonly width: number
  readonly height: number
  readonly hotX: number
  readonly hotY: number
}

/** A place on the desktop, in its pixels. */
export interface Position {
  readonly x: number
  readonly y: number
}

/** Where somebody without the controls points. */
export interface OtherPosition extends Position {
  readonly id: string
}

/** The pointer of the desktop, which V3 keeps out of the video. `undefined` image: the application hides it. */
export class Cursor {
  readonly #image = new Cell<CursorImage | undefined>(undefined)
  readonly #position = new Cell<Position | undefined>(undefined)
  readonly #others = new Cell<readonly OtherPosition[]>([])

  /** The pointer's picture; `undefined` where the application hides it. */
  get image(): Watchable<CursorImage | undefined> {
    return this.#image
  }

  /** Where somebody else's hand last put it; the host's own moves are not told back to the host. */
  get position(): Watchable<Position | undefined> {
    return this.#position
  }

  /** Where the others point, as the server last told it; one's own pointer is among them. */
  get others(): Watchable<readonly OtherPosition[]> {
    return this.#others
  }

  othersMoved(cursors: ServerPayloads['session/cursors']): void {
    this.#others.set(
      cursors.flatMap(({ id, cursors: path }) => {
        const last = path.at(-1)
        return last ? [{ id, x: last.x, y: last.y }] : []
      }),
    )
  }

  /** One's own move: others hear it from the server, oneself does not. */
  movedTo(position: Position): void {
    this.#position.set(position)
  }

  /** The pointer is in the picture itself. */
  hide(): void {
    this.#position.set(undefined)
  }

  heard(message: ChannelOutput): void {
    if (message.is === 'cursor-position') {
      this.#position.set({ x: message.x, y: message.y })
    } else if (message.is === 'cursor-image') {
      const { width, height, hotX, hotY, png } = message
      // A cursor of one pixel is how applications hide it.
      this.#image.set(width > 1 && height > 1 ? { url: dataUrl(png), width, height, hotX, hotY } : undefined)
    }
  }
}

// A data URL, since a blob URL would have to outlive every style that names it.
function dataUrl(png: Uint8Array): string {
  let binary = ''
  for (const byte of png) {
    binary += String.fromCharCode(byte)
  }
  return `data:image/png;base64,${btoa(binary)}`
}
