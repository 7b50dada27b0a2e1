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
  /** The person has stopped the picture, or lets it go on. */
  onHold: () => void
}

/** On a small picture the pointer shrinks no further: it would be lost. */
const leastCursorScale = 0.6

/** How long the last picture of the thin line may stay in front of a video that shows nothing yet, in milliseconds. */
const lingerMs = 2_000

/** The video, or the canvas of the thin line in front of it, and the desktop's pointer drawn over it, in a box of any size. */
export class Picture {
  readonly #parts: PictureParts
  #canvas: HTMLCanvasElement | undefined
  #cancelLinger: () => void = () => {}
  readonly #client: NekoClient
  readonly #stop: (() => void)[]
  #frameRequest: number | undefined
  #drawsOwn = false
  #onSoundBlocked: () => void
  /** The person stopped it: nothing but the person starts it again. */
  #isHeld = false
  /** Told after every change of where the picture is, in the next frame. */
  onDraw: () => void = () => {}
  readonly zoom: Zoom

  readonly #onHold: () => void

  constructor({ parts, client, onSoundBlocked, onZoom, onHold }: PictureOptions) {
    this.#parts = parts
    this.#onHold = onHold
    this.#client = client
    this.#onSoundBlocked = onSoundBlocked
    const redraw = this.#redraw
    this.zoom = new Zoom(() => {
      redraw()
      onZoom()
    })
    const resized = new ResizeObserver(redraw)
    resized.observe(parts.frame)
    parts.video.addEventListener('resize', redraw)
    const abort = new AbortController()
    const { signal } = abort
    parts.video.addEventListener('pause', () => this.#stopped(), { signal })
    parts.video.addEventListener('play', () => this.#hold(false), { signal })
    document.addEventListener('visibilitychange', () => !document.hidden && void this.play(), { signal })
    this.#stop = [
      () => abort.abort(),
      client.cursor.position.watch(redraw),
      client.cursor.image.watch(redraw),
      client.room.watch(redraw),
      client.stream.watch((stream) => this.#show(stream)),
      client.thin.watch((thin) => this.#showThin(thin?.canvas)),
      client.onSoundBlocked(() => {
        parts.video.muted = true
        onSoundBlocked()
      }),
      () => resized.disconnect(),
      () => parts.video.removeEventListener('resize', redraw),
    ]
    this.#show(client.stream.value)
    this.#showThin(client.thin.value?.canvas)
    this.#schedule()
  }

  /** The size of the desktop, in its own pixels. */
  get screen(): Size {
    return this.#client.room.value?.screen ?? this.source?.size ?? { width: 1, height: 1 }
  }

  /** Where the picture is on the page, without the bars beside it. */
  get rect(): Rect {
    const shown = this.source?.size ?? this.screen
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
    this.#removeCanvas()
    this.#client.setHeld(false)
    this.#parts.video.autoplay = true
    this.#parts.video.srcObject = null
    this.#parts.video.style.transform = 'none'
  }

  /** Stopped by the person, here or in the browser's own controls (of the small window, say). */
  get isHeld(): boolean {
    return this.#isHeld
  }

  /** Stops the picture where it is. */
  hold(): void {
    this.#hold(true)
    this.#parts.video.pause()
  }

  /** Goes on with what is live. */
  async resume(): Promise<void> {
    this.#hold(false)
    await this.play()
  }

  /** Plays with sound where the browser allows it, else muted: the picture must never wait for a click. */
  async play(): Promise<void> {
    const { video } = this.#parts
    if (this.#isHeld || !video.srcObject) {
      return
    }
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

  /** A browser also stops what has ended or what nobody sees; that goes on by itself. */
  #stopped(): void {
    const { video } = this.#parts
    const isLive = video.srcObject instanceof MediaStream && video.srcObject.active
    const isSeen = !document.hidden || document.pictureInPictureElement !== null
    this.#hold(this.#isHeld || (isLive && isSeen && video.isConnected))
  }

  #hold(isHeld: boolean): void {
    if (isHeld !== this.#isHeld) {
      this.#isHeld = isHeld
      // Or a new stream would start it.
      this.#parts.video.autoplay = !isHeld
      this.#client.setHeld(isHeld)
      this.#onHold()
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

  #showThin(canvas: HTMLCanvasElement | undefined): void {
    if (canvas === this.#canvas) {
      this.#cancelLinger()
    } else if (canvas) {
      this.#removeCanvas()
      this.#canvas = canvas
      canvas.setAttribute('part', 'video')
      canvas.addEventListener('resize', this.#redraw)
      this.#parts.video.after(canvas)
    } else {
      this.#linger()
    }
    this.#schedule()
  }

  /** The last picture stays until the video behind it has one of its own: nothing flickers. */
  #linger(): void {
    const { video } = this.#parts
    const remove = () => {
      this.#removeCanvas()
      this.#schedule()
    }
    const timer = setTimeout(remove, lingerMs)
    const request = video.requestVideoFrameCallback?.(remove)
    this.#cancelLinger = () => {
      clearTimeout(timer)
      if (request !== undefined) {
        video.cancelVideoFrameCallback(request)
      }
    }
  }

  #removeCanvas(): void {
    this.#cancelLinger()
    this.#canvas?.removeEventListener('resize', this.#redraw)
    this.#canvas?.remove()
    this.#canvas = undefined
  }

  /** What is shown, with its own size; `undefined` before there is a picture. */
  get source(): { picture: HTMLVideoElement | HTMLCanvasElement; size: Size } | undefined {
    const { video } = this.#parts
    const canvas = this.#canvas
    if (canvas) {
      return { picture: canvas, size: { width: canvas.width, height: canvas.height } }
    }
    return video.videoWidth > 0 ? { picture: video, size: { width: video.videoWidth, height: video.videoHeight } } : undefined
  }

  readonly #redraw = () => this.#schedule()

  #schedule(): void {
    this.#frameRequest ??= requestAnimationFrame(() => {
      this.#frameRequest = undefined
      this.#draw()
    })
  }

  #draw(): void {
    const { cursor, video } = this.#parts
    for (const picture of [video, this.#canvas]) {
      picture?.style.setProperty('transform', this.zoom.transform)
    }
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
