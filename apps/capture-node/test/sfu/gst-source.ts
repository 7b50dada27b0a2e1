import { type ChildProcess, spawn } from 'node:child_process'
import type { Socket } from 'node:net'
import { Listeners, type NekoError, until } from '@neko-edge/kit'
import { type AudioCodecName, type Codec, type CodecName, codecs, type VideoCodecName } from '../../src/capture/codec.ts'
import { withRtpTail } from '../../src/capture/pipeline.ts'
import { framed, RtpUnframer } from '../../src/capture/rtp-framing.ts'
import { rtpReader } from '../../src/capture/rtp-reader.ts'
import { RtpRebase } from '../../src/capture/rtp-rebase.ts'
import type { RtpSource } from '../../src/capture/rtp-source.ts'

const encoders: Readonly<Record<CodecName, string>> = {
  vp8: 'vp8enc target-bitrate=300000 cpu-used=16 threads=1 deadline=1 keyframe-max-dist=1000',
  vp9: 'vp9enc target-bitrate=300000 cpu-used=16 threads=1 deadline=1 lag-in-frames=0 keyframe-max-dist=1000',
  h264: 'x264enc bitrate=300 tune=zerolatency speed-preset=ultrafast key-int-max=1000 ! video/x-h264,profile=constrained-baseline',
  // Does not hear requests for key frames.
  av1: 'av1enc usage-profile=realtime cpu-used=10 end-usage=cbr target-bitrate=300 min-quantizer=4 max-quantizer=56 threads=1 keyframe-max-dist=25',
  opus: 'opusenc inband-fec=true',
  g722: 'audioconvert ! audioresample ! avenc_g722',
  pcmu: 'audioresample ! audio/x-raw,rate=8000 ! mulawenc',
  pcma: 'audioresample ! audio/x-raw,rate=8000 ! alawenc',
}

export interface GstSourceOptions {
  readonly id: string
  readonly codec: Codec
  readonly ssrc: number
  /** Of the test picture, in pixels. */
  readonly size?: readonly [width: number, height: number]
}

/** A source of the smallest kind with real parts: `gst-launch` with a test picture or tone, RTP and RTCP over pipes, running while it is retained. */
export class GstSource implements RtpSource {
  readonly id: string
  readonly codec: Codec
  readonly ssrc: number
  readonly bitrate = 0
  readonly failure: NekoError | undefined = undefined
  /** How often a key frame was asked for, and how many processes have run. */
  keyFrameRequests = 0
  runs = 0
  /** What the worker was given since. */
  packets = 0
  bytes = 0
  #size: readonly [number, number]
  readonly #packets = new Listeners<readonly Buffer[]>()
  readonly #rtcp = new Listeners<Buffer>()
  readonly #rebase: RtpRebase
  #retains = 0
  #child: ChildProcess | undefined
  #hasPackets = false

  constructor({ id, codec, ssrc, size = [320, 240] }: GstSourceOptions) {
    this.id = id
    this.codec = codec
    this.ssrc = ssrc
    this.#size = size
    this.#rebase = new RtpRebase(codec.clockRate)
  }

  get isRunning(): boolean {
    return this.#child !== undefined
  }

  get retains(): number {
    return this.#retains
  }

  retain(): () => void {
    this.#retains += 1
    if (this.#retains === 1) {
      this.#start()
    }
    let isHeld = true
    return () => {
      if (isHeld) {
        isHeld = false
        this.#retains -= 1
        if (this.#retains === 0) {
          this.stop()
        }
      }
    }
  }

  async ready(ms = 10_000): Promise<void> {
    await until(() => this.packets > 0, { ms, what: `a packet of ${this.id}` })
  }

  onPackets(listener: (packets: readonly Buffer[]) => void): () => void {
    return this.#packets.add(listener)
  }

  onRtcp(listener: (packet: Buffer) => void): () => void {
    return this.#rtcp.add(listener)
  }

  requestKeyFrame(): void {
    this.keyFrameRequests += 1
    // Before it has sent anything, rtpsession takes the SSRC of a PLI for somebody else's, and goes on under another one.
    if (!this.#hasPackets) {
      return
    }
    const pli = Buffer.alloc(12)
    pli.writeUInt16BE(0x81ce, 0)
    pli.writeUInt16BE(2, 2)
    pli.writeUInt32BE(1, 4)
    pli.writeUInt32BE(this.ssrc, 8)
    this.#pipe(5)?.write(framed(pli))
  }

  /** A new process, with a picture of that size. */
  restart(size: readonly [width: number, height: number]): void {
    this.#size = size
    this.stop()
    this.#start()
  }

  stop(): void {
    this.#child?.kill('SIGKILL')
    this.#child = undefined
  }

  #pipe(fd: number): Socket | undefined {
    // Node types extra descriptors as Readable | Writable; a 'pipe' is a socket pair.
    return this.#child?.stdio[fd] as Socket | undefined
  }

  #launchText(): string {
    const [width, height] = this.#size
    const { kind, name } = this.codec
    const source =
      kind === 'video'
        ? `videotestsrc is-live=true pattern=ball ! video/x-raw,width=${width},height=${height},framerate=25/1 ! videoconvert`
        : 'audiotestsrc is-live=true ! audio/x-raw,channels=2,rate=48000 ! audioconvert'
    const queue = 'queue max-size-buffers=2 leaky=downstream'
    return withRtpTail(`${source} ! ${queue} ! ${encoders[name]} ! appsink name=appsink`, this.codec, this.ssrc)
  }

  #start(): void {
    this.runs += 1
    this.#hasPackets = false
    this.#rebase.beginRun()
    const child = spawn('gst-launch-1.0', ['-q', ...this.#launchText().split(' ')], {
      stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe', 'pipe'],
    })
    this.#child = child
    const read = rtpReader(this.codec)
    const rtcp = new RtpUnframer()
    for (const fd of [3, 4, 5]) {
      this.#pipe(fd)?.on('error', () => undefined)
    }
    this.#pipe(3)?.on('data', (chunk: Buffer) => {
      const packets = child === this.#child ? read(chunk).filter((packet) => this.#rebase.rtp(packet, performance.now())) : []
      this.packets += packets.length
      this.bytes += packets.reduce((sum, packet) => sum + packet.length, 0)
      this.#hasPackets ||= packets.length > 0
      this.#packets.emit(packets)
    })
    this.#pipe(4)?.on('data', (chunk: Buffer) => {
      for (const packet of child === this.#child ? rtcp.push(chunk) : []) {
        if (this.#rebase.rtcp(packet)) {
          this.#rtcp.emit(packet)
        }
      }
    })
  }
}

/** The sources of a small room: two rungs `hq` and `lq`, the picture with the pointer `legacy`, and the sound. */
export function testSources(video: VideoCodecName = 'vp8', sound: AudioCodecName = 'opus') {
  const codec = codecs[video]
  const hq = new GstSource({ id: 'hq', codec, ssrc: 1001, size: [320, 180] })
  const lq = new GstSource({ id: 'lq', codec, ssrc: 1002, size: [160, 90] })
  const cursorVideo = new GstSource({ id: 'legacy', codec, ssrc: 1003, size: [240, 136] })
  const audio = new GstSource({ id: 'audio', codec: codecs[sound], ssrc: 1004 })
  const all = [hq, lq, cursorVideo, audio]
  return {
    hq,
    lq,
    cursorVideo,
    audio,
    rungs: [hq, lq],
    all,
    [Symbol.dispose]() {
      for (const source of all) {
        source.stop()
      }
    },
  }
}
