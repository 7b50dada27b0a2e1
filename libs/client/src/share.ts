import { NekoError } from '@neko-edge/kit'
import { Cell, type Watchable } from './cell.ts'

/** What somebody can bring into the room: a microphone or a camera. */
export type ShareKind = 'audio' | 'video'

/** What sharing needs of its client. */
export interface ShareOptions {
  /** Asks the person for the device. */
  openDevice: (kind: ShareKind) => Promise<MediaStreamTrack>
  /** What the room would take of oneself. */
  takes: Watchable<ReadonlySet<ShareKind>>
  /** Sends a track to the room, or nothing any more of its kind. Without a connection it does nothing: `again` follows. */
  publish: (kind: ShareKind, track: MediaStreamTrack | undefined) => void
}

/**
 * One's own microphone and camera in the desktop. The room has one of each: whoever comes later ends those before (which the server tells
 * nobody). What is on stays on over a new connection.
 */
export class Share {
  readonly #options: ShareOptions
  readonly #tracks = new Map<ShareKind, MediaStreamTrack>()
  readonly #on = new Cell<ReadonlySet<ShareKind>>(new Set())
  /** Counts what was wished, so that a device that comes after it was switched off again is closed. */
  readonly #wishes = { audio: 0, video: 0 }

  constructor(options: ShareOptions) {
    this.#options = options
  }

  /** What the room would take: neither without the right to it, nor what is switched off in its configuration. */
  get allowed(): Watchable<ReadonlySet<ShareKind>> {
    return this.#options.takes
  }

  /** What is on. */
  get on(): Watchable<ReadonlySet<ShareKind>> {
    return this.#on
  }

  /**
   * Turns a device on. Errors: `forbidden` where the person or the browser refuses (a page without TLS has no devices at all), `notFound` where
   * there is no such device.
   */
  async start(kind: ShareKind): Promise<void> {
    this.#wishes[kind] += 1
    const wish = this.#wishes[kind]
    const track = await this.#options.openDevice(kind).catch((error: unknown) => {
      throw deviceError(error)
    })
    if (wish !== this.#wishes[kind] || this.#tracks.has(kind)) {
      track.stop()
      return
    }
    // Unplugged, or ended from the browser's own bar.
    track.addEventListener('ended', () => this.stop(kind), { once: true })
    this.#tracks.set(kind, track)
    this.#told()
    this.#options.publish(kind, track)
  }

  /** Turns a device off. */
  stop(kind: ShareKind): void {
    this.#wishes[kind] += 1
    const track = this.#tracks.get(kind)
    if (track) {
      this.#tracks.delete(kind)
      track.stop()
      this.#told()
      this.#options.publish(kind, undefined)
    }
  }

  /** A new connection knows nothing of what is on. */
  again(): void {
    for (const [kind, track] of this.#tracks) {
      this.#options.publish(kind, track)
    }
  }

  /** Turns everything off. */
  close(): void {
    this.stop('audio')
    this.stop('video')
  }

  #told(): void {
    this.#on.set(new Set(this.#tracks.keys()))
  }
}

function deviceError(error: unknown): NekoError {
  const isMissing = error instanceof DOMException && (error.name === 'NotFoundError' || error.name === 'OverconstrainedError')
  return new NekoError(isMissing ? 'notFound' : 'forbidden', isMissing ? 'there is no such device' : 'the browser refuses the device', {
    cause: error,
  })
}

/** The browser's microphone, made clear of what the desktop plays, or its camera. */
export async function openBrowserDevice(kind: ShareKind): Promise<MediaStreamTrack> {
  const wanted = kind === 'audio' ? { audio: { echoCancellation: true, noiseSuppression: true } } : { video: { width: 1280, height: 720 } }
  const stream = await navigator.mediaDevices.getUserMedia(wanted)
  const [track] = stream.getTracks()
  if (!track) {
    throw new DOMException('no track', 'NotFoundError')
  }
  return track
}
