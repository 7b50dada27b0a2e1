import type { Codec } from './codec.ts'
import { RtpUnframer } from './rtp-framing.ts'

/** RTP packets of this size fit an ordinary path with SRTP, extensions and the RTX header on top; all of a frame but the last have it. */
export const mtu = 1200

/** For one run of a pipeline that ends as `withRtpTail` says: gives the codec's packets that each chunk of its byte stream completes, in order. */
export function rtpReader({ repacketizer }: Pick<Codec, 'repacketizer'>): (chunk: Buffer) => Buffer[] {
  const unframer = new RtpUnframer()
  const repacketize = repacketizer?.(mtu)
  return (chunk) => (repacketize === undefined ? unframer.push(chunk) : unframer.push(chunk).flatMap(repacketize))
}
