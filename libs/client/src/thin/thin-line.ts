import { Backoff, type Clock } from '@neko-edge/kit'
import { type ChannelOutput, decodeOutput } from '@neko-edge/protocol/channel'
import { decodeStreamFrame, type StreamFrame, type StreamRefusal, type StreamWord } from '@neko-edge/protocol/stream'
import type { SocketLike } from '../link.ts'
import type { Statistics } from '../stats.ts'
import { SoundPlayer } from './sound-player.ts'
import { StillPlayer } from './still-player.ts'
import { Surface } from './surface.ts'
import { VideoPlayer } from './video-player.ts'

const pingMs = 2_000
/** How long still pictures stay in a browser that decodes video, in milliseconds; twice as long after each time that they had to help out. */
const stillMs = 60_000
const mostDoublings = 5
/** Pings without an answer after which the socket counts as dead. */
const lostPings = 3

/** What somebody wants to see and hear. */
export interface ThinWish {
  /** One of the room's videos; without it the best. */
  readonly video: string | undefined
  readonly isPictureOff: boolean
  /** The person has stopped it: the last picture stays, in silence. */
  readonly isHeld: boolean
  /** 0 to 1; 0 is silent, and nothing is sent that nobody hears. */
  readonly volume: number
}

export interface ThinEvents {
  /** A picture is shown, or none any more: `canvas` has it. */
  onShown: (shown: { picture: 'video' | 'jpeg'; canvas: HTMLCanvasElement } | undefined) => void
  /** It was lost or could not be had, and is tried again then. */
  onWaiting: (waiting: { attempt: number; retryAt: number }) => void
  onChannel: (message: ChannelOutput) => void
  onRoundTrip: (ms: number | undefined) => void
  /** The browser lets nothing sound before a click. */
  onSoundBlocked: () => void
}

export interface ThinOptions {
  clock: Clock
  /** 0 ≤ x < 1: spreads the return of many viewers. */
  random: () => number
  url: () => string
  openSocket: (url: string) => SocketLike
  wish: ThinWish
  events: ThinEvents
}

/** The thin line as the rest of the client knows it. */
export interface ThinLike {
  wish: ThinWish
  /** Shows others where one points without the controls; gives false while it is not open. */
  point(at: { x: number; y: number }): boolean
  statistics(): Statistics
  close(): void
}

/**
 * Pictures and sound over a WebSocket: decoded by WebCodecs where the browser has it, JPEG pictures where it has not. Opened again with
 * back-off until it is closed.
 */
export class ThinLine implements ThinLike {
  readonly #options: ThinOptions
  readonly #backoff = new Backoff({ firstMs: 250, maxMs: 8_000 })
  readonly #surface: Surface
  readonly #counts = { videoBytes: 0, audioBytes: 0, pictures: 0 }
  #wish: ThinWish
  #socket: SocketLike | undefined
  #isOpen = false
  #openedAt: number | undefined
  #picture: 'video' | 'jpeg' = 'VideoDecoder' in globalThis ? 'video' : 'jpeg'
  /** How often video failed. */
  #failures = 0
  #cancelStills: () => void = () => {}
  #format = ''
  #video: VideoPlayer | undefined
  #stills: StillPlayer | undefined
  #sound: SoundPlayer | undefined
  #shown: 'video' | 'jpeg' | undefined
  /** Pictures of this socket that have arrived. */
  #seen = 0
  #unanswered = 0
  #roundTripMs: number | undefined
  #framesPerSecond = { at: 0, pictures: 0, rate: 0 }
  #cancelTimer: () => void = () => {}

  /** Pictures are drawn on `canvas`. */
  constructor(options: ThinOptions, canvas: HTMLCanvasElement) {
    this.#options = options
    this.#wish = options.wish
    this.#surface = new Surface(canvas, () => this.#show())
    this.#connect()
  }

  set wish(wish: ThinWish) {
    const before = JSON.stringify(this.#wordOf(this.#wish))
    this.#wish = wish
    if (this.#sound) {
      this.#sound.volume = wish.isHeld ? 0 : wish.volume
    }
    if (JSON.stringify(this.#wordOf(wish)) !== before) {
      this.#sayWish()
    }
  }

  point({ x, y }: { x: number; y: number }): boolean {
    return this.#say({ is: 'move', x, y })
  }

  statistics(): Statistics {
    const { videoBytes, audioBytes, pictures } = this.#counts
    const at = this.#options.clock.now()
    const seconds = (at - this.#framesPerSecond.at) / 1000
    if (seconds >= 0.5) {
      const rate = (this.#surface.pictures - this.#framesPerSecond.pictures) / seconds
      this.#framesPerSecond = { at, pictures: this.#surface.pictures, rate }
    }
    return {
      at,
      width: this.#surface.canvas.width,
      height: this.#surface.canvas.height,
      framesDecoded: this.#surface.pictures,
      framesDropped: this.#video?.framesDropped ?? 0,
      framesPerSecond: this.#framesPerSecond.rate,
      videoBytes,
      audioBytes,
      packetsReceived: pictures,
      packetsLost: 0,
      bufferMs: 0,
      roundTripMs: this.#roundTripMs,
      codec: this.#format.toUpperCase(),
      path: 'websocket',
    }
  }

  close(): void {
    this.#end(1000)
    this.#cancelStills()
    this.#sound?.close()
    this.#sound = undefined
  }

  #connect(): void {
    const { clock, openSocket, url } = this.#options
    this.#openedAt = undefined
    const socket = openSocket(url())
    this.#socket = socket
    socket.binaryType = 'arraybuffer'
    socket.onopen = () => {
      this.#isOpen = true
      this.#openedAt = clock.now()
      this.#sayWish()
      this.#ping()
    }
    socket.onmessage = ({ data }) => this.#heard(data)
    socket.onclose = () => this.#lost()
    this.#unanswered = 0
    this.#seen = 0
    this.#cancelTimer = clock.every(pingMs, () => this.#ping())
  }

  #ping(): void {
    this.#unanswered += 1
    if (this.#unanswered > lostPings) {
      this.#lost()
    } else {
      this.#say({ is: 'ping', time: this.#options.clock.now() })
    }
  }

  #lost(): void {
    const { clock, events, random } = this.#options
    this.#end()
    if (this.#shown) {
      this.#shown = undefined
      events.onShown(undefined)
    }
    const livedMs = this.#openedAt === undefined ? 0 : clock.now() - this.#openedAt
    const delayMs = this.#backoff.next(livedMs) * (1 + random() / 2)
    this.#cancelTimer = clock.after(delayMs, () => this.#connect())
    events.onWaiting({ attempt: this.#backoff.failures, retryAt: clock.now() + delayMs })
  }

  #end(code?: number): void {
    this.#cancelTimer()
    this.#isOpen = false
    this.#endPicture()
    this.#roundTripMs = undefined
    this.#options.events.onRoundTrip(undefined)
    const socket = this.#socket
    this.#socket = undefined
    if (socket) {
      socket.onopen = null
      socket.onmessage = null
      socket.onclose = null
      socket.close(code)
    }
  }

  #endPicture(): void {
    this.#video?.close()
    this.#stills?.close()
    this.#video = undefined
    this.#stills = undefined
  }

  #say(word: StreamWord): boolean {
    if (this.#isOpen) {
      this.#socket?.send(JSON.stringify(word))
    }
    return this.#isOpen
  }

  #sayWish(): void {
    if (this.#say(this.#wordOf(this.#wish)) && this.#wish.isPictureOff) {
      // Nothing more will come to be shown.
      this.#show()
    }
  }

  #wordOf({ video, isPictureOff, isHeld, volume }: ThinWish): StreamWord {
    const sound = volume > 0 && !isHeld && 'AudioDecoder' in globalThis
    return { is: 'wish', picture: isPictureOff || isHeld ? 'none' : this.#picture, ...(video !== undefined && { id: video }), sound }
  }

  #heard(data: unknown): void {
    if (typeof data === 'string') {
      this.#refused(data)
      return
    }
    const frame = data instanceof ArrayBuffer ? decodeStreamFrame(new Uint8Array(data)) : undefined
    if (!frame) {
      return
    }
    switch (frame.format) {
      case 'channel':
        return this.#heardChannel(frame)
      case 'vp8':
      case 'vp9':
      case 'h264':
      case 'av1':
        return this.#takeVideo(frame)
      case 'jpeg':
        return this.#takeStill(frame)
      case 'opus':
      case 'pcmu':
      case 'pcma':
        return this.#takeSound(frame)
      default:
        return frame.format satisfies never
    }
  }

  #heardChannel({ data }: StreamFrame): void {
    const message = decodeOutput(data)
    if (message?.is === 'pong') {
      this.#unanswered = 0
      this.#roundTripMs = Math.max(0, this.#options.clock.now() - message.clientTime)
      this.#options.events.onRoundTrip(this.#roundTripMs)
    } else if (message) {
      this.#options.events.onChannel(message)
    }
  }

  #takeVideo(frame: StreamFrame): void {
    this.#count(frame)
    this.#sayShown()
    if (this.#picture !== 'video') {
      return
    }
    this.#video ??= new VideoPlayer({
      surface: this.#surface,
      onLost: () => this.#say({ is: 'key' }),
      onBroken: () => this.#useStills(),
    })
    this.#video.take(frame)
  }

  #takeStill(frame: StreamFrame): void {
    this.#count(frame)
    this.#stills ??= new StillPlayer(this.#surface, () => this.#sayShown())
    // It came in a buffer of its own.
    this.#stills.take(frame.data as Uint8Array<ArrayBuffer>)
  }

  #takeSound(frame: StreamFrame): void {
    this.#counts.audioBytes += frame.data.length
    if (!this.#sound) {
      this.#sound = new SoundPlayer(this.#wish.volume)
      void this.#sound.isAllowed().then((isAllowed) => isAllowed || this.#options.events.onSoundBlocked())
    }
    this.#sound.take(frame)
  }

  #count({ data, format }: StreamFrame): void {
    this.#counts.videoBytes += data.length
    this.#counts.pictures += 1
    this.#format = format
  }

  /** The server counts what is under way: it sends no more than the line takes. */
  #sayShown(): void {
    this.#seen += 1
    this.#say({ is: 'seen', pictures: this.#seen })
  }

  #show(): void {
    if (this.#shown !== this.#picture) {
      this.#shown = this.#picture
      this.#options.events.onShown({ picture: this.#picture, canvas: this.#surface.canvas })
    }
  }

  #refused(text: string): void {
    let word: Partial<StreamRefusal> | null = null
    try {
      word = JSON.parse(text) as Partial<StreamRefusal> | null
    } catch {
      // Nothing that this client knows.
    }
    if (word?.is === 'refused' && word.what === 'video') {
      this.#wish.video === undefined ? this.#useStills() : this.#useBest()
    }
  }

  /** The room has no such video any more. */
  #useBest(): void {
    this.wish = { ...this.#wish, video: undefined }
  }

  #useStills(): void {
    if (this.#picture === 'video') {
      this.#usePicture('jpeg')
      this.#cancelStills = this.#options.clock.after(stillMs * 2 ** Math.min(this.#failures, mostDoublings), () =>
        this.#usePicture('video'),
      )
      this.#failures += 1
    }
  }

  /** The last picture stays until the other kind has one. */
  #usePicture(picture: 'video' | 'jpeg'): void {
    this.#picture = picture
    this.#endPicture()
    this.#sayWish()
  }
}
