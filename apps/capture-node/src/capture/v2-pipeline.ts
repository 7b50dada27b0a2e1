/** The pipelines that V2's options `video_codec`, `hwenc`, `video_bitrate`, `max_fps`, `video`, `audio_bitrate`, `audio` stand for. */
import { NekoError } from '@neko-edge/kit'
import type { V2AudioOptions, V2VideoOptions } from './capture-options.ts'
import type { Codec } from './codec.ts'
import { evaluateNumber } from './expression.ts'
import { safeValue } from './launch-text.ts'
import { builtAudioText, type CapturedScreen, defaultAudioKbit, frameQueue, isSet, vp8Threads } from './pipeline.ts'

/** What V2's documentation promises; its code left a rate of 0 to the encoder where only the codec was chosen. */
const defaultVideoKbit = 3072
const defaultFps = 25

const nv12 = 'video/x-raw,format=NV12'
const baseline = 'video/x-h264,stream-format=byte-stream,profile=constrained-baseline'

/** Whether this machine's GStreamer has an element. */
export type HasElement = (element: string) => boolean

interface Encoding {
  /** Elements that must be there. */
  readonly needs: readonly string[]
  readonly elements: string
}

export interface V2Surroundings {
  readonly codec: Codec
  readonly display: string
  readonly hasElement: HasElement
}

/** The elements that the options need and this machine has not. */
export function missingElements(options: V2VideoOptions, { codec, hasElement }: V2Surroundings): string[] {
  return isSet(options.pipeline)
    ? []
    : videoEncoding(codec, options, { hasElement, threads: 1, fps: defaultFps }).needs.filter((name) => !hasElement(name))
}

/** The picture with the pointer shown, ending in `appsink name=appsink`. */
export function v2VideoPipelineText(
  options: V2VideoOptions,
  { codec, display, hasElement }: V2Surroundings,
  screen: CapturedScreen,
): string {
  const safeDisplay = safeValue(display, 'display')
  if (isSet(options.pipeline)) {
    return `${options.pipeline.trim().replace('%s', () => safeDisplay)} ! appsink name=appsink`
  }
  const fps = framesPerSecond(options.max_fps, screen.rate)
  const threads = evaluateNumber(vp8Threads, { width: screen.width, height: screen.height })
  const { elements } = videoEncoding(codec, options, { hasElement, threads, fps })
  const source = `ximagesrc display-name=${safeDisplay} show-pointer=true use-damage=false ! video/x-raw,framerate=${fps}/1 ! videoconvert ! ${frameQueue}`
  return `${source} ! ${elements} ! appsink name=appsink`
}

/** No more frames than the screen has, and 25 unless told otherwise; 0 asks for all of the screen's. */
function framesPerSecond(wanted: number | undefined, screenRate: number): number {
  const most = wanted ?? defaultFps
  const rate = screenRate > 0 ? screenRate : defaultFps
  return most === 0 ? rate : Math.min(most, rate)
}

/** The sound, ending in `appsink name=appsink`. */
export function v2AudioPipelineText(options: V2AudioOptions, { codec, device }: { codec: Codec; device: string }): string {
  if (isSet(options.pipeline)) {
    return `${options.pipeline.trim().replace('%s', () => safeValue(device, 'audio device'))} ! appsink name=appsink`
  }
  return builtAudioText(device, codec, options.bitrate === undefined || options.bitrate === 0 ? defaultAudioKbit : options.bitrate)
}

function videoEncoding(
  codec: Codec,
  options: V2VideoOptions,
  { hasElement, threads, fps }: { hasElement: HasElement; threads: number; fps: number },
): Encoding {
  const kbit = options.bitrate === undefined || options.bitrate === 0 ? defaultVideoKbit : options.bitrate
  const hwenc = options.hwenc ?? 'none'
  switch (codec.name) {
    case 'vp8':
      return hwenc === 'vaapi' ? vp8Vaapi(kbit) : vp8(kbit, threads)
    case 'vp9':
      return {
        needs: ['vp9enc'],
        elements: `vp9enc target-bitrate=${kbit * 1000} cpu-used=-5 threads=4 deadline=1 keyframe-max-dist=30 auto-alt-ref=true`,
      }
    case 'av1':
      return av1(kbit, threads, fps)
    case 'h264':
      return hwenc === 'vaapi' ? h264Vaapi(kbit) : hwenc === 'nvenc' ? h264Nvenc(kbit, hasElement) : h264(kbit, hasElement)
    default:
      throw new NekoError('invalid', `codec ${codec.name} is not for pictures`)
  }
}

function vp8(kbit: number, threads: number): Encoding {
  const buffers = `buffer-size=${kbit * 4} buffer-initial-size=${kbit * 2} buffer-optimal-size=${kbit * 3}`
  const rate = `target-bitrate=${kbit * 650} cpu-used=4 end-usage=cbr threads=${threads} deadline=1 undershoot=95`
  return { needs: ['vp8enc'], elements: `vp8enc ${rate} ${buffers} keyframe-max-dist=25 min-quantizer=4 max-quantizer=20` }
}

function vp8Vaapi(kbit: number): Encoding {
  return { needs: ['vaapivp8enc'], elements: `${nv12} ! vaapivp8enc rate-control=vbr bitrate=${kbit} keyframe-period=180` }
}

/**
 * Not V2's own text: that names a property which `av1enc` has not, and a rate a thousand times too high, since here it counts in kbit/s. Up to GStreamer
 * 1.22 `av1enc` does not hear requests for key frames: one a second comes by itself.
 */
function av1(kbit: number, threads: number, fps: number): Encoding {
  const speed = `usage-profile=realtime cpu-used=10 threads=${threads} tile-columns=${threads - 1}`
  const rate = `target-bitrate=${Math.round(kbit * 0.65)} end-usage=cbr undershoot-pct=95 min-quantizer=4 max-quantizer=56`
  return { needs: ['av1enc'], elements: `av1enc ${speed} ${rate} lag-in-frames=0 keyframe-max-dist=${fps}` }
}

function h264Vaapi(kbit: number): Encoding {
  const encoder = `vah264enc rate-control=cbr bitrate=${kbit} key-int-max=60 target-usage=7`
  return { needs: ['vah264enc'], elements: `${nv12} ! ${encoder} ! h264parse config-interval=-1 ! ${baseline}` }
}

function h264Nvenc(kbit: number, hasElement: HasElement): Encoding {
  const element = hasElement('nvautogpuh264enc') ? 'nvautogpuh264enc' : 'nvh264enc'
  const quality = 'preset=2 gop-size=60 spatial-aq=true temporal-aq=true rc-mode=6'
  const encoder = `${element} name=encoder ${quality} bitrate=${kbit} vbv-buffer-size=${Math.max(1000, kbit)}`
  return { needs: [element], elements: `${nv12} ! ${encoder} ! h264parse config-interval=-1 ! ${baseline}` }
}

function h264(kbit: number, hasElement: HasElement): Encoding {
  if (hasElement('openh264enc')) {
    const rate = `bitrate=${kbit * 1000} max-bitrate=${(kbit + 1024) * 1000}`
    return { needs: [], elements: `openh264enc multi-thread=4 complexity=high ${rate} ! ${baseline}` }
  }
  // A delimiter before each frame would be a packet of its own.
  const encoder = `x264enc aud=false threads=4 bitrate=${kbit} key-int-max=60 vbv-buf-capacity=${Math.max(1000, kbit)}`
  return { needs: ['x264enc'], elements: `${nv12} ! ${encoder} byte-stream=true tune=zerolatency speed-preset=veryfast ! ${baseline}` }
}
