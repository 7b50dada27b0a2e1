/**
 * V2 pipelines are printf formats with one `%s` and no sink. V3 knows placeholders by name and wants an appsink.
 * The picture that V3 clients get has no pointer; the one for V2 clients is made from it by the capture builder.
 */

const sink = ' ! appsink name=appsink'

/** A V2 video pipeline as `capture.video.pipeline`: without the pointer, as the picture `main` is. */
export function videoPipelineFromV2(format: string): string {
  const pipeline = fill(format, '{display}')
  if (/\bshow-pointer=true\b/.test(pipeline)) {
    return pipeline.replace(/\bshow-pointer=true\b/, 'show-pointer=false')
  }
  // ximagesrc draws the pointer unless told otherwise.
  return /\bshow-pointer=/.test(pipeline) ? pipeline : pipeline.replace(/\bximagesrc\b/, 'ximagesrc show-pointer=false')
}

/** A V2 audio pipeline as `capture.audio.pipeline`. */
export function audioPipelineFromV2(format: string): string {
  return fill(format, '{device}')
}

function fill(format: string, placeholder: string): string {
  let used = false
  const filled = format.replaceAll(/%[%s]/g, (verb) => {
    if (verb === '%%') {
      return '%'
    }
    // Only the first had an argument; upstream puts an error text in the place of a second, which no pipeline can hold.
    const text = used ? '' : placeholder
    used = true
    return text
  })
  return /\bname=appsink\b/.test(filled) ? filled : filled.trimEnd() + sink
}
