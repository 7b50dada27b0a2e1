import { randomInt } from 'node:crypto'
import type { Socket } from 'node:net'
import { assert, Listeners, messageOf, type NekoError, within } from '@neko-edge/kit'
import type { Child } from '@neko-edge/process'
import type { Codec } from './codec.ts'
import { FrameGather } from './frame-gather.ts'
import { withRtpTail } from './pipeline.ts'
import { type PipelineEnvironment, PipelineProcess } from './pipeline-process.ts'
import { framed, RtpUnframer } from './rtp-framing.ts'
import { rtpReader } from './rtp-reader.ts'
import { RtpRebase } from './rtp-rebase.ts'
import type { RtpSource } from './rtp-source.ts'

export interface EncoderOptions {
  readonly id: string
  readonly codec: Codec
  /** The pipeline, ending in `appsink name=appsink`; asked for at every start. */
  readonly text: () => string
  /** How long it runs on after the last release, in milliseconds. */
  readonly graceMs?: number
  /** How long a run may be silent before it counts as hung, in milliseconds. */
  readonly stallMs?: number
  /** How long its first packet may take. */
  readonly firstPacketMs?: number
}

/** Counters that only grow. */
export interface EncoderCounters {
  packets: number
  bytes: number
  keyFrameRequests: number
  stalls: number
}

const oneSecondMs = 1_000
/** Any SSRC but the encoder's own will do as the sender of a request. */
const requesterSsrc = 1

/** One pipeline that yields RTP while somebody retains it. */
export class Encoder implements RtpSource, AsyncDisposable {
  readonly id: string
  readonly codec: Codec
  readonly ssrc = randomInt(2, 2 ** 32)
  readonly counters: EncoderCounters = { packets: 0, bytes: 0, keyFrameRequests: 0, stalls: 0 }
  readonly #options: EncoderOptions
  readonly #environment: PipelineEnvironment
  readonly #process: PipelineProcess
  readonly #rebase: RtpRebase
  readonly #packetListeners = new Listeners<readonly Buffer[]>()
  readonly #rtcpListeners = new Listeners<Buffer>()
  /** Sound has no frames of several packets. */
  readonly #gather: FrameGather | undefined
  readonly #waiting = new Set<{ resolve: () => void; reject: (reason: NekoError) => void }>()
  #users = 0
  #cancelGrace: (() => void) | undefined
  #requests: Socket | undefined
  #hasPackets = false
  #silentMs = 0
  #bytesThisSecond = 0
  #bitrate = 0
  #cancelTick: (() => void) | undefined

  constructor(options: EncoderOptions, environment: PipelineEnvironment) {
    this.id = options.id
    this.codec = options.codec
    this.#options = options
    this.#environment = environment
    this.#rebase = new RtpRebase(options.codec.clockRate)
    if (options.codec.kind === 'video') {
      this.#gather = new FrameGather(environment.clock, (packets) => this.#hand(packets))
    }
    this.#process = new PipelineProcess(
      {
        name: `encoder ${options.id}`,
        text: () => withRtpTail(options.text(), options.codec, this.ssrc),
        pipes: 3,
        onRun: (child) => this.#attach(child),
        onEnd: () => this.#detach(),
        onFailure: (failure) => this.#failed(failure),
      },
      environment,
    )
  }

  get isRunning(): boolean {
    return this.#process.isRunning
  }

  get bitrate(): number {
    return this.#bitrate
  }

  get failure(): NekoError | undefined {
    return this.#process.failure
  }

  /** Pipelines started so far. */
  get runs(): number {
    return this.#process.runs
  }

  /** Process id of the present run, for metrics. */
  get pid(): number | undefined {
    return this.#process.pid
  }

  /** How many hold it now. */
  get users(): number {
    return this.#users
  }

  retain(): () => void {
    this.#cancelGrace?.()
    this.#cancelGrace = undefined
    this.#users += 1
    this.#process.start()
    let isHeld = true
    return () => {
      if (isHeld) {
        isHeld = false
        this.#release()
      }
    }
  }

  async ready(ms = 5_000): Promise<void> {
    assert(this.#users > 0, 'only a retained source gets ready')
    if (this.#hasPackets) {
      return
    }
    if (this.failure?.code === 'invalid') {
      throw this.failure
    }
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const waiter = { resolve, reject }
    this.#waiting.add(waiter)
    try {
      await within(ms, `first packet of ${this.id}`, promise)
    } finally {
      this.#waiting.delete(waiter)
    }
  }

  onPackets(listener: (packets: readonly Buffer[]) => void): () => void {
    return this.#packetListeners.add(listener)
  }

  onRtcp(listener: (packet: Buffer) => void): () => void {
    return this.#rtcpListeners.add(listener)
  }

  requestKeyFrame(): void {
    // Before the first packet there is nothing to ask for: a run starts with a key frame.
    if (this.codec.kind === 'video' && this.#hasPackets && this.#requests?.writable === true) {
      this.counters.keyFrameRequests += 1
      this.#requests.write(framed(pictureLossIndication(this.ssrc)))
    }
  }

  /** A new run with a new text, e.g. for a new screen size; readers see one key frame. Nothing where it does not run. */
  restart(): Promise<void> {
    return this.#process.restart()
  }

  /** Stops whatever is held; for the end of the room. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#cancelGrace?.()
    await this.#process.stop()
  }

  #release(): void {
    this.#users -= 1
    if (this.#users === 0) {
      this.#cancelGrace = this.#environment.clock.after(this.#options.graceMs ?? 3_000, () => void this.#process.stop())
    }
  }

  #attach(child: Child): void {
    const [rtp, rtcp, requests] = child.pipes
    assert(rtp !== undefined && rtcp !== undefined && requests !== undefined, 'an encoder has three pipes')
    const read = rtpReader(this.codec)
    const rtcpUnframer = new RtpUnframer()
    this.#rebase.beginRun()
    this.#requests = requests
    this.#silentMs = 0
    this.#cancelTick = this.#environment.clock.every(oneSecondMs, () => this.#tick())
    rtp.on('data', (chunk: Buffer) => this.#take(this.#read(read, chunk)))
    rtcp.on('data', (chunk: Buffer) => this.#takeReports(rtcpUnframer.push(chunk)))
  }

  /** Nothing, and the end of the run, where it brings what viewers must not get. */
  #read(read: (chunk: Buffer) => Buffer[], chunk: Buffer): Buffer[] {
    try {
      return read(chunk)
    } catch (error) {
      this.#process.abandon(messageOf(error), 'invalid')
      return []
    }
  }

  #detach(): void {
    this.#cancelTick?.()
    this.#cancelTick = undefined
    this.#requests = undefined
    this.#gather?.end()
    this.#hasPackets = false
    this.#bytesThisSecond = 0
    this.#bitrate = 0
  }

  #take(packets: Buffer[]): void {
    const now = performance.now()
    const whole = packets.filter((packet) => this.#rebase.rtp(packet, now))
    if (whole.length === 0) {
      return
    }
    this.#silentMs = 0
    for (const packet of whole) {
      this.#bytesThisSecond += packet.length
      this.counters.bytes += packet.length
    }
    this.counters.packets += whole.length
    this.#gather ? this.#gather.push(whole) : this.#hand(whole)
  }

  #hand(packets: readonly Buffer[]): void {
    if (!this.#hasPackets) {
      this.#begin()
    }
    if (this.#environment.isSilent?.() !== true) {
      this.#packetListeners.emit(packets)
    }
  }

  #begin(): void {
    this.#hasPackets = true
    this.#process.succeeded()
    for (const waiter of this.#waiting) {
      waiter.resolve()
    }
    this.#waiting.clear()
  }

  #takeReports(packets: Buffer[]): void {
    for (const packet of packets) {
      if (this.#rebase.rtcp(packet)) {
        this.#rtcpListeners.emit(packet)
      }
    }
  }

  #tick(): void {
    this.#bitrate = this.#bytesThisSecond * 8
    this.#bytesThisSecond = 0
    const { stallMs = 2_000, firstPacketMs = 10_000 } = this.#options
    // Counted by looks, not by the clock: when this process itself was held up, the packets are waiting to be read and nothing is wrong.
    this.#silentMs += oneSecondMs
    if (this.#silentMs > (this.#hasPackets ? stallMs : firstPacketMs)) {
      this.counters.stalls += 1
      this.#process.abandon(`no RTP for ${this.#silentMs} ms`)
    }
  }

  /** Only what no retry can mend ends the waiting; anything else may still come right in time. */
  #failed(failure: NekoError | undefined): void {
    if (failure?.code !== 'invalid') {
      return
    }
    for (const waiter of this.#waiting) {
      waiter.reject(failure)
    }
    this.#waiting.clear()
  }
}

/** RFC 4585 §6.3.1. */
function pictureLossIndication(mediaSsrc: number): Buffer {
  const packet = Buffer.alloc(12)
  packet[0] = 0x81
  packet[1] = 206
  packet.writeUInt16BE(2, 2)
  packet.writeUInt32BE(requesterSsrc, 4)
  packet.writeUInt32BE(mediaSsrc, 8)
  return packet
}
