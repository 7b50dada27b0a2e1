import { Listeners, type Log, messageOf } from '@neko-edge/kit'
import type { Incoming } from '@neko-edge/sdp'
import type { Consumer, Producer, RtpParameters, WebRtcTransport } from 'mediasoup/types'
import type { Codec } from '../capture/codec.ts'
import type { Carrier } from './carrier.ts'
import type { IncomingMedia } from './sfu.ts'

/** The same for those who may end it. */
export type EndableMedia = IncomingMedia & { end(): void }

/** One track of a client, on its way from the worker to whoever plays it. Packets bear the payload type of the room's codec. */
class IncomingTrack implements EndableMedia {
  readonly kind: 'audio' | 'video'
  readonly codec: Codec
  readonly ssrc: number | undefined
  readonly #producer: Producer
  readonly #consumer: Consumer
  readonly #packets = new Listeners<Buffer>()
  readonly #end = new Listeners<void>()
  #isEnded = false

  constructor(producer: Producer, consumer: Consumer, { codec, ssrc }: { codec: Codec; ssrc: number | undefined }) {
    this.kind = codec.kind
    this.codec = codec
    this.ssrc = ssrc
    this.#producer = producer
    this.#consumer = consumer
    consumer.on('rtp', (packet) => this.#packets.emit(packet))
    consumer.observer.once('close', () => this.end())
  }

  onPacket(listener: (packet: Buffer) => void): () => void {
    return this.#packets.add(listener)
  }

  onEnd(listener: () => void): () => void {
    return this.#end.add(listener)
  }

  requestKeyFrame(): void {
    if (this.kind === 'video' && !this.#isEnded) {
      // Rejects only when the track has gone meanwhile.
      this.#consumer.requestKeyFrame().catch(() => undefined)
    }
  }

  end(): void {
    if (!this.#isEnded) {
      this.#isEnded = true
      this.#consumer.close()
      this.#producer.close()
      this.#end.emit()
    }
  }
}

export interface IncomingOptions {
  readonly carrier: Carrier
  readonly transport: WebRtcTransport
  readonly log: Log
  /** Hears of each new track, before its first packet. */
  readonly announce: (media: EndableMedia) => void
}

/** Microphone and webcam of one client. Its methods are for one caller at a time. */
export class PeerIncoming {
  readonly #options: IncomingOptions
  readonly #tracks = new Map<string, IncomingTrack>()

  constructor(options: IncomingOptions) {
    this.#options = options
  }

  /** Takes what a description says that the client sends: new tracks begin, those that are not in it any more end. */
  async update(incoming: readonly Incoming[]): Promise<void> {
    for (const [mid, track] of this.#tracks) {
      if (!incoming.some((one) => one.mid === mid && one.rtp.encodings[0]?.ssrc === track.ssrc)) {
        this.#tracks.delete(mid)
        track.end()
      }
    }
    for (const one of incoming) {
      if (!this.#tracks.has(one.mid)) {
        await this.#begin(one)
      }
    }
  }

  close(): void {
    for (const track of this.#tracks.values()) {
      track.end()
    }
    this.#tracks.clear()
  }

  async #begin({ kind, mid, rtp }: Incoming): Promise<void> {
    const { carrier, transport, log, announce } = this.#options
    const codec = carrier.codecs.find((one) => one.kind === kind)
    if (codec === undefined) {
      return
    }
    let producer: Producer | undefined
    try {
      // The SDP layer has no closed list of extension names; it passes on those only that the worker knows.
      producer = await transport.produce({ kind, rtpParameters: structuredClone(rtp) as RtpParameters })
      const consumer = await carrier.direct.consume({ producerId: producer.id, rtpCapabilities: carrier.capabilities('raw'), paused: true })
      const track = new IncomingTrack(producer, consumer, { codec, ssrc: rtp.encodings[0]?.ssrc })
      this.#tracks.set(mid, track)
      announce(track)
      await consumer.resume()
    } catch (error) {
      producer?.close()
      // What a client claims to send must not cost it the rest of its connection.
      log.info({ kind, error: messageOf(error) }, 'incoming media refused')
    }
  }
}
