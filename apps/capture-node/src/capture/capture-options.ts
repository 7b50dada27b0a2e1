/** What capture is told. Field names are those of upstream's configuration below `capture`, so that a parsed configuration fits as it is. */

/** One entry of `capture.video.pipelines`; expressions are those of `expression.ts`. An empty text or a missing field is "not set". */
export interface VideoPipelineOptions {
  /** Scaled size, used only when both are set. */
  readonly width?: string | undefined
  readonly height?: string | undefined
  /** Frames per second. */
  readonly fps?: string | undefined
  /** Raw elements before the encoder; begins with `!`. */
  readonly gst_prefix?: string | undefined
  readonly gst_encoder?: string | undefined
  /** Properties of the encoder; an empty value is left out. */
  readonly gst_params?: Readonly<Record<string, string>> | undefined
  /** Raw elements after the encoder; begins with `!`. */
  readonly gst_suffix?: string | undefined
  /** The whole pipeline, ending in `appsink name=appsink`; everything else is then ignored. The first `{display}` is replaced. */
  readonly gst_pipeline?: string | undefined
  /** Draws the pointer into the picture; default false. */
  readonly show_pointer?: boolean | undefined
}

/** The V2 options of the picture, present when any of them was given; they count only when `capture.video` names no pipeline. */
export interface V2VideoOptions {
  readonly hwenc?: 'none' | 'vaapi' | 'nvenc'
  /** kbit/s; 0 or missing is 3072. */
  readonly bitrate?: number
  /** Frames per second at most; missing is 25, 0 as many as the screen has. */
  readonly max_fps?: number
  /** A raw pipeline without its end, `%s` standing for the display. */
  readonly pipeline?: string
}

/** The V2 options of the sound, present when any of them was given. */
export interface V2AudioOptions {
  /** kbit/s; 0 or missing is 128. */
  readonly bitrate?: number
  /** A raw pipeline without its end, `%s` standing for the device. */
  readonly pipeline?: string
}

export interface VideoOptions {
  readonly codec: string
  /** The quality ladder, best first; empty: the order of `pipelines`. */
  readonly ids: readonly string[]
  readonly pipelines: Readonly<Record<string, VideoPipelineOptions>>
  /** One raw pipeline instead, called `main`; ignored where `pipelines` has any. */
  readonly pipeline: string
  readonly v2?: V2VideoOptions
}

export interface AudioOptions {
  /** PulseAudio source. */
  readonly device: string
  readonly codec: string
  /** A raw pipeline, ending in `appsink name=appsink`; the first `{device}` is replaced. */
  readonly pipeline: string
  readonly v2?: V2AudioOptions
}

export interface BroadcastOptions {
  /** kbit/s. */
  readonly audio_bitrate: number
  /** kbit/s. */
  readonly video_bitrate: number
  /** `speed-preset` of x264enc. */
  readonly preset: string
  /** A whole pipeline; the first `{hostname}`, `{display}`, `{device}` and `{url}` are replaced. */
  readonly pipeline: string
  readonly url: string
  readonly autostart: boolean
}

export interface ScreencastOptions {
  readonly enabled: boolean
  /** Frames per second as a fraction, `10/1`. */
  readonly rate: string
  /** JPEG quality 0…100. */
  readonly quality: string
  /** A raw pipeline, ending in `appsink name=appsink`; the first `{display}` is replaced. */
  readonly pipeline: string
}

export interface WebcamOptions {
  readonly enabled: boolean
  /** The v4l2loopback node, `/dev/video0`. */
  readonly device: string
  readonly width: number
  readonly height: number
}

export interface MicrophoneOptions {
  readonly enabled: boolean
  /** PulseAudio sink. */
  readonly device: string
}

export interface CaptureOptions {
  readonly video: VideoOptions
  readonly audio: AudioOptions
  readonly broadcast: BroadcastOptions
  readonly screencast: ScreencastOptions
  readonly webcam: WebcamOptions
  readonly microphone: MicrophoneOptions
}

/** Upstream's defaults. */
export const defaultCaptureOptions: CaptureOptions = {
  video: { codec: 'vp8', ids: [], pipelines: {}, pipeline: '' },
  audio: { device: 'audio_output.monitor', codec: 'opus', pipeline: '' },
  broadcast: { audio_bitrate: 128, video_bitrate: 4096, preset: 'veryfast', pipeline: '', url: '', autostart: true },
  screencast: { enabled: false, rate: '10/1', quality: '60', pipeline: '' },
  webcam: { enabled: false, device: '/dev/video0', width: 1280, height: 720 },
  microphone: { enabled: true, device: 'audio_input' },
}
