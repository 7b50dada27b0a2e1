import { Listeners, type Log, messageOf, NekoError, newPeerId, type PeerId, SerialQueue } from '@neko-edge/kit'
import { incomingOf, parseAnswer, type RemoteSection } from '@neko-edge/sdp'
import type { DtlsParameters, WebRtcTransport } from 'mediasoup/types'
import { PeerIncoming } from './incoming-media.ts'
import { AUDIO_MID } from './peer-audio.ts'
import { openParts, type PeerParts, type PeerSetting } from './peer-parts.ts'
import { VIDEO_MID } from './peer-video.ts'
import type {
  AudioRequest,
  AudioState,
  CloseReason,
  Offer,
  Peer,
  PeerEvent,
  PeerOptions,
  PeerState,
  PeerStats,
  VideoRequest,
  VideoState,
} from './sfu.ts'
import { peerStats } from './stats.ts'

/** One viewer on a mediasoup transport. What clients ask is done one thing after the other; an end comes in between whenever it comes. */
export class MediasoupPeer implements Peer {
  readonly id: PeerId = newPeerId()
  readonly kind: 'v3' | 'v2'
  readonly canShare: boolean
  readonly offer: Offer
  readonly #events = new Listeners<PeerEvent>()
  readonly #queue = new SerialQueue()
  readonly #log: Log
  readonly #transport: WebRtcTransport
  readonly #parts: PeerParts
  readonly #incoming: PeerIncoming
  readonly #onClosed: (peer: MediasoupPeer) => void
  #isConnecting = false
  /** False while the newest offer of ours has no answer; `#unanswered` counts those before it, too, which a slow client may still answer. */
  #isStable = false
  #unanswered = 1
  #mustOffer = false
  #isClosed = false

  private constructor(options: PeerOptions, setting: PeerSetting, parts: PeerParts) {
    this.kind = options.kind
    this.canShare = options.canShare
    this.#log = setting.log.child({ peer: this.id })
    this.#transport = parts.transport
    this.#parts = parts
    this.#onClosed = setting.onClosed
    this.#incoming = new PeerIncoming({
      carrier: setting.carrier,
      transport: parts.transport,
      log: this.#log,
      announce: (media) => {
        setting.onMedia(media)
        this.#events.emit({ on: 'media', media })
      },
    })
    this.offer = parts.description.offer()
    parts.life.onConnected.add(() => this.#events.emit({ on: 'connected' }))
    parts.life.onEnd.add((reason) => this.#end(reason))
    parts.channels.onEvent.add((event) => this.#events.emit(event))
    parts.video.onState.add((video) => this.#events.emit({ on: 'video', video }))
    // It fails only when the peer ends meanwhile.
    parts.video.onSpare.add(() => void this.setVideo({}).catch(() => undefined))
  }

  /** Makes everything that does not need the client: encoders start, consumers and channels wait for the connection. */
  static async open(options: PeerOptions, setting: PeerSetting): Promise<MediasoupPeer> {
    const parts = await openParts(options, setting)
    const peer = new MediasoupPeer(options, setting, parts)
    if (parts.transport.closed) {
      peer.#end(setting.carrier.run.worker.died ? 'worker' : 'room')
      throw gone()
    }
    return peer
  }

  get state(): PeerState {
    return this.#parts.life.state
  }

  get video(): VideoState {
    return this.#parts.video.state
  }

  get audio(): AudioState {
    return this.#parts.audio.state
  }

  /** The subchannel of its own, for broadcasts that leave it out. */
  get number(): number {
    return this.#parts.channels.number
  }

  onEvent(listener: (event: PeerEvent) => void): () => void {
    return this.#events.add(listener)
  }

  answer(sdp: string): Promise<void> {
    return this.#run(async () => {
      if (this.#unanswered === 0) {
        throw new NekoError('conflict', 'no offer waits for an answer')
      }
      const { dtls, sections } = parseAnswer(sdp)
      const lines = this.#parts.description.checkAnswer(sections, dtls.role)
      if (!this.#isConnecting) {
        await this.#connect(dtls)
      }
      this.#unanswered -= 1
      this.#isStable = true
      await this.#apply(lines)
      this.#offerWhenStable()
    })
  }

  acceptOffer(sdp: string): Promise<{ readonly sdp: string }> {
    return this.#run(async () => {
      if (!this.#isStable) {
        throw new NekoError('conflict', 'an offer of the server waits for its answer')
      }
      const answer = this.#parts.description.answer(sdp)
      // Before the client hears the answer and sends: packets of a track that the worker does not know are lost.
      await this.#incoming.update(answer.incoming)
      return { sdp: answer.sdp }
    })
  }

  restart(): Promise<Offer> {
    return this.#run(async () => {
      this.#parts.description.restartIce(await this.#transport.restartIce())
      return this.#nextOffer()
    })
  }

  addCandidate(candidate: string): void {
    this.#parts.life.addCandidate(candidate)
  }

  setVideo(request: VideoRequest): Promise<VideoState> {
    return this.#run(async () => {
      if (await this.#parts.video.request(request)) {
        const { consumer } = this.#parts.video
        if (consumer !== undefined) {
          this.#parts.description.setSending('video', consumer)
        }
        this.#mustOffer = true
        this.#offerWhenStable()
      }
      return this.video
    })
  }

  setAudio({ disabled }: AudioRequest): Promise<AudioState> {
    return this.#run(async () => {
      await this.#parts.audio.setDisabled(disabled ?? this.audio.disabled)
      return this.audio
    })
  }

  setPaused(paused: boolean): Promise<void> {
    return this.#run(async () => {
      await Promise.all([this.#parts.video.setPaused(paused), this.#parts.audio.setPaused(paused)])
    })
  }

  send(message: Uint8Array): void {
    this.#parts.channels.send(message)
  }

  async stats(): Promise<PeerStats> {
    const { life, channels, video } = this.#parts
    try {
      return await peerStats({ transport: this.#transport, consumer: video.consumer, life, channels })
    } catch (error) {
      throw this.#translated(error)
    }
  }

  close(): void {
    this.#end('asked')
  }

  /** Ends it for a reason that lies outside it. */
  end(reason: CloseReason): void {
    this.#end(reason)
  }

  async #connect(dtls: { role: 'client' | 'server'; fingerprint: { algorithm: string; value: string } }): Promise<void> {
    const isDtlsClient = dtls.role === 'server'
    await this.#parts.channels.settle(isDtlsClient)
    // The SDP layer has checked that the algorithm is one of those that DTLS knows.
    const parameters = { role: dtls.role, fingerprints: [dtls.fingerprint] } as DtlsParameters
    this.#isConnecting = true
    this.#parts.description.settle(isDtlsClient ? 'active' : 'passive')
    await this.#transport.connect({ dtlsParameters: parameters })
  }

  async #apply(lines: ReadonlyMap<string, RemoteSection>): Promise<void> {
    const { audio, video, description } = this.#parts
    for (const section of lines.values()) {
      if (!section.accepted) {
        description.reject(section)
        this.#log.info({ mid: section.mid, media: section.media }, 'client refuses an m-line')
      }
    }
    audio.answered(lines.get(AUDIO_MID)?.accepted !== false)
    await video.answered(lines.get(VIDEO_MID)?.accepted !== false)
    await this.#incoming.update([...lines.values()].flatMap((section) => incomingOf(section, description.wanted) ?? []))
  }

  #nextOffer(): Offer {
    this.#unanswered = this.#isStable ? 1 : this.#unanswered + 1
    this.#isStable = false
    this.#mustOffer = false
    return this.#parts.description.offer()
  }

  #offerWhenStable(): void {
    if (this.#mustOffer && this.#isStable) {
      this.#events.emit({ on: 'offer', offer: this.#nextOffer() })
    }
  }

  #run<T>(task: () => Promise<T>): Promise<T> {
    return this.#queue.run(async () => {
      if (this.#isClosed) {
        throw gone()
      }
      try {
        return await task()
      } catch (error) {
        throw this.#translated(error)
      }
    })
  }

  #translated(error: unknown): NekoError {
    if (error instanceof NekoError) {
      return error
    }
    return this.#isClosed ? gone(error) : new NekoError('unavailable', `media worker: ${messageOf(error)}`, { cause: error })
  }

  #end(reason: CloseReason): void {
    if (this.#isClosed) {
      return
    }
    this.#isClosed = true
    const { life, video, audio, channels } = this.#parts
    life.close(reason === 'failed' ? 'failed' : 'closed')
    this.#incoming.close()
    channels.close()
    video.close()
    audio.close()
    this.#transport.close()
    this.#onClosed(this)
    this.#log.info({ reason }, 'peer closed')
    this.#events.emit({ on: 'closed', reason })
  }
}

const gone = (cause?: unknown): NekoError => new NekoError('unavailable', 'the peer has closed', { cause })
