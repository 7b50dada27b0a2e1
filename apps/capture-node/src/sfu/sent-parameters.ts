import type { RtpParameters } from 'mediasoup/types'
import type { Codec } from '../capture/codec.ts'
import type { RtpSource } from '../capture/rtp-source.ts'
import { PLAYOUT_DELAY, playoutDelayId } from './playout-delay.ts'
import type { RoomSources } from './sfu.ts'

/** Codecs whose streams one producer can switch between. */
const canSimulcast = (codec: Codec): boolean => codec.name === 'vp8' || codec.name === 'h264'

/** The pictures of a room, each as the streams that it can show, worst first; the one with the pointer last. */
export function pictureLayers({ rungs: bestFirst, cursorVideo }: Pick<RoomSources, 'rungs' | 'cursorVideo'>): (readonly RtpSource[])[] {
  const rungs = [...bestFirst].reverse()
  return [...(canSimulcast(cursorVideo.codec) ? [rungs] : rungs.map((rung) => [rung])), [cursorVideo]]
}

/**
 * Feedback that an encoder of ours can act on. Without `nack pli` the worker would never ask for a key frame; plain `nack` would have it ask for packets
 * that never got lost, where they come from this very process, and is needed where they come over a network.
 */
const feedback = {
  ingest: [{ type: 'nack', parameter: 'pli' }],
  network: [{ type: 'nack' }, { type: 'nack', parameter: 'pli' }],
}

/** What a worker has to know of the RTP of some layers of one picture, or of the sound. */
export function sentParameters(layers: readonly [RtpSource, ...RtpSource[]], way: 'ingest' | 'network'): RtpParameters {
  const { kind, mimeType, payloadType, clockRate, channels, parameters, headerExtensions = [] } = layers[0].codec
  return {
    codecs: [
      {
        mimeType,
        payloadType,
        clockRate,
        ...(channels === undefined ? {} : { channels }),
        parameters: { ...parameters },
        rtcpFeedback: kind === 'video' ? feedback[way] : [],
      },
    ],
    ...(kind === 'video' && { headerExtensions: [{ uri: PLAYOUT_DELAY, id: playoutDelayId }, ...headerExtensions] }),
    encodings: layers.map(({ ssrc }) => ({ ssrc })),
    rtcp: { cname: 'neko' },
  }
}
