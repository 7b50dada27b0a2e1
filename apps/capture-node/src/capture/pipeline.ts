/** Builds the pipelines of picture and sound as gst-launch text, each ending in `appsink name=appsink`, and the tail that makes RTP of them. */
import { NekoError } from '@neko-edge/kit'
import type { VideoPipelineOptions } from './capture-options.ts'
import type { Codec } from './codec.ts'
import { evaluate, evaluateNumber, printed } from './expression.ts'
import { fillPlaceholders, replaceAppsink, safeValue, withChroma } from './launch-text.ts'
import { mtu } from './rtp-reader.ts'

/** The screen that expressions are computed with. */
export interface CapturedScreen {
  readonly width: number
  readonly height: number
  /** Refresh rate in Hz. */
  readonly rate: number
}

/** Raw frames that may wait before the encoder. More would only be delay: when the encoder or its reader is late, the oldest are dropped. */
export const frameQueue = 'queue max-size-buffers=2 max-size-bytes=0 max-size-time=0 leaky=downstream'
export const defaultAudioKbit = 128
const sessionName = 'neko-rtp'

/**
 * As many threads as VP8 needs to keep up. More are worse than none: libvpx's threads wait for each other by spinning, so with upstream's four on two
 * busy cores the same picture had 4 frames a second where one thread gave 22 (and used less). One encodes 1920x1080 at 30 in about 20 ms a frame.
 */
export const vp8Threads = 'width * height > 1920 * 1080 ? 2 : 1'

/** Upstream's default picture (§4.1), but for the threads. */
export const defaultVideoPipeline: VideoPipelineOptions = {
  fps: '25',
  gst_encoder: 'vp8enc',
  gst_params: {
    'target-bitrate': 'round(3072 * 650)',
    'cpu-used': '4',
    'end-usage': 'cbr',
    threads: vp8Threads,
    deadline: '1',
    undershoot: '95',
    'buffer-size': '(3072 * 4)',
    'buffer-initial-size': '(3072 * 2)',
    'buffer-optimal-size': '(3072 * 3)',
    'keyframe-max-dist': '25',
    'min-quantizer': '4',
    'max-quantizer': '20',
  },
}

/** The text of a configured picture, for that display and screen. Errors: `invalid`, naming the field. */
export function videoPipelineText(options: VideoPipelineOptions, display: string, screen: CapturedScreen): string {
  if (isSet(options.gst_pipeline)) {
    return fillPlaceholders(options.gst_pipeline, { display: safeValue(display, 'display') })
  }
  if (!isSet(options.gst_encoder)) {
    throw new NekoError('invalid', 'video pipeline: gst_encoder or gst_pipeline must be set')
  }
  const variables = { width: screen.width, height: screen.height, fps: screen.rate }
  const parts = [
    `ximagesrc display-name=${safeValue(display, 'display')} show-pointer=${options.show_pointer ?? false} use-damage=false`,
    `! ${rateCaps(options.fps, variables)} ! videoconvert ! ${frameQueue}`,
    scaling(options, variables),
    attached(options.gst_prefix, 'gst_prefix'),
    `! ${options.gst_encoder} name=encoder ${encoderProperties(options.gst_params ?? {}, variables)}`,
    attached(options.gst_suffix, 'gst_suffix'),
    '! appsink name=appsink',
  ]
  return parts.filter((part) => part !== '').join(' ')
}

/** The text of the sound: `custom` with its `{device}` filled in, or upstream's pipeline of the codec (§6). */
export function audioPipelineText({ device, codec, custom }: { device: string; codec: Codec; custom: string }): string {
  return isSet(custom)
    ? fillPlaceholders(custom, { device: safeValue(device, 'audio device') })
    : builtAudioText(device, codec, defaultAudioKbit)
}

/** Upstream's pipeline of an audio codec; `bitrate` in kbit/s, where the codec has a choice. */
export function builtAudioText(device: string, codec: Codec, bitrate: number): string {
  const source = `pulsesrc device=${safeValue(device, 'audio device')} ! audio/x-raw,channels=2 ! audioconvert ! queue max-size-buffers=5 leaky=downstream`
  return `${source} ! ${audioEncoder(codec, bitrate)} ! appsink name=appsink`
}

function audioEncoder(codec: Codec, bitrate: number): string {
  switch (codec.name) {
    case 'opus':
      return `opusenc inband-fec=true bitrate=${bitrate * 1000}`
    case 'g722':
      // 64 kbit/s is the only rate of G.722 in RTP (RFC 3551 §4.5.2).
      return 'avenc_g722'
    case 'pcmu':
      return 'audio/x-raw,rate=8000 ! mulawenc'
    case 'pcma':
      return 'audio/x-raw,rate=8000 ! alawenc'
    default:
      throw new NekoError('invalid', `codec ${codec.name} is not for sound`)
  }
}

/**
 * The pipeline with RTP on descriptor 3, RTCP on 4 and RTCP taken from 5, each packet behind its length (RFC 4571), in place of its appsink.
 * Sender reports come twice a second, since the SFU switches layers only after three of them.
 */
export function withRtpTail(text: string, codec: Codec, ssrc: number): string {
  const payload = `${codec.payloader} mtu=${mtu} pt=${codec.payloadType} ssrc=${ssrc} ! ${sessionName}.send_rtp_sink`
  const session = [
    `rtpsession name=${sessionName} rtp-profile=avpf rtcp-min-interval=500000000`,
    `${sessionName}.send_rtp_src ! rtpstreampay ! fdsink fd=3 sync=false async=false`,
    `${sessionName}.send_rtcp_src ! rtpstreampay ! fdsink fd=4 sync=false async=false`,
    `fdsrc fd=5 do-timestamp=true ! application/x-rtcp-stream ! rtpstreamdepay ! ${sessionName}.recv_rtcp_sink`,
  ]
  return [replaceAppsink(withChroma(text), payload), ...session].join(' ')
}

export function isSet(text: string | undefined): text is string {
  return text !== undefined && text.trim() !== ''
}

function rateCaps(fps: string | undefined, variables: Readonly<Record<string, number>>): string {
  if (!isSet(fps)) {
    return 'video/x-raw'
  }
  const hundredths = Math.trunc(evaluateNumber(fps, variables) * 100)
  if (hundredths <= 0) {
    throw new NekoError('invalid', `fps ${JSON.stringify(fps)}: must be more than 0`)
  }
  return `capsfilter caps=video/x-raw,framerate=${hundredths}/100 name=framerate`
}

function scaling({ width, height }: VideoPipelineOptions, variables: Readonly<Record<string, number>>): string {
  if (!isSet(width) || !isSet(height)) {
    return ''
  }
  const [w, h] = [width, height].map((side) => Math.trunc(evaluateNumber(side, variables)))
  if (w === undefined || h === undefined || w <= 0 || h <= 0) {
    throw new NekoError('invalid', `width ${JSON.stringify(width)}, height ${JSON.stringify(height)}: must be more than 0`)
  }
  return `! videoscale method=0 ! capsfilter caps=video/x-raw,width=${w},height=${h} name=resolution ! ${frameQueue}`
}

function attached(elements: string | undefined, field: string): string {
  if (!isSet(elements)) {
    return ''
  }
  if (!elements.trim().startsWith('!')) {
    throw new NekoError('invalid', `${field} ${JSON.stringify(elements)}: must begin with "!"`)
  }
  return elements.trim()
}

function encoderProperties(params: Readonly<Record<string, string>>, variables: Readonly<Record<string, number>>): string {
  return Object.entries(params)
    .filter(([, source]) => isSet(source))
    .map(([name, source]) => {
      if (!/^[\w-]+$/u.test(name)) {
        throw new NekoError('invalid', `gst_params: ${JSON.stringify(name)} is not the name of a property`)
      }
      return `${name}=${quoted(printed(evaluate(source, variables)))}`
    })
    .join(' ')
}

/** A value that would be cut at a space gets quotes, unless its author gave it some. */
function quoted(value: string): string {
  return /[\s!]/u.test(value) && !/^["']/u.test(value) ? `"${value.replace(/["\\]/gu, '\\$&')}"` : value
}
