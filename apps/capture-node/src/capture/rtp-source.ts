import type { NekoError } from '@neko-edge/kit'
import type { Codec } from './codec.ts'

/**
 * One encoded stream of the room, as RTP with one SSRC for life. It runs only while somebody retains it; sequence numbers and timestamps go on
 * over every restart, so that a new encoder run is one key frame to its readers and not a jump.
 */
export interface RtpSource {
  /** The configured pipeline id (`main`, `hq`, …), `legacy` for the picture with the pointer, `audio` for the sound. */
  readonly id: string
  readonly codec: Codec
  /** The SSRC of every RTP packet and sender report of this source. */
  readonly ssrc: number
  /** Whether an encoder runs now. */
  readonly isRunning: boolean
  /** Measured rate of RTP packets in bit/s over the last full second; 0 when stopped. */
  readonly bitrate: number
  /** Why the encoder can not run, for as long as that holds: the text of GStreamer. */
  readonly failure: NekoError | undefined
  /** Asks for the stream and gives back the way to let go; letting go twice is letting go once. The encoder stops some seconds after the last release. */
  retain(): () => void
  /** Resolves at the first packet of the present run (at once when packets flow); rejects with the failure, or `timeout` after `ms`. The caller must retain. */
  ready(ms?: number): Promise<void>
  /** Complete RTP packets, in order; of a picture all of a frame in one call, unless its end takes more than 3 ms to come. The buffers are the listener's to keep, never to write to. */
  onPackets(listener: (packets: readonly Buffer[]) => void): () => void
  /** Complete compound RTCP packets from the encoder: sender reports on the timeline of `onPackets`, about two a second. */
  onRtcp(listener: (packet: Buffer) => void): () => void
  /** Asks the encoder for a key frame (RFC 4585 PLI); it comes 10–40 ms later. Nothing happens when stopped (a run starts with a key frame) or for audio. */
  requestKeyFrame(): void
}
