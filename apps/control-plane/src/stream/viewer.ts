import { type Clock, type Log, messageOf, type SessionId } from '@neko-edge/kit'
import { encodeChannel, encodeStreamFrame, type FeedSource, type StreamRefusal, type StreamWord } from '@neko-edge/protocol'
import { watchSession } from '@neko-edge/store'
import type { Hub } from '../session/hub.ts'
import type { SocketPort } from '../session/socket.ts'
import type { FeedFrame, PlaneFeed } from './feed.ts'

/** A picture that takes longer than this to arrive means that the line does not keep up, in milliseconds. */
const lateMs = 1_000
/** So many bytes may wait in this process before pictures are left out, and before sound and pointer are. */
const slowBytes = 512 * 1024
const stuckBytes = 1024 * 1024
/** Late so often within that time, in milliseconds, and a lesser picture is worth more than the best one now and then. */
const maxLate = 3
const lateWindowMs = 15_000
/** Still pictures that may be under way. */
const stillsUnderWay = 2
/** So many looks in a row, one every five seconds, without a word of the viewer, and the line is taken for dead. */
const patience = 3

type Wish = Extract<StreamWord, { is: 'wish' }>

export interface StreamViewerOptions {
  /** Unique over all processes. */
  readonly key: string
  readonly session: SessionId
  readonly port: SocketPort
  readonly hub: Hub
  readonly feed: (source: FeedSource) => PlaneFeed
  readonly clock: Clock
  readonly log: Log
  readonly onEnd: () => void
}

/** One viewer on the thin line. It gets what its line takes: what is late is left out up to the next key frame, and nobody waits for anybody. */
export class StreamViewer {
  readonly key: string
  readonly session: SessionId
  readonly #options: StreamViewerOptions
  /** What ends the picture, and what ends the sound. */
  #stops: (() => void)[] = []
  #stopSound: () => void = () => undefined
  #wish: Wish = { is: 'wish', picture: 'none', sound: false }
  #video: PlaneFeed | undefined
  #needsKey = true
  /** When its line was found late. */
  #late: number[] = []
  /** How many steps below the best the picture is, where it was left to us. */
  #stepsDown = 0
  #still: FeedFrame | undefined
  /** When each picture that is under way was sent. */
  #underWay: number[] = []
  #pictures = 0
  #record: 'never' | 'under-way' | 'done' = 'never'
  #isClosed = false
  #silentLooks = 0

  constructor(options: StreamViewerOptions) {
    this.key = options.key
    this.session = options.session
    this.#options = options
  }

  /** What it watches now. */
  get picture(): Wish['picture'] {
    return this.#wish.picture
  }

  hear(word: StreamWord): void {
    this.#silentLooks = 0
    const { clock, hub } = this.#options
    switch (word.is) {
      case 'wish':
        return this.#choose(word)
      case 'seen':
        return this.#seen(word.pictures)
      case 'key':
        this.#needsKey = true
        return this.#video?.requestKeyFrame()
      case 'ping': {
        const data = encodeChannel({ is: 'pong', clientTime: word.time, serverTime: clock.now() })
        return this.#options.port.send(encodeStreamFrame({ format: 'channel', isKey: true, isPartial: false, time: 0, data }))
      }
      case 'move':
        hub.node.tell('pointer', { session: this.session, x: word.x, y: word.y }).catch(() => undefined)
        return
      default:
        return word satisfies never
    }
  }

  /** Whether it was silent for too long; each call is a look. */
  isGone(): boolean {
    this.#silentLooks += 1
    return this.#silentLooks > patience
  }

  /** Whether the room names another socket of this session, and not because that was there before. */
  isReplacedBy(stream: string | undefined): boolean {
    return this.#record === 'done' && stream !== undefined && stream !== this.key
  }

  /** Ends it, and the socket: `code` and `reason` as a close frame has them. */
  close(code: number, reason: string): void {
    if (this.#isClosed) {
      return
    }
    this.#isClosed = true
    this.#stopPicture()
    this.#stopSound()
    this.#options.port.close(code, reason)
    this.#options.onEnd()
    if (this.#record !== 'never') {
      void this.#tell(false)
    }
  }

  /** Only what is wished for otherwise than before begins anew. */
  #choose(wish: Wish): void {
    const before = this.#wish
    this.#wish = wish
    if (wish.picture !== before.picture || wish.id !== before.id) {
      this.#stepsDown = 0
      this.#late = []
      this.#stopPicture()
      this.#startPicture(wish)
    }
    if (wish.sound !== before.sound) {
      this.#stopSound()
      this.#stopSound = wish.sound
        ? this.#listen({ is: 'sound' }, { take: (frame) => this.#isAllowed && this.#takeWhatFits(frame), what: 'sound' })
        : () => undefined
    }
  }

  #startPicture({ picture, id }: Wish): void {
    if (picture === 'video') {
      const { feed } = this.#options
      const source: FeedSource = { is: 'video', id: id ?? this.#videos[this.#stepsDown] ?? '' }
      this.#needsKey = true
      this.#stops = [
        this.#listen({ is: 'channel' }, { take: (frame) => frame.except !== this.session && this.#takeWhatFits(frame) }),
        this.#listen(source, { take: (frame) => this.#takeVideo(frame), what: 'video' }),
      ]
      this.#video = feed(source)
      // Whoever joins a running picture would wait for its next key frame.
      this.#video.requestKeyFrame()
    } else if (picture === 'jpeg') {
      this.#stops = [this.#listen({ is: 'jpeg' }, { take: (frame) => this.#takeStill(frame), what: 'jpeg' })]
    }
  }

  #listen(source: FeedSource, { take, what }: { take: (frame: FeedFrame) => void; what?: StreamRefusal['what'] }): () => void {
    return this.#options.feed(source).add({ take, refused: (reason) => what && this.#refuse(what, reason) })
  }

  #stopPicture(): void {
    this.#stops.forEach((stop) => stop())
    this.#stops = []
    this.#video = undefined
    this.#still = undefined
  }

  #refuse(what: StreamRefusal['what'], reason: string): void {
    const word: StreamRefusal = { is: 'refused', what, reason }
    this.#options.port.send(JSON.stringify(word))
  }

  #seen(pictures: number): void {
    // What was sent and is not seen is under way.
    const left = Math.max(0, this.#pictures - pictures)
    this.#underWay.splice(0, this.#underWay.length - Math.min(left, this.#underWay.length))
    if (this.#still && this.#underWay.length < stillsUnderWay) {
      this.#takeStill(this.#still)
    }
  }

  #takeVideo(frame: FeedFrame): void {
    const { port, clock } = this.#options
    const oldest = this.#underWay[0]
    const isLate = port.buffered() > slowBytes || (oldest !== undefined && clock.now() - oldest > lateMs)
    if (isLate && !this.#needsKey && this.#isTooMuch()) {
      this.#count(frame, 'dropped')
      this.#stepDown()
      return
    }
    if (isLate || !this.#isAllowed) {
      this.#needsKey = true
    }
    if (this.#needsKey && (isLate || !frame.isKey || !this.#isAllowed)) {
      this.#count(frame, 'dropped')
      if (!isLate && this.#isAllowed) {
        this.#video?.requestKeyFrame()
      }
      return
    }
    this.#needsKey = false
    this.#sendPicture(frame)
  }

  /** The room's videos, best first. */
  get #videos(): readonly string[] {
    return this.#options.hub.room.view.node?.facts?.videos ?? []
  }

  /** Notes that the line is late again, and says whether there is a lesser picture to turn to. */
  #isTooMuch(): boolean {
    const now = this.#options.clock.now()
    this.#late = [...this.#late.filter((at) => now - at < lateWindowMs), now]
    return this.#late.length >= maxLate && this.#wish.id === undefined && this.#stepsDown + 1 < this.#videos.length
  }

  #stepDown(): void {
    this.#stepsDown += 1
    this.#late = []
    this.#stopPicture()
    this.#startPicture(this.#wish)
  }

  /** Only the newest waits for its turn. */
  #takeStill(frame: FeedFrame): void {
    if (!this.#isAllowed) {
      return
    }
    if (this.#underWay.length >= stillsUnderWay) {
      if (this.#still) {
        this.#count(this.#still, 'dropped')
      }
      this.#still = frame
      return
    }
    this.#still = undefined
    this.#sendPicture(frame)
  }

  /** Sound and pointer, which are small. */
  #takeWhatFits(frame: FeedFrame): void {
    const isStuck = this.#options.port.buffered() >= stuckBytes
    this.#count(frame, isStuck ? 'dropped' : 'sent')
    if (!isStuck) {
      this.#options.port.send(frame.message)
    }
  }

  #sendPicture(frame: FeedFrame): void {
    const { port, clock, hub } = this.#options
    this.#underWay.push(clock.now())
    this.#pictures += 1
    port.send(frame.message)
    this.#count(frame, 'sent')
    if (this.#record !== 'under-way' && hub.room.view.session(this.session)?.state.stream !== this.key) {
      void this.#tell(true)
    }
  }

  /** Private mode keeps picture and sound from users. */
  get #isAllowed(): boolean {
    const { view } = this.#options.hub.room
    const session = view.session(this.session)
    return session !== undefined && !view.isShutOut(session.profile)
  }

  /** Tells the room that this session watches, or does not any more. A new run of the capture node forgets it: then it is told again. */
  async #tell(isWatching: boolean): Promise<void> {
    const { hub, log } = this.#options
    this.#record = 'under-way'
    try {
      await hub.room.run(watchSession, [this.session, this.key, isWatching ? '1' : '0', 'stream'])
      this.#record = 'done'
    } catch (error) {
      log.warn({ session: this.session, error: messageOf(error) }, 'viewer could not be recorded')
      this.#record = 'never'
    }
  }

  #count({ format, message }: FeedFrame, outcome: 'sent' | 'dropped'): void {
    const { counters } = this.#options.hub
    counters.streamFrames.inc({ format, outcome })
    if (outcome === 'sent') {
      counters.streamBytes.inc(message.length)
    }
  }
}
