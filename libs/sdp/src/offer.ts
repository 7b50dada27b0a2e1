import { type Description, type Direction, describe, type MediaSection } from './describe.ts'
import type { MediaKind, RtpParameters } from './rtp.ts'

export interface SendingOptions {
  readonly kind: MediaKind
  readonly mid: string
  readonly track: string
  readonly direction: Direction
  /** Of the consumer that sends. */
  readonly rtp: RtpParameters
}

/** The m-line of what the server sends with these RTP parameters. */
export function sendingSection({ kind, mid, track, direction, rtp }: SendingOptions): MediaSection {
  const [encoding] = rtp.encodings
  const rtxSsrc = encoding?.rtx?.ssrc
  return {
    kind,
    mid,
    direction,
    codecs: rtp.codecs,
    headerExtensions: rtp.headerExtensions,
    ...(encoding?.ssrc === undefined
      ? {}
      : { sending: { track, ssrc: encoding.ssrc, cname: rtp.rtcp.cname ?? track, ...(rtxSsrc === undefined ? {} : { rtxSsrc }) } }),
  }
}

/** The server's offer. `transport.setup` is `active` where the server opens DTLS at once, or `actpass` to leave it to the client. */
export function offer(description: Description): string {
  return describe(description)
}
