/** Looks at every pipeline that an operator wrote, before anything runs: a mistake in one is found at the start, not when the first viewer comes. */
import { execFile } from 'node:child_process'
import { type Log, messageOf, NekoError } from '@neko-edge/kit'
import { findProgram, systemPath } from '@neko-edge/process'
import { broadcastText } from './broadcast.ts'
import type { CaptureOptions } from './capture-options.ts'
import { codecNamed } from './codec.ts'
import type { GstInstallation } from './gst-installation.ts'
import { launchArguments } from './launch-text.ts'
import { audioPipelineText, type CapturedScreen, isSet, withRtpTail } from './pipeline.ts'
import { screencastText } from './screencast.ts'
import { planVideo } from './video-plan.ts'

/** GStreamer makes the pipeline of the text, and then this element keeps it from ever running: nothing is captured, played or sent. */
const brake = 'fakesink state-error=null-to-ready'
/** Any display and SSRC will do: nothing of it is ever opened. */
const display = ':0'
const ssrc = 2
const parseMs = 20_000
/** What gst-launch says of a text that it can make no pipeline of. */
const refused = /^(?:WARNING: erroneous pipeline|ERROR: pipeline could not be constructed): (.+)$/mu

export interface CheckedOptions {
  readonly options: CaptureOptions
  readonly gst: GstInstallation
  /** The screen that expressions are computed with. */
  readonly screen: CapturedScreen
  readonly log: Log
}

/**
 * Has GStreamer read every configured pipeline without running it; pipelines that are built in are known to be good.
 * Errors: `invalid`, with a line for each that is not one: its option, and what GStreamer says of it.
 */
export async function checkPipelines({ options, gst, screen, log }: CheckedOptions): Promise<void> {
  const checks = [...writtenPipelines(options, { gst, screen, log })].map(async ([option, text]) => {
    try {
      const complaint = await complaintOf(text(), gst.env)
      return complaint === undefined ? [] : [`${option}: GStreamer can not read this pipeline: ${complaint}`]
    } catch (error) {
      return [`${option}: ${messageOf(error)}`]
    }
  })
  const problems = (await Promise.all(checks)).flat()
  if (problems.length > 0) {
    throw new NekoError('invalid', problems.join('\n'))
  }
}

/** The options that hold a pipeline, each with the text that it becomes. */
function writtenPipelines(
  { video, audio, broadcast, screencast }: CaptureOptions,
  { gst, screen, log }: { gst: GstInstallation; screen: CapturedScreen; log: Log },
): Map<string, () => string> {
  const written = new Map<string, () => string>()
  const plan = planVideo(video, { display, hasElement: gst.hasElement, log })
  const ids = Object.keys(video.pipelines)
  if (ids.length > 0 || isSet(video.pipeline)) {
    for (const [id, text] of plan.ladder) {
      written.set(ids.length > 0 ? `capture.video.pipelines.${id}` : 'capture.video.pipeline', () =>
        withRtpTail(text(screen), plan.codec, ssrc),
      )
    }
  }
  if (ids.includes('legacy')) {
    written.set('capture.video.pipelines.legacy', () => withRtpTail(plan.withPointer(screen), plan.codec, ssrc))
  }
  const sound = codecNamed(audio.codec, 'audio', gst.hasElement)
  if (isSet(audio.pipeline)) {
    const text = () => audioPipelineText({ device: audio.device, codec: sound, custom: audio.pipeline })
    written.set('capture.audio.pipeline', () => withRtpTail(text(), sound, ssrc))
  }
  if (isSet(broadcast.pipeline)) {
    const url = isSet(broadcast.url) ? broadcast.url : 'rtmp://127.0.0.1/live'
    written.set('capture.broadcast.pipeline', () => broadcastText(broadcast, { display, device: audio.device, url }))
  }
  if (isSet(screencast.pipeline)) {
    written.set('capture.screencast.pipeline', () => screencastText(screencast, display))
  }
  return written
}

/** What GStreamer says against a text; `undefined` for a pipeline. */
function complaintOf(text: string, env: Readonly<Record<string, string>>): Promise<string | undefined> {
  const command = findProgram('gst-launch-1.0', 'gstreamer1.0-tools')
  const args = launchArguments(`${text.trim()} ${brake}`)
  return new Promise((resolve) => {
    execFile(command, args, { env: { PATH: systemPath, LC_ALL: 'C', ...env }, timeout: parseMs }, (_, out, err) =>
      resolve(refused.exec(`${err}\n${out}`)?.[1]),
    )
  })
}
