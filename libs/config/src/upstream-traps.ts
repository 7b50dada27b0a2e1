import type { Option } from './schema/option.ts'
import type { Given } from './source/given.ts'

/** Where upstream's loader surprises and ours does not: what it does, and what happens here. For the reference. */
export const fixedTraps: readonly { readonly upstream: string; readonly here: string }[] = [
  { upstream: 'A bare number for a duration is nanoseconds (`3600` is 3.6 µs).', here: 'It is seconds; said once at the start.' },
  {
    upstream: 'A variable named like a section (`NEKO_SERVER`) wipes the file and the defaults below it.',
    here: 'It is ignored with a warning.',
  },
  { upstream: 'Lists in variables are split at white space, in flags at commas.', here: 'Both separators and JSON work everywhere.' },
  { upstream: '`yes`, `on`, `y` are false without a word.', here: 'They are true (and `no`, `off`, `n` false); said once at the start.' },
  {
    upstream: 'A value that can not be read becomes 0, false or the default without a word.',
    here: 'It is an error with source, reason and remedy.',
  },
  {
    upstream: 'Unknown keys and variables are ignored.',
    here: 'An error that names the closest known one; a far-off variable is a warning.',
  },
  { upstream: 'Keys in maps (pipeline ids) lose their upper case in a file.', here: 'They keep it.' },
  { upstream: 'An unknown `member.provider` lets everybody in as an admin.', here: 'It is an error.' },
  { upstream: '`capture.video.codec` falls back to vp8 unless a pipeline is set.', here: 'The pipeline for the codec is generated.' },
  { upstream: '`capture.video.pipelines` without `ids` panics.', here: 'The ids are those of the pipelines, in their order.' },
  { upstream: '`webrtc.epr` with one number gives random ports.', here: 'It is an error.' },
  { upstream: '`webrtc.ip_retrieval_url` can not be emptied by a variable.', here: '`none` switches it off.' },
  { upstream: 'A V2 password alone resets the other password to its default.', here: 'The other keeps its V3 value.' },
  { upstream: '`NEKO_ICESERVER` is appended to a list that already holds a default.', here: 'It replaces the default, as in V2.' },
  { upstream: 'V2 video options alone start with a bit rate of 0.', here: 'Bit rate, frame rate and encoder have V2’s defaults.' },
  { upstream: 'Flags of the built-in plugins abort.', here: 'They work.' },
  { upstream: '`desktop.screen` takes the first match in any text.', here: 'The whole text is the screen; the rate may be left out (30).' },
  { upstream: 'JSON with white space before it is ignored.', here: 'It is read.' },
]

/** What upstream would have made of a value that is read otherwise here, if it differs. Flags with such values abort upstream. */
export function trapNotice(option: Option, given: Given, value: unknown): string | undefined {
  const { raw, source } = given
  if (typeof raw !== 'string' || source.kind === 'flag') {
    return undefined
  }
  const word = raw.trim()
  if (option.kind === 'boolean' && value === true && !/^(1|t|T|true|TRUE|True)$/.test(raw)) {
    return `${source.where}: ${word} is true here; upstream reads it as false`
  }
  if (option.kind === 'duration' && /^[\d.]+$/.test(word) && Number(word) !== 0) {
    return `${source.where}: ${word} is seconds here; upstream reads nanoseconds`
  }
  if (option.kind === 'list' && word.includes(',') && !word.startsWith('[')) {
    return `${source.where}: commas separate here; upstream separates at white space only`
  }
  return undefined
}
