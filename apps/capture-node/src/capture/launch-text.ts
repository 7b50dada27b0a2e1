/**
 * Pipelines as gst-launch text, and the way of that text to gst-launch-1.0 without a shell.
 * Upstream hands its text to `gst_parse_launch`; ours must be read in exactly that way, quotes and all.
 */
import { NekoError } from '@neko-edge/kit'

/** `appsink` as an element, with the properties written behind it. */
const appsinkPattern = /(?<=^|[\s!])appsink(?=[\s]|$)((?:\s+[\w-]+\s*=\s*(?:"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|[^\s!]+))*)/gu
const appsinkNamePattern = /\sname\s*=\s*["']?appsink["']?(?:\s|$)/u

/**
 * The arguments with which gst-launch-1.0 reads `text` as `gst_parse_launch` would. It escapes spaces inside an argument and joins all arguments
 * with one space, so cutting at every single space, quoted or not, gives back the same text. `--` keeps any of it from being an option of the program.
 */
export function launchArguments(text: string): string[] {
  if (text.includes('\0')) {
    throw new NekoError('invalid', 'pipeline: a zero character is not allowed')
  }
  return ['-q', '--no-fault', '--', ...text.trim().split(' ')]
}

/** `value` as it may stand between quotes or bare in a pipeline. Errors: `invalid` where it holds what could end the value and begin an element. */
export function safeValue(value: string, what: string): string {
  if (value === '' || /[\s"'`!\\]|\p{Cc}/u.test(value)) {
    throw new NekoError('invalid', `${what} ${JSON.stringify(value)}: must not be empty nor contain spaces, quotes, backslashes or "!"`)
  }
  return value
}

/** Replaces the first `{name}` of each name, in the order given. */
export function fillPlaceholders(text: string, values: Readonly<Record<string, string>>): string {
  return Object.entries(values).reduce((filled, [name, value]) => filled.replace(`{${name}}`, () => value), text)
}

/** Puts `elements` in the place of the element `appsink name=appsink` that a user's pipeline ends in. Errors: `invalid` when there is not exactly one. */
export function replaceAppsink(text: string, elements: string): string {
  let found = 0
  const replaced = text.replace(appsinkPattern, (whole: string, properties: string) => {
    if (!appsinkNamePattern.test(properties)) {
      return whole
    }
    found += 1
    return elements
  })
  if (found !== 1) {
    throw new NekoError(
      'invalid',
      `pipeline ${JSON.stringify(text)}: needs exactly one "appsink name=appsink" where its media comes out, has ${found}`,
    )
  }
  return replaced
}

/** Encoders that take 4:4:4 besides 4:2:0, behind a `videoconvert` to which nobody has said what to make of the screen's RGB. */
const openChroma = /(\bvideoconvert\b(?:(?!\bformat\s*=).)*?!\s*)((?:av1|vp9|x264)enc)(?=\s|$)/gsu

/**
 * Asks `videoconvert` for 4:2:0 where the text leaves the choice to it: it would choose 4:4:4, which loses nothing of RGB, but is another profile than
 * the one that viewers are offered; Firefox 153 crashes on AV1 of that kind. A text that names a format keeps it.
 */
export function withChroma(text: string): string {
  return text.replace(openChroma, (_, before: string, encoder: string) => `${before}video/x-raw,format=I420 ! ${encoder}`)
}

/** The first `show-pointer` of the pipeline turned to `shown`; a pipeline that names none shows the pointer, as ximagesrc does by itself. */
export function withPointer(text: string, shown: 'shown' | 'hidden'): string {
  return text.replace(
    /(\bshow-pointer\s*=\s*)(?:\([a-z]+\))?["']?(?:true|false|yes|no|1|0)\b["']?/iu,
    (_, name: string) => `${name}${shown === 'shown'}`,
  )
}
