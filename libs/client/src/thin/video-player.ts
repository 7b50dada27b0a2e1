import type { StreamFormat, StreamFrame } from '@neko-edge/protocol/stream'
import type { Surface } from './surface.ts'

export interface VideoPlayerOptions {
  surface: Surface
  /** The next frames are of no use up to a key frame: ask for one. */
  onLost: () => void
  /** This browser does not decode what the room sends. */
  onBroken: (reason: string) => void
}

/** Frames that may wait for the decoder: more, and this machine does not keep up. */
const maxQueue = 8
/** Failures without a picture in between after which the decoder is given up. */
const maxFailures = 3

/** Decodes the room's video by WebCodecs, and shows each picture as it comes. */
export class VideoPlayer {
  readonly #options: VideoPlayerOptions
  #decoder: VideoDecoder | undefined
  #codec = ''
  #needsKey = true
  #failures = 0
  #frames = 0
  framesDropped = 0

  constructor(options: VideoPlayerOptions) {
    this.#options = options
  }

  take({ format, isKey, data }: StreamFrame): void {
    if (this.#decoder && this.#decoder.decodeQueueSize > maxQueue) {
      this.#lose()
    }
    if (this.#needsKey && !isKey) {
      this.framesDropped += 1
      return
    }
    if (isKey) {
      this.#configure(format, data)
    }
    this.#needsKey = false
    this.#frames += 1
    // Only their order counts: each is shown as soon as it is decoded.
    this.#decoder?.decode(new EncodedVideoChunk({ type: isKey ? 'key' : 'delta', timestamp: this.#frames * 40_000, data }))
  }

  close(): void {
    if (this.#decoder && this.#decoder.state !== 'closed') {
      this.#decoder.close()
    }
    this.#decoder = undefined
  }

  #configure(format: StreamFormat, key: Uint8Array): void {
    const codec = codecOf(format, key)
    if (this.#decoder && codec === this.#codec) {
      return
    }
    this.close()
    this.#codec = codec
    const { surface } = this.#options
    const decoder = new VideoDecoder({
      output: (frame) => {
        this.#failures = 0
        surface.draw(frame, { width: frame.displayWidth, height: frame.displayHeight })
        frame.close()
      },
      error: (error) => this.#decoder === decoder && this.#failed(error.message),
    })
    this.#decoder = decoder
    decoder.configure({ codec, optimizeForLatency: true })
  }

  #failed(reason: string): void {
    this.#decoder = undefined
    this.#failures += 1
    if (this.#failures >= maxFailures) {
      this.#options.onBroken(reason)
    } else {
      this.#lose()
    }
  }

  #lose(): void {
    if (!this.#needsKey) {
      this.#needsKey = true
      this.#options.onLost()
    }
  }
}

/** With a level that any screen fits in: decoders look at the stream. */
const names: Partial<Record<StreamFormat, string>> = { vp9: 'vp09.00.51.08', av1: 'av01.0.13M.08' }

/** The name of a codec as WebCodecs wants it; that of H.264 has profile and level from its sequence parameters. */
function codecOf(format: StreamFormat, key: Uint8Array): string {
  if (format !== 'h264') {
    return names[format] ?? format
  }
  for (let at = 0; at + 6 < key.length; at++) {
    if (key[at] === 0 && key[at + 1] === 0 && key[at + 2] === 1 && ((key[at + 3] ?? 0) & 0x1f) === 7) {
      return `avc1.${[...key.subarray(at + 4, at + 7)].map((byte) => byte.toString(16).padStart(2, '0')).join('')}`
    }
  }
  return 'avc1.42e01f'
}
