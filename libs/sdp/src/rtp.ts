/** What RTP carries. */
export type MediaKind = 'audio' | 'video'

/** One `a=rtcp-fb` of a codec, e.g. `nack pli`. */
export interface RtcpFeedback {
  readonly type: string
  readonly parameter?: string
}

/** A codec under its payload type (0..127); `parameters` is the content of its `a=fmtp`, in order. */
export interface RtpCodec {
  readonly mimeType: string
  readonly payloadType: number
  readonly clockRate: number
  readonly channels?: number
  readonly parameters?: Readonly<Record<string, string | number | undefined>>
  readonly rtcpFeedback?: readonly RtcpFeedback[]
}

/** One `a=extmap`: which id (1..255) means which extension (RFC 8285). */
export interface RtpHeaderExtension {
  readonly uri: string
  readonly id: number
}

/** One stream; without `ssrc` it is known by its mid only. */
export interface RtpEncoding {
  readonly ssrc?: number
  readonly rtx?: { readonly ssrc: number }
}

/** Everything that describes the RTP of one sender (the shape is that of ORTC, which SFUs speak too). */
export interface RtpParameters {
  readonly mid?: string
  readonly codecs: readonly RtpCodec[]
  readonly headerExtensions: readonly RtpHeaderExtension[]
  readonly encodings: readonly RtpEncoding[]
  readonly rtcp: { readonly cname?: string }
}

/** Whether a codec is retransmission (RFC 4588) of the one that its `apt` names. */
export function isRtx(codec: RtpCodec): boolean {
  return codec.mimeType.toLowerCase().endsWith('/rtx')
}

const sameNumber = (a: RtpCodec, b: RtpCodec, name: string): boolean =>
  Number(a.parameters?.[name] ?? 0) === Number(b.parameters?.[name] ?? 0)

/** The first two bytes of an H264 profile-level-id (RFC 6184 §8.1): the profile and its constraints; the third is the level, which may differ. */
const h264Profile = (codec: RtpCodec): string =>
  String(codec.parameters?.['profile-level-id'] ?? '42e01f')
    .slice(0, 4)
    .toLowerCase()

/** Whether two codecs are one and the same whatever their payload types: a decoder of the one decodes the other. */
export function sameCodec(a: RtpCodec, b: RtpCodec): boolean {
  if (a.mimeType.toLowerCase() !== b.mimeType.toLowerCase() || a.clockRate !== b.clockRate || (a.channels ?? 1) !== (b.channels ?? 1)) {
    return false
  }
  switch (a.mimeType.toLowerCase()) {
    case 'video/h264':
      return sameNumber(a, b, 'packetization-mode') && h264Profile(a) === h264Profile(b)
    case 'video/vp9':
      return sameNumber(a, b, 'profile-id')
    default:
      return true
  }
}
