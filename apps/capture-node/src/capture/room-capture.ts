import { Broadcast } from './broadcast.ts'
import type { AudioOptions, CaptureOptions } from './capture-options.ts'
import { ClientMedia, type MediaSink, microphoneText, webcamText } from './client-media.ts'
import { type Codec, codecNamed } from './codec.ts'
import { Encoder } from './encoder.ts'
import type { GstInstallation } from './gst-installation.ts'
import { replaceAppsink } from './launch-text.ts'
import { audioPipelineText, type CapturedScreen } from './pipeline.ts'
import type { PipelineEnvironment } from './pipeline-process.ts'
import type { RtpSource } from './rtp-source.ts'
import { Screencast } from './screencast.ts'
import { v2AudioPipelineText } from './v2-pipeline.ts'
import { planVideo, pointerId, type VideoText } from './video-plan.ts'

export interface RoomCaptureParts {
  readonly options: CaptureOptions
  /** With DISPLAY, XAUTHORITY, PULSE_SERVER and PULSE_COOKIE of the room's desktop. */
  readonly environment: PipelineEnvironment
  readonly gst: GstInstallation
  /** The screen as it is at the moment of the call. */
  readonly screen: () => CapturedScreen
}

/** Numbers of one pipeline, with the labels of upstream's metrics. */
export interface PipelineNumbers {
  readonly submodule: 'streamsink' | 'broadcast' | 'screencast' | 'streamsrc'
  readonly id: string
  readonly codec?: Codec
  /** Pipelines started so far. */
  readonly started: number
  readonly isActive: boolean
  /** Process id of the present run. */
  readonly pid?: number
  /** Bytes of RTP given (`streamsink`) or taken (`streamsrc`) so far. */
  readonly bytes: number
  /** Who holds it now. */
  readonly listeners: number
}

/** Everything that is captured of one room, and everything that clients feed into it. Nothing runs before somebody asks. */
export class RoomCapture implements AsyncDisposable {
  /** The quality ladder without the pointer, best first; at least one. */
  readonly videos: ReadonlyMap<string, RtpSource>
  /** The best picture with the pointer drawn in, for V2 clients. */
  readonly cursorVideo: RtpSource
  readonly audio: RtpSource
  readonly screencast: Screencast
  readonly broadcast: Broadcast
  readonly #encoders: readonly Encoder[]
  readonly #microphone: ClientMedia
  readonly #webcam: ClientMedia

  /** Errors: `invalid` for a configuration that cannot be captured, before anything runs. */
  constructor({ options, environment, gst, screen }: RoomCaptureParts) {
    const display = environment.child.env['DISPLAY'] ?? ''
    const { device } = options.audio
    const surroundings = { ...environment, child: { ...environment.child, env: { ...gst.env, ...environment.child.env } } }
    const plan = planVideo(options.video, { display, hasElement: gst.hasElement, log: environment.log })
    const video = (id: string, text: VideoText): Encoder => {
      checkedText(text(screen()))
      return new Encoder({ id, codec: plan.codec, text: () => text(screen()) }, surroundings)
    }
    const ladder = [...plan.ladder].map(([id, text]) => video(id, text))
    const pointer = video(pointerId, plan.withPointer)
    const codec = codecNamed(options.audio.codec, 'audio', gst.hasElement)
    const soundText = checkedText(audioText(options.audio, codec))
    const sound = new Encoder({ id: 'audio', codec, text: () => soundText }, surroundings)
    this.videos = new Map(ladder.map((encoder) => [encoder.id, encoder]))
    this.cursorVideo = pointer
    this.audio = sound
    this.#encoders = [...ladder, pointer, sound]
    this.screencast = new Screencast(options.screencast, display, surroundings)
    this.broadcast = new Broadcast(options.broadcast, { display, device }, surroundings)
    this.#microphone = new ClientMedia('microphone', (wanted) => microphoneText(options.microphone, wanted), surroundings)
    this.#webcam = new ClientMedia('webcam', (wanted) => webcamText(options.webcam, wanted), surroundings)
  }

  /** New runs of all that shows the screen and runs now, after its size changed or the X server came back; sound goes on. Viewers see one key frame. */
  async restartPictures(): Promise<void> {
    const pictures = this.#encoders.filter((encoder) => encoder.codec.kind === 'video')
    await Promise.all([...pictures.map((encoder) => encoder.restart()), this.screencast.restart(), this.broadcast.restart()])
  }

  /** New runs of all that hears the room and runs now, after PulseAudio came back. */
  async restartSound(): Promise<void> {
    const sounds = this.#encoders.filter((encoder) => encoder.codec.kind === 'audio')
    await Promise.all([...sounds.map((encoder) => encoder.restart()), this.broadcast.restart(), this.#microphone.restart()])
  }

  /** Takes a client's sound; the feed before ends. Errors: `invalid` when not enabled or not playable. */
  openMicrophone(codec: Codec): MediaSink {
    return this.#microphone.open(codec)
  }

  /** Takes a client's picture; the feed before ends. Errors: `invalid` when not enabled or not playable. */
  openWebcam(codec: Codec): MediaSink {
    return this.#webcam.open(codec)
  }

  /** Numbers for the metrics, by pipeline. */
  numbers(): PipelineNumbers[] {
    const streams = this.#encoders.map((encoder): PipelineNumbers => {
      const { id, codec, runs, isRunning, users, counters, pid } = encoder
      return {
        submodule: 'streamsink',
        id,
        codec,
        started: runs,
        isActive: isRunning,
        bytes: counters.bytes,
        listeners: users,
        ...(pid === undefined ? {} : { pid }),
      }
    })
    const quiet = { bytes: 0, listeners: 0 }
    const feeds = [this.#microphone, this.#webcam].map((feed, index): PipelineNumbers => {
      const id = index === 0 ? 'microphone' : 'webcam'
      return { submodule: 'streamsrc', id, started: feed.runs, isActive: feed.isRunning, bytes: feed.bytes, listeners: 0 }
    })
    return [
      ...streams,
      { submodule: 'broadcast', id: '', started: this.broadcast.runs, isActive: this.broadcast.isRunning, ...quiet },
      { submodule: 'screencast', id: '', started: this.screencast.runs, isActive: this.screencast.isRunning, ...quiet },
      ...feeds,
    ]
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const all = [...this.#encoders, this.screencast, this.broadcast, this.#microphone, this.#webcam]
    await Promise.all(all.map((one) => one[Symbol.asyncDispose]()))
  }
}

function audioText({ device, pipeline, v2 }: AudioOptions, codec: Codec): string {
  if (pipeline.trim() === '' && v2 !== undefined) {
    return v2AudioPipelineText(v2, { codec, device })
  }
  return audioPipelineText({ device, codec, custom: pipeline })
}

/** The text, when it has the place where its media comes out. */
function checkedText(text: string): string {
  replaceAppsink(text, 'fakesink')
  return text
}
