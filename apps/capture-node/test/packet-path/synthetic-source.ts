import { Listeners, type NekoError } from '@neko-edge/kit'
import { type Codec, codecs } from '../../src/capture/codec.ts'
import type { RtpSource } from '../../src/capture/rtp-source.ts'
import { fillPayload, leastPayloadBytes } from './synthetic-payload.ts'

const rtpHeaderBytes = 12
const clockRate = 90_000
const reportEveryMs = 400
/** A feeder that was held up leaves frames out rather than send many at once. */
const mostAtOnce = 4

export interface SyntheticOptions {
  readonly id: string
  readonly ssrc: number
  /** Said in each payload: a viewer who changes layers sees another one. */
  readonly layer: number
  readonly codec?: Codec
  /** Frames a second. */
  readonly fps?: number
  /** Bytes of the smallest and of the largest frame; they come evenly distributed. */
  readonly frameBytes?: readonly [least: number, most: number]
  /** Bytes of a frame that was asked for as a key frame; as any other, where this does not say. */
  readonly keyFrameBytes?: number
  /** Payload of a full packet. */
  readonly packetBytes?: number
  /** The first sequence number. */
  readonly sequence?: number
}

/** Frames as an encoder would hand them over, 187 packets and 1.42 Mbit/s unless told otherwise; payloads that viewers can check. */
export class SyntheticSource implements RtpSource {
  readonly id: string
  readonly codec: Codec
  readonly ssrc: number
  readonly bitrate = 0
  readonly failure: NekoError | undefined = undefined
  packets = 0
  frames = 0
  keyFrameRequests = 0
  /** Frames that were left out, because this process was held up. */
  late = 0
  readonly #options: Required<Pick<SyntheticOptions, 'layer' | 'fps' | 'frameBytes' | 'packetBytes'>> &
    Pick<SyntheticOptions, 'keyFrameBytes'>
  readonly #packetListeners = new Listeners<readonly Buffer[]>()
  readonly #rtcpListeners = new Listeners<Buffer>()
  #sequence: number
  #counter = 0
  #random = 1
  #retains = 0
  #wantsKey = true
  #startedMs = 0
  #nextMs = 0
  #nextReportMs = 0
  #timer: NodeJS.Timeout | undefined

  constructor(options: SyntheticOptions) {
    const { id, ssrc, layer, codec = codecs.vp8, fps = 30, frameBytes = [4_200, 7_634], packetBytes = 1_010, sequence = 1_000 } = options
    this.id = id
    this.ssrc = ssrc
    this.codec = codec
    this.#options = { layer, fps, frameBytes, packetBytes, ...(options.keyFrameBytes && { keyFrameBytes: options.keyFrameBytes }) }
    this.#sequence = sequence
  }

  get isRunning(): boolean {
    return this.#timer !== undefined
  }

  get retains(): number {
    return this.#retains
  }

  /** Retaining starts nothing: the test says when frames flow. */
  retain(): () => void {
    this.#retains += 1
    return () => {
      this.#retains -= 1
    }
  }

  async ready(): Promise<void> {}

  onPackets(listener: (packets: readonly Buffer[]) => void): () => void {
    return this.#packetListeners.add(listener)
  }

  onRtcp(listener: (packet: Buffer) => void): () => void {
    return this.#rtcpListeners.add(listener)
  }

  requestKeyFrame(): void {
    this.keyFrameRequests += 1
    this.#wantsKey = true
  }

  start(): void {
    if (this.#timer === undefined) {
      this.#startedMs ||= performance.now()
      this.#nextMs = performance.now()
      this.#tick()
    }
  }

  stop(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
  }

  /** One frame, now. */
  frame(): void {
    const { layer, frameBytes, packetBytes, keyFrameBytes } = this.#options
    const [least, most] = frameBytes
    const even = least + Math.floor(this.#next() * (most - least))
    const isKey = this.#wantsKey
    const size = (isKey && keyFrameBytes) || even
    this.#wantsKey = false
    this.frames += 1
    const sentNs = process.hrtime.bigint()
    const count = Math.ceil(size / packetBytes)
    const packets = Array.from({ length: count }, (_, index) => {
      const isLast = index === count - 1
      const payloadBytes = Math.max(leastPayloadBytes, isLast ? size - index * packetBytes : packetBytes)
      const packet = Buffer.allocUnsafe(rtpHeaderBytes + payloadBytes)
      packet[0] = 0x80
      packet[1] = this.codec.payloadType | (isLast ? 0x80 : 0)
      packet.writeUInt16BE(this.#sequence, 2)
      packet.writeUInt32BE(this.#timestamp(), 4)
      packet.writeUInt32BE(this.ssrc, 8)
      this.#sequence = (this.#sequence + 1) & 0xffff
      fillPayload(packet.subarray(rtpHeaderBytes), { counter: this.#counter, layer, isFirst: index === 0, isKey, isLast, sentNs })
      this.#counter = (this.#counter + 1) >>> 0
      return packet
    })
    this.packets += count
    this.#packetListeners.emit(packets)
    this.#report()
  }

  /** RTP time goes with the clock of the machine: sender reports say which moment that is. */
  #timestamp(): number {
    return Math.round((performance.now() - this.#startedMs) * (clockRate / 1_000)) >>> 0
  }

  #next(): number {
    this.#random = (Math.imul(this.#random, 1_103_515_245) + 12_345) & 0x7fffffff
    return this.#random / 0x80000000
  }

  #tick(): void {
    const now = performance.now()
    for (let sent = 0; this.#nextMs <= now; this.#nextMs += 1_000 / this.#options.fps) {
      if (sent++ < mostAtOnce) {
        this.frame()
      } else {
        this.late += 1
      }
    }
    this.#timer = setTimeout(() => this.#tick(), Math.max(0, this.#nextMs - performance.now()))
  }

  /** RFC 3550 §6.4.1. Without them the worker changes no layer. */
  #report(): void {
    const now = performance.now()
    if (now < this.#nextReportMs) {
      return
    }
    this.#nextReportMs = now + reportEveryMs
    const ntpMs = performance.timeOrigin + now + 2_208_988_800_000
    const report = Buffer.alloc(28)
    report.writeUInt16BE(0x80c8, 0)
    report.writeUInt16BE(6, 2)
    report.writeUInt32BE(this.ssrc, 4)
    report.writeUInt32BE(Math.floor(ntpMs / 1_000), 8)
    report.writeUInt32BE(Math.floor(((ntpMs % 1_000) / 1_000) * 2 ** 32), 12)
    report.writeUInt32BE(this.#timestamp(), 16)
    report.writeUInt32BE(this.packets >>> 0, 20)
    this.#rtcpListeners.emit(report)
  }
}
