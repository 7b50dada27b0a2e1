import type { Config } from '@neko-edge/config'
import type { CaptureOptions } from '../capture/capture-options.ts'

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
