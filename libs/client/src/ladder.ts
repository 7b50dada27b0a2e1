import { type Clock, Listeners } from '@neko-edge/kit'
import type { PeerVideo } from '@neko-edge/protocol'
import type { ChannelOutput } from '@neko-edge/protocol/channel'
import { Cell, type Watchable } from './cell.ts'
import type { SocketLike } from './link.ts'
import type { Media } from './media.ts'
import { readStats, type Statistics, type WebRtcPath } from './stats.ts'
import type { ThinLike, ThinOptions, ThinWish } from './thin/thin-line.ts'

/** How long WebRTC may show nothing before the thin line helps out, in milliseconds. */
const patienceMs = 3_000
/** How long until its code is asked for again where it did not load, in milliseconds. */
const reloadMs = 5_000

/** How picture and sound reach this page: WebRTC over UDP, over TCP or through a TURN server; video or still pictures over a WebSocket. */
export type Path = WebRtcPath | 'websocket' | 'jpeg'

/** A change of one's own picture: a stream of the room, the choice left to the server, or none at all. */
export type VideoChoice = { readonly id: string } | { readonly auto: true } | { readonly disabled: boolean }

export interface ThinPicture {
  readonly picture: 'video' | 'jpeg'
  readonly canvas: HTMLCanvasElement
}

/** The next try, and the how manieth it is. */
export interface Waiting {
  readonly attempt: number
  readonly retryAt: number
}

export type OpenThin = (options: ThinOptions) => Promise<ThinLike>

/** The code of the thin line is loaded only where it is needed. */
export const openThinLine: OpenThin = async (options) => {
  const { ThinLine } = await import('./thin/thin-line.ts')
  return new ThinLine(options, document.createElement('canvas'))
}

export interface LadderOptions {
  clock: Clock
  random: () => number
  media: Pick<Media, 'isOff' | 'start' | 'stop' | 'stats' | 'flow' | 'path' | 'roundTripMs'>
  url: () => string
  openSocket: (url: string) => SocketLike
  openThin: OpenThin
  onChannel: (message: ChannelOutput) => void
}

/** Sees to it that a picture comes: by WebRTC, and where that shows nothing for three seconds, over the thin line until it does. */
export class Ladder {
  /** The browser lets nothing sound on the thin line before a click. */
  readonly soundBlocked = new Listeners<void>()
  readonly #options: LadderOptions
  readonly #shown = new Cell<ThinPicture | undefined>(undefined)
  readonly #waiting = new Cell<Waiting | undefined>(undefined)
  readonly #path = new Cell<Path | undefined>(undefined)
  readonly #roundTripMs = new Cell<number | undefined>(undefined)
  readonly #unwatch: (() => void)[]
  #thinRoundTripMs: number | undefined
  #wish: ThinWish = { video: undefined, isPictureOff: false, isHeld: false, volume: 1 }
  #isWanted = false
  #thin: ThinLike | undefined
  /** Names the load that is under way: what a given-up one brings is closed at once. */
  #loading: symbol | undefined
  #cancelWait: (() => void) | undefined

  constructor(options: LadderOptions) {
    this.#options = options
    const { flow, path, roundTripMs } = options.media
    this.#unwatch = [flow.watch(() => this.#decide()), path.watch(() => this.#tell()), roundTripMs.watch(() => this.#tell())]
  }

  /** What the thin line shows; `undefined` while it shows nothing. */
  get shown(): Watchable<ThinPicture | undefined> {
    return this.#shown
  }

  /** Without WebRTC: the thin line could not be had, or was lost, and when it is tried again. */
  get waiting(): Watchable<Waiting | undefined> {
    return this.#waiting
  }

  /** The way of what is shown; `undefined` while nothing is. */
  get path(): Watchable<Path | undefined> {
    return this.#path
  }

  /** Time of a message to the server and back on that way, in milliseconds. */
  get roundTripMs(): Watchable<number | undefined> {
    return this.#roundTripMs
  }

  /** The choice of one's own picture, for the thin line too. */
  choose(choice: VideoChoice): void {
    this.#change('disabled' in choice ? { isPictureOff: choice.disabled } : { video: 'id' in choice ? choice.id : undefined })
  }

  /** How loud the thin line plays, 0 to 1. */
  setVolume(volume: number): void {
    this.#change({ volume })
  }

  /** Stops the thin line where it is, or lets it go on. */
  setHeld(isHeld: boolean): void {
    this.#change({ isHeld })
  }

  /** What comes over the thin line, of the room's `videos`. */
  videoOf(videos: readonly string[]): PeerVideo {
    const { video, isPictureOff } = this.#wish
    const id = video ?? videos[0] ?? ''
    return { id, video: id, auto: video === undefined, disabled: isPictureOff }
  }

  start(): void {
    this.#isWanted = true
    this.#options.media.start()
    this.#decide()
  }

  stop(): void {
    this.#isWanted = false
    this.#options.media.stop()
    this.#decide()
  }

  /** The socket of the room is away: no new line is opened, what flows goes on. */
  pause(): void {
    this.#cancelWait?.()
    this.#cancelWait = undefined
  }

  /** The numbers behind what is shown; `undefined` while nothing flows. */
  async statistics(): Promise<Statistics | undefined> {
    if (this.#shown.value) {
      return this.#thin?.statistics()
    }
    const { media } = this.#options
    const report = await media.stats()
    return report && readStats(report, media.roundTripMs.value)
  }

  /** Shows others where one points without the controls; gives false where the thin line is not in use. */
  point(at: { x: number; y: number }): boolean {
    return this.#shown.value !== undefined && this.#thin?.point(at) === true
  }

  close(): void {
    this.#unwatch.forEach((stop) => stop())
    this.stop()
  }

  #change(change: Partial<ThinWish>): void {
    this.#wish = { ...this.#wish, ...change }
    if (this.#thin) {
      this.#thin.wish = this.#wish
    }
  }

  #decide(): void {
    const { clock, media } = this.#options
    const flow = media.flow.value
    if (!this.#isWanted || flow === 'up') {
      this.pause()
      this.#closeThin()
    } else if (this.#thin === undefined && this.#loading === undefined) {
      if (media.isOff || flow === 'silent') {
        this.#open()
      } else {
        this.#cancelWait ??= clock.after(patienceMs, () => this.#open())
      }
    }
  }

  #open(): void {
    this.pause()
    const { clock, random, url, openSocket, openThin, onChannel, media } = this.#options
    const loading = Symbol()
    this.#loading = loading
    const events = {
      onShown: (shown: ThinPicture | undefined) => {
        this.#waiting.set(undefined)
        this.#show(shown)
      },
      // Where WebRTC goes on trying, that is what one waits for.
      onWaiting: (waiting: Waiting) => media.isOff && this.#waiting.set(waiting),
      onRoundTrip: (ms: number | undefined) => {
        this.#thinRoundTripMs = ms
        this.#tell()
      },
      onChannel,
      onSoundBlocked: () => this.soundBlocked.emit(),
    }
    const isStill = () => this.#loading === loading
    openThin({ clock, random, url, openSocket, wish: this.#wish, events }).then(
      (thin) => {
        if (isStill()) {
          this.#loading = undefined
          this.#thin = thin
          thin.wish = this.#wish
        } else {
          thin.close()
        }
      },
      () => {
        if (isStill()) {
          this.#loading = undefined
          this.#cancelWait = clock.after(reloadMs, () => this.#open())
        }
      },
    )
  }

  #closeThin(): void {
    const thin = this.#thin
    this.#thin = undefined
    this.#loading = undefined
    thin?.close()
    this.#waiting.set(undefined)
    this.#show(undefined)
  }

  #show(shown: ThinPicture | undefined): void {
    this.#shown.set(shown)
    this.#tell()
  }

  #tell(): void {
    const { media } = this.#options
    const shown = this.#shown.value
    this.#path.set(shown ? (shown.picture === 'jpeg' ? 'jpeg' : 'websocket') : media.path.value)
    this.#roundTripMs.set(shown ? this.#thinRoundTripMs : media.roundTripMs.value)
  }
}
