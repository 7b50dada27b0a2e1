import { type Clock, Listeners, NekoError } from '@neko-edge/kit'
import type { Consumer, WebRtcTransport } from 'mediasoup/types'
import type { Carrier, Picture } from './carrier.ts'
import { Held } from './held.ts'
import { PathEstimate } from './path-estimate.ts'
import type { VideoRequest, VideoState } from './sfu.ts'

/** The m-line of the video, as upstream's offers have it. */
export const VIDEO_MID = '1'

/** How often the worker is told to look again whether the wanted rung can be entered. */
const steerEveryMs = 400
/** How often it is looked whether the estimate, which has no say any more, can be done without. */
const shedEveryMs = 500

export interface VideoOptions {
  readonly carrier: Carrier
  readonly transport: WebRtcTransport
  readonly request: VideoRequest
  /** The stream where the request names none. */
  readonly defaultId: string
  readonly isPaused: boolean
  /** Whether automatic quality is to be had at all. */
  readonly hasEstimator: boolean
  /** Where the estimate begins, in bit/s. */
  readonly initialBitrate: number
  readonly clock: Clock
}

/** Fields of a choice that is a valid one. */
interface Choice {
  readonly id: string
  readonly picture: Picture
  readonly layer: number
}

function choose(carrier: Carrier, id: string): Choice {
  const found = carrier.find(id)
  if (found === undefined) {
    throw new NekoError('notFound', `webrtc stream not found: ${JSON.stringify(id)}`)
  }
  return { id, ...found }
}

/**
 * The video of one viewer: which stream, by its own wish or by the path's estimate, and the encoders that this needs.
 * Its methods are for one caller at a time.
 */
export class PeerVideo {
  /** The state has changed, by request or by the estimate. */
  readonly onState = new Listeners<VideoState>()
  /** An empty request would replace the consumer now, by one without transport-cc. */
  readonly onSpare = new Listeners<void>()
  readonly #estimate: PathEstimate
  readonly #options: VideoOptions
  readonly #held = new Held()
  #choice: Choice
  #disabled: boolean
  #auto: boolean
  #isPaused: boolean
  #consumer: Consumer | undefined
  /** Whether the consumer has transport-cc. */
  #isEstimated = false
  /** False from the moment that a new consumer took the m-line until the client has answered: what arrives sooner, it can not place. */
  #isAnswered = true
  #shown: VideoState
  #cancelSteering: (() => void) | undefined
  #cancelShedding: (() => void) | undefined
  #isClosed = false

  private constructor(options: VideoOptions) {
    const { request, carrier, defaultId, hasEstimator, isPaused } = options
    this.#options = options
    this.#estimate = new PathEstimate(options.transport, options.initialBitrate)
    this.#choice = choose(carrier, request.id ?? defaultId)
    this.#disabled = request.disabled ?? false
    this.#auto = hasEstimator && (request.auto ?? false)
    this.#isPaused = isPaused
    this.#shown = this.state
  }

  /** Starts the encoders that are needed and makes the consumer. Errors: `notFound` for an unknown stream. */
  static async open(options: VideoOptions): Promise<PeerVideo> {
    const self = new PeerVideo(options)
    self.#hold()
    try {
      await self.#consume()
      return self
    } catch (error) {
      self.close()
      throw error
    }
  }

  get consumer(): Consumer | undefined {
    return this.#consumer
  }

  get state(): VideoState {
    return { disabled: this.#disabled, id: this.#auto ? (this.#currentId ?? this.#choice.id) : this.#choice.id, auto: this.#auto }
  }

  /** Applies a request, in upstream's order: disabled, stream, auto. True when another consumer took the m-line: renegotiate. Errors: `notFound`. */
  async request({ disabled, id, auto }: VideoRequest): Promise<boolean> {
    const wasActive = this.#isActive
    this.#disabled = disabled ?? this.#disabled
    try {
      this.#choice = id === undefined ? this.#choice : choose(this.#options.carrier, id)
      this.#auto = this.#options.hasEstimator && (auto ?? this.#auto)
      this.#hold()
      const isReplaced = await this.#fitConsumer()
      return isReplaced
    } finally {
      await this.#fitActivity(wasActive)
      this.#show()
    }
  }

  async setPaused(isPaused: boolean): Promise<void> {
    const wasActive = this.#isActive
    this.#isPaused = isPaused
    this.#hold()
    await this.#fitActivity(wasActive)
  }

  /** The client has answered, and takes or refuses the m-line. */
  async answered(isAccepted: boolean): Promise<void> {
    if (!isAccepted) {
      this.close()
    } else if (!this.#isAnswered) {
      this.#isAnswered = true
      if (this.#isActive) {
        await this.#consumer?.resume()
      }
    }
  }

  close(): void {
    this.#isClosed = true
    this.#steer()
    this.#shed()
    this.#held.set([])
    this.#consumer?.close()
    this.#consumer = undefined
  }

  get #isActive(): boolean {
    return !this.#disabled && !this.#isPaused
  }

  /** The layer of the chosen picture that arrives at the client now. */
  get #currentLayer(): number | undefined {
    return this.#consumer?.producerId === this.#choice.picture.producer.id ? this.#consumer.currentLayers?.spatialLayer : undefined
  }

  get #currentId(): string | undefined {
    const layer = this.#currentLayer
    return layer === undefined ? undefined : this.#choice.picture.layers[layer]?.id
  }

  /** Keeps the encoders running that this viewer may see: the chosen one and, until the switch has happened, the present one; all up to it with automatic quality. */
  #hold(): void {
    const { picture, layer } = this.#choice
    const current = this.#currentLayer
    const isWanted = this.#isActive && !this.#isClosed
    this.#held.set(
      isWanted ? picture.layers.filter((_, index) => index === layer || index === current || (this.#auto && index < layer)) : [],
    )
  }

  async #consume(): Promise<void> {
    const { carrier, transport } = this.#options
    const { picture, layer } = this.#choice
    await this.#fitEstimate()
    this.#isEstimated = this.#needsEstimate || (picture.layers.length > 1 && !(await this.#estimate.isOutOfTheWay()))
    const consumer = await transport.consume({
      producerId: picture.producer.id,
      rtpCapabilities: carrier.capabilities(this.#isEstimated ? 'estimated' : 'plain'),
      mid: VIDEO_MID,
      // Sends nothing before the transport is connected, and then begins with a key frame that the worker asks for by itself.
      paused: !this.#isActive || !this.#isAnswered,
      ...(picture.layers.length > 1 ? { preferredLayers: { spatialLayer: layer } } : {}),
    })
    consumer.on('layerschange', () => {
      this.#hold()
      this.#steer()
      this.#show()
    })
    this.#consumer = consumer
  }

  /** Makes the consumer fit the choice; true when it had to be replaced. */
  async #fitConsumer(): Promise<boolean> {
    const consumer = this.#consumer
    if (consumer === undefined) {
      return false
    }
    const { picture, layer } = this.#choice
    await this.#fitEstimate()
    const isUnfit = this.#needsEstimate ? !this.#isEstimated : this.#isEstimated && (await this.#estimate.isOutOfTheWay())
    if (consumer.producerId !== picture.producer.id || isUnfit) {
      consumer.close()
      this.#isAnswered = false
      await this.#consume()
      this.#shed()
      return true
    }
    if (picture.layers.length > 1) {
      await consumer.setPreferredLayers({ spatialLayer: layer })
      this.#steer()
    }
    this.#shed()
    return false
  }

  #fitEstimate(): Promise<void> {
    return this.#needsEstimate ? this.#estimate.decide() : this.#estimate.stepAside()
  }

  /** While the consumer has a transport-cc that it does not need: the estimate steps aside with the feedback for it. */
  #shed(): void {
    if (this.#isClosed || this.#needsEstimate || !this.#isEstimated) {
      this.#cancelShedding?.()
      this.#cancelShedding = undefined
    } else {
      this.#cancelShedding ??= this.#options.clock.every(shedEveryMs, () => this.#isActive && this.#isAnswered && this.onSpare.emit())
    }
  }

  /** Transport-cc costs half as much again for every packet: only who has a choice, and leaves it to the estimate, is offered it. */
  get #needsEstimate(): boolean {
    return this.#auto && this.#choice.picture.layers.length > 1
  }

  /**
   * Sees to it that a rung that was asked for exactly is entered. It can be as soon as the worker can place the sender reports of its encoder, about a
   * second after that has started; but the worker looks for it only when the wish changes, so the wish is repeated until it has come true.
   */
  #steer(): void {
    const isThere = this.#auto || this.#currentLayer === undefined || this.#currentLayer === this.#choice.layer
    if (this.#isClosed || isThere || this.#choice.picture.layers.length === 1) {
      this.#cancelSteering?.()
      this.#cancelSteering = undefined
    } else {
      this.#cancelSteering ??= this.#options.clock.every(steerEveryMs, () => this.#repeatWish())
    }
  }

  #repeatWish(): void {
    const current = this.#currentLayer
    const consumer = this.#consumer
    if (consumer !== undefined && current !== undefined && this.#isActive) {
      // Sent in one breath, so that nothing comes in between; they fail only when the peer ends meanwhile.
      for (const spatialLayer of [current, this.#choice.layer]) {
        consumer.setPreferredLayers({ spatialLayer }).catch(() => undefined)
      }
    }
    this.#steer()
  }

  async #fitActivity(wasActive: boolean): Promise<void> {
    const consumer = this.#consumer
    if (consumer === undefined || consumer.closed || wasActive === this.#isActive || !this.#isAnswered) {
      return
    }
    this.#hold()
    await (this.#isActive ? consumer.resume() : consumer.pause())
  }

  #show(): void {
    const state = this.state
    const shown = this.#shown
    if (!this.#isClosed && (state.id !== shown.id || state.disabled !== shown.disabled || state.auto !== shown.auto)) {
      this.#shown = state
      this.onState.emit(state)
    }
  }
}
