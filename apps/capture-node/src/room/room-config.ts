import { availableParallelism, networkInterfaces } from 'node:os'
import type { Config } from '@neko-edge/config'
import type { CaptureOptions } from '../capture/capture-options.ts'
import type { RoomDesktop } from '../process/room-desktop.ts'
import type { MediasoupSfuOptions } from '../sfu/mediasoup-sfu.ts'

/** What the configuration says of capture, as the capture side reads it. */
export function captureOptions({ capture }: Config): CaptureOptions {
  const { video, audio, broadcast, screencast, webcam, microphone } = capture
  return {
    video: {
      codec: video.codec,
      ids: video.ids,
      pipelines: video.pipelines,
      pipeline: video.pipeline,
      v2: { hwenc: video.hwenc, bitrate: video.bitrate, max_fps: video.maxFps },
    },
    audio: { device: audio.device, codec: audio.codec, pipeline: audio.pipeline, v2: { bitrate: audio.bitrate } },
    broadcast: {
      audio_bitrate: broadcast.audioBitrate,
      video_bitrate: broadcast.videoBitrate,
      preset: broadcast.preset,
      pipeline: broadcast.pipeline,
      url: broadcast.url,
      autostart: broadcast.autostart,
    },
    screencast: { ...screencast, quality: String(screencast.quality) },
    webcam,
    microphone,
  }
}

/** The machine's first address that is not loopback; loopback where it has no other. */
function ownAddress(): string {
  const all = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? [])
  return all.find(({ internal, family }) => !internal && family === 'IPv4')?.address ?? '127.0.0.1'
}

/**
 * How many media workers run where the configuration does not say: a desktop's encoders need processors, too; and who names one port has
 * opened one port.
 */
function automaticWorkers({ node, webrtc }: Config): number {
  const isFixed = webrtc.udpmux > 0 || webrtc.tcpmux > 0
  return isFixed ? 1 : Math.max(1, availableParallelism() - (node.roles.includes('capture') ? 1 : 0))
}

/** What the configuration says of the media workers of a node. */
export function sfuOptions(config: Config): Pick<MediasoupSfuOptions, 'workers' | 'maxLoad' | 'ports' | 'pipes' | 'estimator'> {
  const { sfu, webrtc, node } = config
  const { udpmux, tcpmux, epr, estimator } = webrtc
  return {
    workers: sfu.workers === 0 ? automaticWorkers(config) : sfu.workers,
    maxLoad: sfu.maxLoad / 100,
    pipes: { ip: node.address === '' ? ownAddress() : node.address, range: node.pipePorts },
    ports: { ...(udpmux > 0 && { udp: udpmux }), ...(tcpmux > 0 && { tcp: tcpmux }), ...(epr && { range: epr }) },
    ...(estimator.enabled && !estimator.passive && { estimator: { initialBitrate: estimator.initialBitrate, isTold: estimator.debug } }),
  }
}

/** The number in `:99` or `:99.0`; nothing for an empty text. */
export function displayNumber(display: string): number | undefined {
  const found = /^:(\d+)/.exec(display.trim())
  return found === null ? undefined : Number(found[1])
}

/**
 * What children that capture are spawned with: the room's own display, or the one that `capture.video.display` names. Another X server knows nothing of the
 * room's cookie and is in another namespace: it has to let clients of its machine in by itself.
 */
export function captureChild(
  { capture }: Config,
  { captureChild: own, displayNumber: number }: Pick<RoomDesktop, 'captureChild' | 'displayNumber'>,
): RoomDesktop['captureChild'] {
  const { display } = capture.video
  if (display === '' || displayNumber(display) === number) {
    return own
  }
  const { XAUTHORITY: _, ...env } = own.env
  return { env: { ...env, DISPLAY: display } }
}
