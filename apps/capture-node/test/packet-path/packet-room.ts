import { silentLog } from '@neko-edge/kit'
import { type NativeViewer, NativeViewers, type ViewOptions } from '../../../../infra/viewers/native-viewers.ts'
import { type Codec, codecs } from '../../src/capture/codec.ts'
import { RemoteSource } from '../../src/relay/remote-source.ts'
import { openMediasoupSfu } from '../../src/sfu/mediasoup-sfu.ts'
import type { Peer, PipeEnd, Sfu, SfuRoom, VideoRequest } from '../../src/sfu/sfu.ts'
import { type SyntheticOptions, SyntheticSource } from './synthetic-source.ts'

/** Viewers that connect at the same time: more would only time out on each other. */
const atOnce = 20

export interface PacketRoomOptions {
  readonly workerBin: string
  /** Of the best rung. */
  readonly source?: Partial<SyntheticOptions>
  readonly sound?: Partial<SyntheticOptions>
  /** Where the estimate of the path begins, in bit/s; without it there is no automatic quality. The best rung takes 1.42 Mbit/s. */
  readonly initialBitrate?: number
}

export interface PacketViewer extends NativeViewer {
  readonly peer: Peer
  /** How long the offer took, in milliseconds: the viewer begins after that. */
  readonly offerMs: number
}

function openSfu(workerBin: string, initialBitrate?: number): Promise<Sfu> {
  return openMediasoupSfu({
    workerBin,
    ports: { listenIp: '127.0.0.1', range: { min: 40_000, max: 49_999 } },
    announced: ['127.0.0.1'],
    log: silentLog,
    ...(initialBitrate === undefined ? {} : { estimator: { initialBitrate } }),
  })
}

type Parts = Pick<PacketRoom, 'sfu' | 'room' | 'viewers' | 'high' | 'low' | 'sound'> & { close: () => Promise<unknown> }

/** A room of the real SFU, fed with synthetic frames, before native viewers. Frames flow when the sources are started. */
export class PacketRoom implements AsyncDisposable {
  readonly sfu: Sfu
  readonly room: SfuRoom
  readonly viewers: NativeViewers
  readonly high: SyntheticSource
  readonly low: SyntheticSource
  readonly sound: SyntheticSource
  readonly #close: () => Promise<unknown>

  private constructor(parts: Parts) {
    this.sfu = parts.sfu
    this.room = parts.room
    this.viewers = parts.viewers
    this.high = parts.high
    this.low = parts.low
    this.sound = parts.sound
    this.#close = parts.close
  }

  static async open({ workerBin, source, sound, initialBitrate }: PacketRoomOptions): Promise<PacketRoom> {
    const sfu = await openSfu(workerBin, initialBitrate)
    return PacketRoom.#openOn(sfu, { source, sound }, async () => sfu[Symbol.asyncDispose]())
  }

  /** The same room on a node of its own, a hop further: it takes one copy of each stream from there, and has viewers of its own. */
  static async relayOf({ room: from, high, low, sound }: PacketRoom, workerBin: string): Promise<PacketRoom> {
    const sfu = await openSfu(workerBin)
    const close = async () => sfu[Symbol.asyncDispose]()
    try {
      const remote = ({ id, codec }: { id: string; codec: Codec }) => new RemoteSource({ id, codec, onHeld: () => undefined })
      const sources = { rungs: [remote(high), remote(low)], cursorVideo: remote({ ...high, id: 'legacy' }), audio: remote(sound) }
      const connect = (end: PipeEnd) => from.openPipe('relay', end, () => undefined)
      const room = await sfu.openRelayedRoom(sources, () => ({ by: 'pipe', connect }))
      return new PacketRoom({ sfu, room, high, low, sound, viewers: await NativeViewers.open(), close })
    } catch (error) {
      await close()
      throw error
    }
  }

  /** Another room on the same worker. */
  static anotherOn({ sfu }: PacketRoom, source?: Partial<SyntheticOptions>): Promise<PacketRoom> {
    return PacketRoom.#openOn(sfu, { source }, async () => undefined)
  }

  /** The same room before viewers that are counted by themselves. */
  static async alongside({ sfu, room, high, low, sound }: PacketRoom): Promise<PacketRoom> {
    return new PacketRoom({ sfu, room, high, low, sound, viewers: await NativeViewers.open(), close: async () => undefined })
  }

  static async #openOn(
    sfu: Sfu,
    { source, sound: heard }: { source?: Partial<SyntheticOptions> | undefined; sound?: Partial<SyntheticOptions> | undefined },
    closeSfu: () => Promise<unknown>,
  ): Promise<PacketRoom> {
    const high = new SyntheticSource({ id: 'high', ssrc: 1001, layer: 1, ...source })
    // Thin: what only the estimator needs is not to be measured.
    const low = new SyntheticSource({ id: 'low', ssrc: 1002, layer: 0, fps: 10, frameBytes: [400, 800] })
    const cursorVideo = new SyntheticSource({ id: 'legacy', ssrc: 1003, layer: 0 })
    const sound = new SyntheticSource({ id: 'audio', ssrc: 1004, layer: 0, codec: codecs.opus, ...heard })
    try {
      const [room, viewers] = await Promise.all([sfu.openRoom({ rungs: [high, low], cursorVideo, audio: sound }), NativeViewers.open()])
      const close = async () => {
        await room[Symbol.asyncDispose]()
        await closeSfu()
      }
      return new PacketRoom({ sfu, room, viewers, high, low, sound, close })
    } catch (error) {
      await closeSfu()
      throw error
    }
  }

  /** Process id of the worker. */
  async workerPid(): Promise<number> {
    const [worker] = await this.sfu.workers()
    return worker?.pid ?? 0
  }

  /** One viewer, connected. */
  async join(options: ViewOptions & { video?: VideoRequest; hears?: boolean; setup?: 'active' | 'actpass' } = {}): Promise<PacketViewer> {
    const { video = {}, hears = false, setup = 'active', ...view } = options
    const start = performance.now()
    const peer = await this.room.openPeer({ kind: 'v3', canShare: false, video, audio: { disabled: !hears }, setup })
    const offerMs = performance.now() - start
    const viewer = this.viewers.watch(peer.offer.sdp, { check: true, ...view })
    await Promise.all([peer.answer(viewer.answer), viewer.connected])
    return { ...viewer, peer, offerMs }
  }

  /** So many viewers, connected; `progress` hears how many there are. */
  async joinMany(count: number, options: Parameters<PacketRoom['join']>[0] = {}, progress: (done: number) => void = () => undefined) {
    const joined: PacketViewer[] = []
    while (joined.length < count) {
      joined.push(...(await Promise.all(Array.from({ length: Math.min(atOnce, count - joined.length) }, () => this.join(options)))))
      progress(joined.length)
    }
    return joined
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // The room goes first, with frames on their way.
    await this.#close()
    this.high.stop()
    this.low.stop()
    this.sound.stop()
    await this.viewers[Symbol.asyncDispose]()
  }
}
