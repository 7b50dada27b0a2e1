import { type Clock, type Log, messageOf, NekoError, randomText } from '@neko-edge/kit'
import {
  decodePiece,
  encodeStreamFrame,
  type FeedSource,
  offsetModulus,
  readAddressed,
  type StreamFormat,
  type StreamFrame,
} from '@neko-edge/protocol'
import { type Bus, feedChannel } from '@neko-edge/store'
import type { NodeClient } from '../session/node-client.ts'

/** How often the node hears that its frames arrive, in milliseconds; and after how many bytes besides. */
const wordMs = 1_000
const wordBytes = 256 * 1024
/** How long until the next try where the node gives nothing, in milliseconds. */
const retryMs = 1_000
/** A node is asked for a key frame at most this often by one plane, in milliseconds: who still needs one asks again. */
const keyFrameMs = 250

/** A whole frame, as it goes to viewers: encoded once for all of them. */
export interface FeedFrame {
  readonly format: StreamFormat
  readonly isKey: boolean
  /** The session that it is not for; `''` where it is for all. */
  readonly except: string
  readonly message: Uint8Array<ArrayBuffer>
}

export interface FeedListener {
  take(frame: FeedFrame): void
  /** The room can not give this, and will not by itself. */
  refused(reason: string): void
}

export interface PlaneFeedOptions {
  readonly source: FeedSource
  readonly node: NodeClient
  readonly bus: Bus
  readonly clock: Clock
  readonly log: Log
}

/** One try to get a source from the node: its channel, and what has come so far. */
interface Run {
  readonly id: string
  readonly stops: (() => void)[]
  parts: Uint8Array[]
  /** Something is missing: what comes is of no use up to the end of its frame, and then up to a key frame. */
  lacks: 'nothing' | 'the rest of a frame' | 'a key frame'
  /** Bytes that the node has sent by now, as far as is known here. */
  bytes: number
  told: number
}

/** One source of the room in this process: got from the node while somebody listens, and got again from the next one where that went away. */
export class PlaneFeed {
  readonly #options: PlaneFeedOptions
  readonly #listeners = new Set<FeedListener>()
  /** What a newcomer is shown at once: the newest picture, and the newest message of each kind of the channel. */
  readonly #recent = new Map<number, FeedFrame>()
  #run: Run | undefined
  #cancelRetry: () => void = () => undefined
  #askedAt = Number.NEGATIVE_INFINITY

  constructor(options: PlaneFeedOptions) {
    this.#options = options
  }

  get isIdle(): boolean {
    return this.#listeners.size === 0
  }

  add(listener: FeedListener): () => void {
    this.#listeners.add(listener)
    if (this.#listeners.size === 1) {
      this.#open()
    }
    for (const frame of this.#recent.values()) {
      listener.take(frame)
    }
    return () => {
      if (this.#listeners.delete(listener) && this.isIdle) {
        this.#end()
      }
    }
  }

  requestKeyFrame(): void {
    const { clock, node } = this.#options
    if (this.#run && clock.now() - this.#askedAt >= keyFrameMs) {
      this.#askedAt = clock.now()
      node.tell('feed.key', { feed: this.#run.id }).catch(() => undefined)
    }
  }

  /** Another run of a capture node has the room. */
  reopen(): void {
    if (!this.isIdle) {
      this.#end()
      this.#open()
    }
  }

  close(): void {
    this.#listeners.clear()
    this.#end()
  }

  #open(): void {
    const { bus } = this.#options
    const run: Run = { id: `${bus.instance}.${randomText(8)}`, stops: [], parts: [], lacks: 'nothing', bytes: 0, told: 0 }
    this.#run = run
    this.#start(run).catch((error: unknown) => this.#failed(run, error))
  }

  async #start(run: Run): Promise<void> {
    const { bus, clock, node, source } = this.#options
    const stop = await bus.hearBytes(feedChannel(run.id), (bytes) => this.#run === run && this.#take(run, bytes))
    if (this.#run !== run) {
      return stop()
    }
    run.stops.push(stop)
    await node.call('feed.open', { feed: run.id, source })
    if (this.#run !== run) {
      return node.tell('feed.close', { feed: run.id })
    }
    run.stops.push(clock.every(wordMs, () => void this.#say(run)))
  }

  #failed(run: Run, error: unknown): void {
    if (this.#run !== run) {
      return
    }
    const { clock, log, source } = this.#options
    log.info({ source: source.is, error: messageOf(error) }, 'feed can not be had')
    this.#end()
    if (error instanceof NekoError && (error.code === 'notFound' || error.code === 'unprocessable')) {
      for (const listener of [...this.#listeners]) {
        listener.refused(error.message)
      }
    }
    this.#cancelRetry = clock.after(retryMs, () => this.reopen())
  }

  #end(): void {
    this.#cancelRetry()
    this.#recent.clear()
    const run = this.#run
    this.#run = undefined
    if (run) {
      run.stops.forEach((stop) => stop())
      this.#options.node.tell('feed.close', { feed: run.id }).catch(() => undefined)
    }
  }

  /** Says what has arrived; where the node does not know the feed any more, it is asked for anew. */
  async #say(run: Run): Promise<void> {
    run.told = run.bytes
    try {
      await this.#options.node.call('feed.seen', { feed: run.id, bytes: run.bytes })
    } catch (error) {
      if (this.#run === run && error instanceof NekoError && error.code === 'notFound') {
        this.reopen()
      }
    }
  }

  #take(run: Run, bytes: Uint8Array): void {
    const decoded = decodePiece(bytes)
    if (!decoded) {
      return
    }
    const { offset, frame: piece } = decoded
    const missing = (offset - (run.bytes % offsetModulus) + offsetModulus) % offsetModulus
    run.bytes += missing + bytes.length
    if (missing > 0) {
      run.parts = []
      run.lacks = 'the rest of a frame'
    }
    if (run.bytes - run.told >= wordBytes) {
      run.told = run.bytes
      this.#options.node.tell('feed.seen', { feed: run.id, bytes: run.bytes }).catch(() => undefined)
    }
    if (this.#isUseful(run, piece)) {
      this.#collect(run, piece)
    }
  }

  #isUseful(run: Run, { isKey, isPartial }: StreamFrame): boolean {
    if (run.lacks === 'the rest of a frame') {
      run.lacks = isPartial ? run.lacks : 'a key frame'
      return false
    }
    if (run.lacks === 'a key frame') {
      if (!isKey) {
        this.requestKeyFrame()
        return false
      }
      run.lacks = 'nothing'
    }
    return true
  }

  #collect(run: Run, piece: StreamFrame): void {
    run.parts.push(piece.data)
    if (piece.isPartial) {
      return
    }
    const data = run.parts.length === 1 ? piece.data : joined(run.parts)
    run.parts = []
    const { except, message } = piece.format === 'channel' ? readAddressed(data) : { except: '', message: data }
    const { format, isKey } = piece
    const frame: FeedFrame = { format, isKey, except, message: encodeStreamFrame({ ...piece, data: message }) }
    if (format === 'jpeg' || format === 'channel') {
      this.#recent.set(message[0] ?? 0, frame)
    }
    for (const listener of this.#listeners) {
      listener.take(frame)
    }
  }
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}
