import type { NekoClient } from '../client.ts'
import { contain, type Point, pagePoint, type Rect, type Size } from './mapping.ts'
import { Zoom } from './zoom.ts'

export interface PictureParts {
  /** The box that the picture is fitted into. */
  frame: HTMLElement
  video: HTMLVideoElement
  cursor: HTMLImageElement
}

export interface PictureOptions {
  parts: PictureParts
  client: NekoClient
  /** The browser lets nothing sound before a click. */
  onSoundBlocked: () => void
  /** The view is magnified otherwise than before. */
  onZoom: () => void
}

/** On a small picture the pointer shrinks no further: it would be lost. */
const leastCursorScale = 0.6

/** The video and the desktop's pointer drawn over it, in a box of any size. */
export class Picture {
  readonly #parts: PictureParts
  readonly #client: NekoClient
  readonly #stop: (() => void)[]
  #frameRequest: number | undefined
  #drawsOwn = false
  #onSoundBlocked: () => void
  /** Told after every change of where the picture is, in the next frame. */
  onDraw: () => void = () => {}
  readonly zoom: Zoom

  constructor({ parts, client, onSoundBlocked, onZoom }: PictureOptions) {
    this.#parts = parts
    this.#client = client
    this.#onSoundBlocked = onSoundBlocked
    const redraw = () => this.#schedule()
    this.zoom = new Zoom(() => {
      redraw()
      onZoom()
    })
    const resized = new ResizeObserver(redraw)
    resized.observe(parts.frame)
    parts.video.addEventListener('resize', redraw)
    this.#stop = [
      client.cursor.position.watch(redraw),
      client.cursor.image.watch(redraw),
      client.room.watch(redraw),
      client.stream.watch((stream) => this.#show(stream)),
      () => resized.disconnect(),
      () => parts.video.removeEventListener('resize', redraw),
    ]
    this.#show(client.stream.value)
    this.#schedule()
  }

  /** The size of the desktop, in its own pixels. */
  get screen(): Size {
    const { video } = this.#parts
    return this.#client.room.value?.screen ?? { width: video.videoWidth || 1, height: video.videoHeight || 1 }
  }

  /** Where the picture is on the page, without the bars beside it. */
  get rect(): Rect {
    const { video } = this.#parts
    const shown = video.videoWidth > 0 ? { width: video.videoWidth, height: video.videoHeight } : this.screen
    const { box } = this
    return this.zoom.apply(contain(box, shown), box)
  }

  /** The box that the picture is fitted into. */
  get box(): Rect {
    return this.#parts.frame.getBoundingClientRect()
  }

  /** How large a pixel of the pointer's image is on the page. */
  get cursorScale(): number {
    return Math.max(leastCursorScale, this.rect.width / this.screen.width)
  }

  /** Moves a magnified view so that a pixel of the desktop is in sight. */
  reveal(pixel: Point): void {
    this.zoom.reveal(pagePoint(pixel, this.rect, this.screen), this.box)
  }

  /** Whether the drawn pointer is shown also to the host: fingers have none of their own. */
  set drawsOwn(drawsOwn: boolean) {
    this.#drawsOwn = drawsOwn
    this.#schedule()
  }

  close(): void {
    for (const stop of this.#stop) {
      stop()
    }
    if (this.#frameRequest !== undefined) {
      cancelAnimationFrame(this.#frameRequest)
    }
    this.#parts.video.srcObject = null
    this.#parts.video.style.transform = 'none'
  }

  /** Plays with sound where the browser allows it, else muted: the picture must never wait for a click. */
  async play(): Promise<void> {
    const { video } = this.#parts
    try {
      await video.play()
    } catch (error) {
      const isRefused = error instanceof DOMException && error.name === 'NotAllowedError'
      if (isRefused && !video.muted) {
        video.muted = true
        this.#onSoundBlocked()
        await video.play().catch(() => {})
      }
    }
  }

  #show(stream: MediaStream | undefined): void {
    const { video } = this.#parts
    if (video.srcObject !== (stream ?? null)) {
      video.srcObject = stream ?? null
    }
    if (stream) {
      void this.play()
    }
  }

  #schedule(): void {
    this.#frameRequest ??= requestAnimationFrame(() => {
      this.#frameRequest = undefined
      this.#draw()
    })
  }

  #draw(): void {
    const { cursor, video } = this.#parts
    video.style.transform = this.zoom.transform
    this.onDraw()
    const image = this.#client.cursor.image.value
    const position = this.#client.cursor.position.value
    const isHosting = this.#client.control.verdict === 'hosting'
    const isShown = image !== undefined && position !== undefined && (!isHosting || this.#drawsOwn) && isOn(position, this.screen)
    cursor.hidden = !isShown
    if (!isShown) {
      return
    }
    const { rect, screen } = this
    const { box, cursorScale: scale } = this
    const at = pagePoint(position, rect, screen)
    if (cursor.src !== image.url) {
      cursor.src = image.url
    }
    cursor.style.width = `${image.width * scale}px`
    cursor.style.height = `${image.height * scale}px`
    cursor.style.transform = `translate(${at.x - image.hotX * scale - box.left}px, ${at.y - image.hotY * scale - box.top}px)`
  }
}

const isOn = (position: Point, screen: Size) => position.x < screen.width && position.y < screen.height
