import type { Socket } from 'node:net'
import { NekoError } from '@neko-edge/kit'
import type { MicrophoneOptions, WebcamOptions } from './capture-options.ts'
import type { Codec } from './codec.ts'
import { safeValue } from './launch-text.ts'
import { type PipelineEnvironment, PipelineProcess } from './pipeline-process.ts'
import { framed, maxFramedLength } from './rtp-framing.ts'

/** Takes the RTP of one client's track. */
export interface MediaSink {
  /** Hands on one RTP packet; dropped when the pipeline does not keep up, is being restarted or is closed. */
  write(packet: Buffer): void
  close(): Promise<void>
}

/** What may wait for a pipeline that does not read; about two seconds of sound, half a second of picture. */
const maxWaitingBytes = 256 * 1024
/** How long packets may be late, in milliseconds; upstream has no such buffer. */
const jitterMs = 100

/** One way from the clients into the desktop, microphone or webcam: one feed at a time, the newest wins. */
export class ClientMedia implements AsyncDisposable {
  readonly #kind: 'microphone' | 'webcam'
  readonly #text: (codec: Codec) => string
  readonly #environment: PipelineEnvironment
  #current: Feed | undefined
  #endedRuns = 0
  #endedBytes = 0

  constructor(kind: 'microphone' | 'webcam', text: (codec: Codec) => string, environment: PipelineEnvironment) {
    this.#kind = kind
    this.#text = text
    this.#environment = environment
  }

  get isRunning(): boolean {
    return this.#current?.process.isRunning === true
  }

  /** Pipelines started so far. */
  get runs(): number {
    return this.#endedRuns + (this.#current?.process.runs ?? 0)
  }

  /** Bytes of RTP taken so far. */
  get bytes(): number {
    return this.#endedBytes + (this.#current?.bytes ?? 0)
  }

  /** Why the present feed does not play. */
  get failure(): NekoError | undefined {
    return this.#current?.process.failure
  }

  /** A new feed; the one before ends. Errors: `invalid` when not enabled or for a codec that cannot be played here. */
  open(codec: Codec): MediaSink {
    const text = this.#text(codec)
    void this.#end(this.#current)
    const feed = new Feed(`${this.#kind} ${codec.name}`, text, this.#environment)
    this.#current = feed
    return { write: (packet) => feed.write(packet), close: () => this.#end(feed) }
  }

  /** A new run of the present feed, after the server it plays to came back. */
  async restart(): Promise<void> {
    await this.#current?.process.restart()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#end(this.#current)
  }

  async #end(feed: Feed | undefined): Promise<void> {
    if (feed !== undefined && feed === this.#current) {
      this.#current = undefined
      this.#endedRuns += feed.process.runs
      this.#endedBytes += feed.bytes
    }
    await feed?.process.stop()
  }
}

class Feed {
  readonly process: PipelineProcess
  bytes = 0
  #pipe: Socket | undefined

  constructor(name: string, text: string, environment: PipelineEnvironment) {
    this.process = new PipelineProcess(
      {
        name,
        text: () => text,
        pipes: 1,
        onRun: (child) => {
          this.#pipe = child.pipes[0]
        },
        onEnd: () => {
          this.#pipe = undefined
        },
      },
      environment,
    )
    this.process.start()
  }

  write(packet: Buffer): void {
    const pipe = this.#pipe
    if (pipe?.writable === true && pipe.writableLength < maxWaitingBytes && packet.length <= maxFramedLength) {
      this.bytes += packet.length
      pipe.write(framed(packet))
    }
  }
}

/** The pipeline from RTP on descriptor 3 to the PulseAudio sink that the desktop records from. */
export function microphoneText({ enabled, device }: MicrophoneOptions, codec: Codec): string {
  if (!enabled) {
    throw new NekoError('invalid', 'microphone is not enabled')
  }
  // The sink's own clock stands still until it plays, and would keep the jitter buffer waiting for it.
  const sink = `audioconvert ! audioresample ! pulsesink provide-clock=false buffer-time=60000 device=${safeValue(device, 'microphone device')}`
  switch (codec.name) {
    case 'opus':
      // Lost packets are concealed; in-band FEC would cost 120 ms more of delay.
      return `${rtpSource(codec)} ! opusdec plc=true ! ${sink}`
    case 'g722':
      return `${rtpSource(codec)} ! avdec_g722 ! ${sink}`
    case 'pcmu':
      return `${rtpSource(codec)} ! mulawdec ! ${sink}`
    case 'pcma':
      return `${rtpSource(codec)} ! alawdec ! ${sink}`
    default:
      throw new NekoError('invalid', `microphone: no pipeline found for codec ${codec.name}`)
  }
}

/** The pipeline from RTP on descriptor 3 to the v4l2loopback device. */
export function webcamText({ enabled, device, width, height }: WebcamOptions, codec: Codec): string {
  if (!enabled) {
    throw new NekoError('invalid', 'webcam is not enabled')
  }
  if (codec.kind !== 'video' || codec.name === 'av1') {
    throw new NekoError('invalid', `webcam: no pipeline found for codec ${codec.name}`)
  }
  const sink = `identity drop-allocation=true ! v4l2sink sync=false device=${safeValue(device, 'webcam device')}`
  return `${rtpSource(codec)} ! decodebin ! videoconvert ! videorate ! videoscale ! video/x-raw,width=${width},height=${height} ! ${sink}`
}

/**
 * The SFU gives every track the payload type of the room's codec. Packets bear no time of their own here: `do-timestamp` of fdsrc stamps what it reads
 * while the pipeline starts with the machine's clock instead of the pipeline's (seen in one of ten starts, and then nothing is ever played), and the
 * jitter buffer stamps them on arrival just as well.
 */
function rtpSource({ kind, payloadType, clockRate, encodingName, depayloader }: Codec): string {
  const caps = `application/x-rtp-stream,media=${kind},payload=${payloadType},clock-rate=${clockRate},encoding-name=${encodingName}`
  return `fdsrc fd=3 ! ${caps} ! rtpstreamdepay ! rtpjitterbuffer latency=${jitterMs} do-lost=true ! ${depayloader}`
}
