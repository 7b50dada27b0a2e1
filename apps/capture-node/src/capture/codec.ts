/** The codecs of a room, with the numbers that neko's clients know, and how GStreamer makes RTP of them. */
import { NekoError } from '@neko-edge/kit'
import { av1Payloader, DEPENDENCY_DESCRIPTOR, dependencyDescriptorId } from './av1-payloader.ts'

export const videoCodecNames = ['vp8', 'vp9', 'av1', 'h264'] as const
export const audioCodecNames = ['opus', 'g722', 'pcmu', 'pcma'] as const
export type VideoCodecName = (typeof videoCodecNames)[number]
export type AudioCodecName = (typeof audioCodecNames)[number]
export type CodecName = VideoCodecName | AudioCodecName

export interface RtcpFeedback {
  readonly type: string
  readonly parameter?: string
}

export interface Codec {
  readonly name: CodecName
  readonly kind: 'audio' | 'video'
  /** Media type as in SDP and mediasoup, e.g. `video/VP8`. */
  readonly mimeType: `${'audio' | 'video'}/${string}`
  readonly payloadType: number
  /** RTP clock in Hz; 8000 for G.722 too, whatever it samples (RFC 3551 §4.5.2). */
  readonly clockRate: number
  /** Set for audio with more than one channel. */
  readonly channels?: number
  /** The fmtp parameters of the offer. */
  readonly parameters: Readonly<Record<string, string | number>>
  /** What clients may send back; the encoder itself only takes `nack pli`. */
  readonly feedback: readonly RtcpFeedback[]
  /** gst-launch text from encoded frames to RTP packets, without payload type, SSRC and MTU. */
  readonly payloader: string
  /** gst-launch text of the depayloader, for media that comes from a client. */
  readonly depayloader: string
  /** Encoding name in the caps of RTP. */
  readonly encodingName: string
  /** Where GStreamer has no payloader for the codec: makes the codec's packets, of at most that size, of what `payloader` sends. One for each run. */
  readonly repacketizer?: (mtu: number) => (packet: Buffer) => Buffer[]
  /** Header extensions that the packets bear, for the SFU alone. */
  readonly headerExtensions?: readonly { readonly uri: typeof DEPENDENCY_DESCRIPTOR; readonly id: number }[]
}

const videoFeedback: readonly RtcpFeedback[] = [
  { type: 'transport-cc' },
  { type: 'goog-remb' },
  { type: 'ccm', parameter: 'fir' },
  { type: 'nack', parameter: 'pli' },
  { type: 'nack' },
]
const video = { kind: 'video', clockRate: 90_000, feedback: videoFeedback, parameters: {} } as const
/** Packets of 20 ms, which RFC 3551 §4.2 makes the default; without it there is one per buffer of the source. */
const twentyMs = 'min-ptime=20000000 max-ptime=20000000'
const audio = { kind: 'audio', clockRate: 8_000, feedback: [], parameters: {} } as const

export const codecs: { readonly [Name in CodecName]: Codec & { readonly name: Name } } = {
  vp8: {
    ...video,
    name: 'vp8',
    mimeType: 'video/VP8',
    payloadType: 96,
    payloader: 'rtpvp8pay',
    depayloader: 'rtpvp8depay',
    encodingName: 'VP8',
  },
  vp9: {
    ...video,
    name: 'vp9',
    mimeType: 'video/VP9',
    payloadType: 98,
    parameters: { 'profile-id': 0 },
    payloader: 'rtpvp9pay',
    depayloader: 'rtpvp9depay',
    encodingName: 'VP9',
  },
  // Upstream gives AV1 the number of VP8; a room has one video codec, so they never meet.
  av1: {
    ...video,
    name: 'av1',
    mimeType: 'video/AV1',
    payloadType: 96,
    payloader: 'av1parse ! video/x-av1,stream-format=obu-stream,alignment=tu ! rtpgstpay',
    depayloader: 'rtpav1depay',
    encodingName: 'AV1',
    repacketizer: av1Payloader,
    headerExtensions: [{ uri: DEPENDENCY_DESCRIPTOR, id: dependencyDescriptorId }],
  },
  h264: {
    ...video,
    name: 'h264',
    mimeType: 'video/H264',
    payloadType: 102,
    parameters: { 'level-asymmetry-allowed': 1, 'packetization-mode': 1, 'profile-level-id': '42e01f' },
    // The SFU knows a key frame by its SPS, so every IDR must carry one, whatever the encoder does.
    payloader: 'h264parse config-interval=-1 ! rtph264pay config-interval=-1 aggregate-mode=zero-latency',
    depayloader: 'rtph264depay',
    encodingName: 'H264',
  },
  opus: {
    ...audio,
    name: 'opus',
    mimeType: 'audio/opus',
    payloadType: 111,
    clockRate: 48_000,
    channels: 2,
    parameters: { useinbandfec: 1, stereo: 1 },
    payloader: 'rtpopuspay',
    depayloader: 'rtpopusdepay',
    encodingName: 'OPUS',
  },
  g722: {
    ...audio,
    name: 'g722',
    mimeType: 'audio/G722',
    payloadType: 9,
    payloader: `rtpg722pay ${twentyMs}`,
    depayloader: 'rtpg722depay',
    encodingName: 'G722',
  },
  pcmu: {
    ...audio,
    name: 'pcmu',
    mimeType: 'audio/PCMU',
    payloadType: 0,
    payloader: `rtppcmupay ${twentyMs}`,
    depayloader: 'rtppcmudepay',
    encodingName: 'PCMU',
  },
  pcma: {
    ...audio,
    name: 'pcma',
    mimeType: 'audio/PCMA',
    payloadType: 8,
    payloader: `rtppcmapay ${twentyMs}`,
    depayloader: 'rtppcmadepay',
    encodingName: 'PCMA',
  },
}

/**
 * The codec of that name and kind. `hasElement` answers whether this machine's GStreamer has an element.
 * Errors: `invalid` for H.265, an unknown name, the wrong kind, or AV1 without its parser; each says what to do.
 */
export function codecNamed(name: string, kind: Codec['kind'], hasElement: (element: string) => boolean): Codec {
  const known = name.toLowerCase()
  if (known === 'h265') {
    throw new NekoError('invalid', 'codec h265: no browser-facing SFU of ours can route it; choose h264, vp8, vp9 or av1')
  }
  const names: readonly string[] = kind === 'video' ? videoCodecNames : audioCodecNames
  const codec = Object.values(codecs).find((one) => one.name === known && one.kind === kind)
  if (codec === undefined) {
    throw new NekoError('invalid', `${kind} codec ${JSON.stringify(name)}: not one of ${names.join(', ')}`)
  }
  if (codec.name === 'av1' && !hasElement('av1parse')) {
    throw new NekoError(
      'invalid',
      'codec av1: GStreamer has no av1parse here; install it with: apt-get install gstreamer1.0-plugins-bad, or choose vp8, vp9 or h264',
    )
  }
  return codec
}
