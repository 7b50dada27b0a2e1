/** Which pictures a room has: the quality ladder without the pointer, and one picture with the pointer drawn in. */
import { type Log, NekoError } from '@neko-edge/kit'
import type { V2VideoOptions, VideoOptions, VideoPipelineOptions } from './capture-options.ts'
import { type Codec, codecNamed, codecs } from './codec.ts'
import { withPointer } from './launch-text.ts'
import { type CapturedScreen, defaultVideoPipeline, isSet, videoPipelineText } from './pipeline.ts'
import { type HasElement, missingElements, type V2Surroundings, v2VideoPipelineText } from './v2-pipeline.ts'

/** Gives the pipeline's text for the screen as it is now. */
export type VideoText = (screen: CapturedScreen) => string

export interface VideoPlan {
  readonly codec: Codec
  /** The ladder, best first; never empty. */
  readonly ladder: ReadonlyMap<string, VideoText>
  /** The best picture with the pointer drawn in. */
  readonly withPointer: VideoText
}

/** The id of the picture with the pointer, and of the configured entry that replaces the derived one. */
export const pointerId = 'legacy'
const mainId = 'main'

/** The plan of a configuration. Errors: `invalid` for an unknown codec, an id without pipeline, an expression that cannot be read. */
export function planVideo(
  options: VideoOptions,
  { display, hasElement, log }: { display: string; hasElement: HasElement; log: Log },
): VideoPlan {
  const codec = codecNamed(options.codec, 'video', hasElement)
  const plan = (all: Readonly<Record<string, VideoPipelineOptions>>, ids: readonly string[], chosen: Codec) =>
    planEntries({ all, ids, codec: chosen, display, log })
  if (Object.keys(options.pipelines).length > 0) {
    return plan(options.pipelines, options.ids, codec)
  }
  if (isSet(options.pipeline)) {
    return plan({ [mainId]: { gst_pipeline: options.pipeline } }, [mainId], codec)
  }
  if (options.v2 !== undefined) {
    const v2 = encodable(options.v2, { codec, display, hasElement, log })
    if (v2) {
      const text: VideoText = (screen) => v2VideoPipelineText(v2, { codec, display, hasElement }, screen)
      return { codec, ladder: new Map([[mainId, (screen) => withPointer(text(screen), 'hidden')]]), withPointer: text }
    }
  } else if (codec.name !== 'vp8') {
    log.warn({ codec: codec.name }, 'no pipeline is configured for this codec, the default picture is used')
  }
  return plan({ [mainId]: defaultVideoPipeline }, [mainId], codecs.vp8)
}

/** The options as this machine can do them: without the hardware that it lacks, and `undefined` where nothing here encodes the codec. */
function encodable(options: V2VideoOptions, { log, ...place }: { log: Log } & V2Surroundings): V2VideoOptions | undefined {
  const missing = missingElements(options, place)
  if (missing.length === 0) {
    return options
  }
  const codec = place.codec.name
  if (options.hwenc !== undefined && options.hwenc !== 'none') {
    log.error(
      { hwenc: options.hwenc, codec, missing },
      'hardware encoder is not on this machine, its processor encodes: install the driver and its GStreamer plugin, or take the option away',
    )
    return encodable({ ...options, hwenc: 'none' }, { log, ...place })
  }
  log.error(
    { codec, missing },
    'encoder is not on this machine, the default picture is sent as VP8: install its GStreamer plugin, or choose another codec',
  )
  return undefined
}

interface Entries {
  readonly all: Readonly<Record<string, VideoPipelineOptions>>
  readonly ids: readonly string[]
  readonly codec: Codec
  readonly display: string
  readonly log: Log
}

function planEntries({ all, ids, codec, display, log }: Entries): VideoPlan {
  const named = Object.keys(all).filter((id) => id !== pointerId)
  const listed = ids.length > 0 ? [...new Set(ids)] : named.length > 0 ? named : [pointerId]
  const texts = listed.map((id): [string, VideoText] => {
    const entry = Object.hasOwn(all, id) ? all[id] : undefined
    if (entry === undefined) {
      throw new NekoError('invalid', `capture.video.ids: there is no pipeline ${JSON.stringify(id)}; known: ${Object.keys(all).join(', ')}`)
    }
    return [id, (screen) => videoPipelineText(entry, display, screen)]
  })
  const unlisted = named.filter((id) => !listed.includes(id))
  if (unlisted.length > 0) {
    log.warn({ pipelines: unlisted }, 'pipelines that capture.video.ids does not name are not used')
  }
  const pointer = Object.hasOwn(all, pointerId) ? all[pointerId] : undefined
  const best = texts[0]?.[1]
  if (best === undefined) {
    throw new NekoError('invalid', 'capture.video: no pipeline')
  }
  return {
    codec,
    ladder: new Map(texts),
    withPointer:
      pointer === undefined ? (screen) => withPointer(best(screen), 'shown') : (screen) => videoPipelineText(pointer, display, screen),
  }
}
