import { type Log, messageOf, NekoError } from '@neko-edge/kit'
import type { DataProducer, DirectTransport, Producer, Router, RtpCapabilities } from 'mediasoup/types'
import type { Codec } from '../capture/codec.ts'
import type { RtpSource } from '../capture/rtp-source.ts'
import { capabilitiesFor, type Offered, routerCodec } from './capabilities.ts'
import type { KeyFrameGate } from './key-frame-gate.ts'
import { boundPlayout } from './playout-delay.ts'
import { keyFrameRequests } from './rtcp.ts'
import { pictureLayers, sentParameters } from './sent-parameters.ts'
import type { RoomSources } from './sfu.ts'
import type { WorkerRun } from './worker.ts'
import type { Together } from './worker-channel.ts'

/** One producer and the streams that it can show: index = spatial layer, worst first. */
export interface Picture {
  readonly producer: Producer
  readonly layers: readonly RtpSource[]
}

/** Every message for all viewers names this subchannel; an open channel subscribes to it. */
export const EVERYONE = 1

/** Subchannels are u16 in the worker; the lowest two are not a peer's. */
const FIRST_NUMBER = 2
const LAST_NUMBER = 0xffff

/** Key frames of one stream come at most this often; requests in between are answered by one at its end. */
const keyFrameDelayMs = 250
interface ProduceOptions {
  readonly transport: DirectTransport
  /** Worst first. */
  readonly layers: readonly RtpSource[]
}

async function produce({ transport, layers }: ProduceOptions): Promise<Picture> {
  const [first, ...others] = layers
  if (first === undefined) {
    throw new NekoError('invalid', 'a room needs at least one video stream')
  }
  const { kind } = first.codec
  const producer = await transport.produce({
    kind,
    ...(kind === 'video' ? { keyFrameRequestDelay: keyFrameDelayMs } : {}),
    rtpParameters: sentParameters([first, ...others], 'ingest'),
  })
  return { producer, layers }
}

interface FeedOptions {
  readonly transport: DirectTransport
  readonly pictures: readonly Picture[]
  readonly gate: KeyFrameGate
  readonly together: Together
}

/** Hands everything that the sources send to the worker, and its wishes for key frames to `gate`. The returned function stops it. */
function feed({ transport, pictures, gate, together }: FeedOptions): () => void {
  const sources = new Map<number, RtpSource>()
  const stops = pictures.flatMap(({ producer, layers }) =>
    layers.flatMap((source) => {
      sources.set(source.ssrc, source)
      const bounded = source.codec.kind === 'video' ? boundPlayout() : (packet: Buffer) => packet
      return [
        source.onPackets((packets) => {
          if (!producer.closed) {
            const now = performance.now()
            together(() => packets.forEach((packet) => producer.send(bounded(packet, now))))
          }
        }),
        source.onRtcp((packet) => {
          if (!transport.closed) {
            transport.sendRtcp(packet)
          }
        }),
      ]
    }),
  )
  transport.on('rtcp', (packet) => {
    for (const ssrc of keyFrameRequests(packet)) {
      const source = sources.get(ssrc)
      if (source !== undefined) {
        gate.request(source)
      }
    }
  })
  return () => {
    for (const stop of stops) {
      stop()
    }
  }
}

/** What a carrier shows: the pictures, the one with the pointer last, and the sound; `stop` ends what feeds them. */
export interface Media {
  readonly videos: readonly Picture[]
  readonly audio: Picture
  readonly stop: () => void
}

/** Makes the media of a carrier. What is left of an attempt that fails goes with the router. */
export type MediaFeed = (parts: Pick<CarrierParts, 'router' | 'direct'> & { readonly run: WorkerRun }) => Promise<Media>

/** A carrier's media straight from the sources. Wishes for key frames go to `gate`, those of all the room's carriers. */
export function fromSources(sources: RoomSources, gate: KeyFrameGate): MediaFeed {
  return async ({ run, direct }) => {
    const make = (layers: readonly RtpSource[]) => produce({ transport: direct, layers })
    const [audio, ...videos] = await Promise.all([make([sources.audio]), ...pictureLayers(sources).map(make)])
    return { videos, audio, stop: feed({ transport: direct, pictures: [...videos, audio], gate, together: run.together }) }
  }
}

export interface CarrierOptions {
  readonly sources: RoomSources
  readonly feed: MediaFeed
  readonly log: Log
}

interface CarrierParts {
  readonly router: Router
  readonly direct: DirectTransport
  readonly media: Media
  readonly broadcast: DataProducer
}

/**
 * A room inside one run of a worker. Every worker that carries the room is fed by itself and owes nothing to another one, so that a
 * worker that dies costs its own viewers alone; between two workers of a node a pipe would cost as much, and its death both. It has a router, what it
 * produces, and the way that messages go in and out, and is gone with the worker.
 */
export class Carrier {
  readonly run: WorkerRun
  readonly router: Router
  /** In-process end: ingest, and the data channels of all peers. */
  readonly direct: DirectTransport
  readonly videos: readonly Picture[]
  readonly audio: Picture
  /** What is sent here reaches every data channel that subscribed to one of the message's subchannels. */
  readonly broadcast: DataProducer
  readonly #capabilities: Readonly<Record<Offered, RtpCapabilities>>
  readonly #stopFeeding: () => void
  readonly #numbers = new Set<number>()
  #lastNumber = FIRST_NUMBER - 1

  private constructor(run: WorkerRun, parts: CarrierParts) {
    this.run = run
    this.router = parts.router
    this.direct = parts.direct
    this.videos = parts.media.videos
    this.audio = parts.media.audio
    this.#stopFeeding = parts.media.stop
    this.broadcast = parts.broadcast
    const all = parts.router.rtpCapabilities
    this.#capabilities = {
      plain: capabilitiesFor(all, 'plain'),
      estimated: capabilitiesFor(all, 'estimated'),
      raw: capabilitiesFor(all, 'raw'),
    }
  }

  /** Errors: `unavailable` when the worker dies meanwhile, `invalid` when it can not carry these codecs. */
  static async open(run: WorkerRun, { sources, feed: makeMedia, log }: CarrierOptions): Promise<Carrier> {
    let router: Router | undefined
    try {
      router = await run.worker.createRouter({ mediaCodecs: [routerCodec(sources.audio.codec), routerCodec(sources.cursorVideo.codec)] })
      const direct = await router.createDirectTransport()
      const [broadcast, media] = await Promise.all([direct.produceData({ label: 'broadcast' }), makeMedia({ run, router, direct })])
      return new Carrier(run, { router, direct, media, broadcast })
    } catch (error) {
      router?.close()
      log.warn({ error: messageOf(error) }, 'room can not be carried')
      throw error instanceof NekoError ? error : new NekoError('unavailable', `media worker: ${messageOf(error)}`, { cause: error })
    }
  }

  get isOpen(): boolean {
    return !this.router.closed
  }

  capabilities(offered: Offered): RtpCapabilities {
    return this.#capabilities[offered]
  }

  /** The codecs in which clients may send. */
  get codecs(): readonly Codec[] {
    const [video] = this.videos
    return [this.audio, ...(video === undefined ? [] : [video])].flatMap(({ layers }) => layers.slice(0, 1).map((source) => source.codec))
  }

  /** Where the stream `id` is; undefined when there is none of that name. */
  find(id: string): { readonly picture: Picture; readonly layer: number } | undefined {
    for (const picture of this.videos) {
      const layer = picture.layers.findIndex((source) => source.id === id)
      if (layer >= 0) {
        return { picture, layer }
      }
    }
    return undefined
  }

  /** A number that no other peer of the room has, for its subchannel. */
  takeNumber(): number {
    do {
      this.#lastNumber = this.#lastNumber >= LAST_NUMBER ? FIRST_NUMBER : this.#lastNumber + 1
    } while (this.#numbers.has(this.#lastNumber))
    this.#numbers.add(this.#lastNumber)
    return this.#lastNumber
  }

  freeNumber(number: number): void {
    this.#numbers.delete(number)
  }

  close(): void {
    this.#stopFeeding()
    this.router.close()
  }
}
