import type { RouterRtpCodecCapability, RtpCapabilities } from 'mediasoup/types'
import type { Codec } from '../capture/codec.ts'
import { PLAYOUT_DELAY } from './playout-delay.ts'

const MID = 'urn:ietf:params:rtp-hdrext:sdes:mid'
const TRANSPORT_CC = 'http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01'

/** What a viewer is offered beside the codecs: `estimated` = with transport-cc, by which the worker estimates the path and chooses the rung. */
export type Offered = 'plain' | 'estimated' | 'raw'

/** A codec of the room as the router wants it, with the payload type that neko's clients know. */
export function routerCodec(codec: Codec): RouterRtpCodecCapability {
  return {
    kind: codec.kind,
    mimeType: codec.mimeType,
    preferredPayloadType: codec.payloadType,
    clockRate: codec.clockRate,
    ...(codec.channels === undefined ? {} : { channels: codec.channels }),
    parameters: { ...codec.parameters },
  }
}

/**
 * The router's capabilities cut down to what is of use to one kind of receiver. Transport-cc costs the worker half as much again for every
 * packet, so only who needs it gets it; REMB is no substitute; `raw` is for packets to ourselves, that nobody answers.
 */
export function capabilitiesFor(router: RtpCapabilities, offered: Offered): RtpCapabilities {
  const extensions = { plain: [MID, PLAYOUT_DELAY], estimated: [MID, TRANSPORT_CC, PLAYOUT_DELAY], raw: [] as string[] }[offered]
  const unwanted = { plain: ['goog-remb', 'transport-cc'], estimated: ['goog-remb'], raw: ['goog-remb', 'transport-cc'] }[offered]
  return {
    codecs: (router.codecs ?? []).map((codec) => ({
      ...codec,
      rtcpFeedback: (codec.rtcpFeedback ?? []).filter((one) => !unwanted.includes(one.type)),
    })),
    headerExtensions: (router.headerExtensions ?? []).filter((one) => extensions.includes(one.uri)),
  }
}
