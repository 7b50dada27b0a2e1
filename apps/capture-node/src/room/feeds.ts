import { type Clock, type Log, messageOf, NekoError } from '@neko-edge/kit'
import { addressed, chunkBytes, encodePiece, type FeedSource, type NodeArgs, pieceHead, type StreamFormat } from '@neko-edge/protocol'
import { type Bus, feedChannel } from '@neko-edge/store'
import { frameReader, streamFormatOf } from '../capture/frame-reader.ts'
import type { RoomCapture } from '../capture/room-capture.ts'
import type { RtpSource } from '../capture/rtp-source.ts'
import { KeyFrameGate } from '../sfu/key-frame-gate.ts'

/** Bytes on their way to a control plane that it has not said to have seen. More are not sent: Redis would have to hold them. */
const windowBytes = 2 * 1024 * 1024
/** A feed ends when so many looks in a row, one a second, found no word of whoever gets it. */
const lookMs = 1_000
const patience = 5

export interface FeedsOptions {
  readonly capture: Pick<RoomCapture, 'videos' | 'audio'> & { readonly screencast: Pick<RoomCapture['screencast'], 'watch'> }
  readonly bus: Pick<Bus, 'sendBytes'>
  /** What a new viewer of the data channel is told first. */
  readonly greet: (send: (message: Uint8Array) => void) => void
  /** How many watch over WebRTC. */
  readonly audience: () => number
  readonly clock: Clock
  readonly log: Log
}

/** The room's pictures and sound for control planes, which hand them on to viewers of the thin line: one copy for each plane, whatever its audience. */
export class Feeds {
  readonly #options: FeedsOptions
  readonly #feeds = new Map<string, Feed>()
  readonly #gate: KeyFrameGate
  readonly #stop: () => void

  constructor(options: FeedsOptions) {
    this.#options = options
    this.#gate = new KeyFrameGate(options.clock, options.audience)
    this.#stop = options.clock.every(lookMs, () => this.#look())
  }

  /** Fails with `notFound` for a video that there is not, `unprocessable` for a codec that has no place on the thin line. */
  open({ feed: id, source }: NodeArgs<'feed.open'>): void {
    this.#feeds.get(id)?.close()
    const { format, start } = this.#source(source)
    const feed = new Feed(format, { send: (bytes) => this.#options.bus.sendBytes(feedChannel(id), bytes), log: this.#options.log })
    this.#feeds.set(id, feed)
    feed.start(start)
    this.#options.log.info({ feed: id, source: source.is, format }, 'feed begins')
  }

  seen({ feed, bytes }: NodeArgs<'feed.seen'>): void {
    this.#find(feed).seen(bytes)
  }

  requestKeyFrame({ feed }: NodeArgs<'feed.key'>): void {
    this.#find(feed).requestKeyFrame()
  }

  close({ feed }: NodeArgs<'feed.close'>): void {
    this.#feeds.get(feed)?.close()
    this.#feeds.delete(feed)
  }

  /** A message for everybody's data channel but that of `except`. */
  tellChannel(message: Uint8Array, except: string): void {
    for (const feed of this.#feeds.values()) {
      if (feed.format === 'channel') {
        feed.push({ isKey: true, time: 0, data: addressed(except, message) })
      }
    }
  }

  [Symbol.dispose](): void {
    this.#stop()
    this.#gate.close()
    for (const feed of this.#feeds.values()) {
      feed.close()
    }
    this.#feeds.clear()
  }

  #find(id: string): Feed {
    const feed = this.#feeds.get(id)
    if (!feed) {
      throw new NekoError('notFound', 'that feed has ended')
    }
    return feed
  }

  #look(): void {
    for (const [id, feed] of this.#feeds) {
      if (feed.isForgotten()) {
        this.#options.log.info({ feed: id }, 'feed ends, nobody says that it arrives')
        this.close({ feed: id })
      }
    }
  }

  #source(source: FeedSource): { format: StreamFormat; start: Start } {
    const { capture, greet } = this.#options
    switch (source.is) {
      case 'video': {
        const video = source.id === '' ? [...capture.videos.values()][0] : capture.videos.get(source.id)
        if (!video) {
          throw new NekoError('notFound', `there is no video ${JSON.stringify(source.id)}`)
        }
        return this.#encoded(video)
      }
      case 'sound':
        return this.#encoded(capture.audio)
      case 'jpeg': {
        let time = 0
        const start: Start = (push) => ({ stop: capture.screencast.watch((data) => push({ isKey: true, time: time++, data })) })
        return { format: 'jpeg', start }
      }
      case 'channel':
        return {
          format: 'channel',
          start: (push) => {
            greet((message) => push({ isKey: true, time: 0, data: addressed('', message) }))
            return { stop: () => undefined }
          },
        }
      default:
        return source satisfies never
    }
  }

  #encoded(source: RtpSource): { format: StreamFormat; start: Start } {
    const format = streamFormatOf(source.codec)
    if (format === undefined) {
      throw new NekoError('unprocessable', `${source.codec.name} can not be sent over the thin line`)
    }
    const start: Start = (push) => {
      const read = frameReader(source.codec)
      const release = source.retain()
      const unlisten = source.onPackets((packets) => {
        for (const packet of packets) {
          const frame = read(packet)
          if (frame) {
            push(frame)
          }
        }
      })
      const stop = () => {
        unlisten()
        release()
      }
      // An encoder that runs already is in the middle of something.
      const requestKeyFrame = () => this.#gate.request(source)
      requestKeyFrame()
      return { stop, requestKeyFrame }
    }
    return { format, start }
  }
}

interface Frame {
  readonly isKey: boolean
  readonly time: number
  readonly data: Uint8Array
}

/** Begins to push what a source gives. */
type Start = (push: (frame: Frame) => void) => { readonly stop: () => void; readonly requestKeyFrame?: () => void }

/** One source on its way to one control plane. Whole frames are left out, up to the next key frame, where the plane does not keep up. */
class Feed {
  readonly format: StreamFormat
  readonly #send: (bytes: Uint8Array) => Promise<void>
  readonly #log: Log
  #running: ReturnType<Start> | undefined
  #sent = 0
  #seen = 0
  #needsKey = true
  #silentLooks = 0

  constructor(format: StreamFormat, { send, log }: { send: (bytes: Uint8Array) => Promise<void>; log: Log }) {
    this.format = format
    this.#send = send
    this.#log = log
  }

  start(start: Start): void {
    this.#running = start((frame) => this.push(frame))
  }

  close(): void {
    this.#running?.stop()
    this.#running = undefined
  }

  seen(bytes: number): void {
    const wasFull = this.#isFull
    this.#silentLooks = 0
    this.#seen = Math.min(this.#sent, Math.max(this.#seen, bytes))
    if (wasFull && !this.#isFull) {
      this.requestKeyFrame()
    }
  }

  requestKeyFrame(): void {
    this.#running?.requestKeyFrame?.()
  }

  /** Whether nothing was heard for too many looks; each call is one. */
  isForgotten(): boolean {
    this.#silentLooks += 1
    return this.#silentLooks > patience
  }

  push({ isKey, time, data }: Frame): void {
    if (this.#isFull) {
      this.#needsKey = true
      return
    }
    if (this.#needsKey && !isKey) {
      return
    }
    this.#needsKey = false
    const room = chunkBytes - pieceHead
    for (let at = 0; at === 0 || at < data.length; at += room) {
      const piece = data.subarray(at, at + room)
      this.#sendPiece(encodePiece(this.#sent, { format: this.format, isKey, isPartial: at + room < data.length, time, data: piece }))
    }
  }

  get #isFull(): boolean {
    return this.#sent - this.#seen > windowBytes
  }

  #sendPiece(bytes: Uint8Array): void {
    this.#sent += bytes.length
    this.#send(bytes).catch((error: unknown) => {
      // A frame that misses a piece is never shown, and the next ones need it.
      this.#needsKey = true
      this.#log.debug({ error: messageOf(error) }, 'feed piece lost')
    })
  }
}
