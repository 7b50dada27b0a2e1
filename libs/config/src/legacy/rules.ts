/** How each V2 option becomes V3 options, where it is more than the same value under another name. */
import { envName } from '../schema/options.ts'
import type { Given } from '../source/given.ts'
import { BadValue } from '../value/bad-value.ts'
import { readPortRange } from '../value/network.ts'
import { readBoolean, readInteger, readJson, readList, readText } from '../value/scalar.ts'
import { audioPipelineFromV2, videoPipelineFromV2 } from './pipeline.ts'

/** One V3 value that a V2 option becomes. */
export interface Assignment {
  readonly path: string
  readonly raw: unknown
}

/** What a rule may look at: the other V2 options and which V3 options somebody set. */
export interface Around {
  readonly v2: ReadonlyMap<string, Given>
  readonly isSet: (path: string) => boolean
}

/** Assignments, perhaps with a remark; or why the value can not be read. */
type Outcome = readonly Assignment[] | { readonly assignments: readonly Assignment[]; readonly remark: string } | BadValue
/** What a value becomes. */
export type Rule = (raw: unknown, around: Around) => Outcome

const ignored = (why: string): Outcome => ({ assignments: [], remark: `it is ignored: ${why}` })
const hasPipeline = ({ isSet }: Around): boolean => isSet('capture.video.pipeline') || isSet('capture.video.pipelines')

/** A rule for generated video: V3 pipelines and what V2 would generate exclude each other. */
const unlessPipeline =
  (rule: Rule): Rule =>
  (raw, around) =>
    hasPipeline(around) ? ignored('a V3 pipeline is set') : rule(raw, around)

const pass =
  (path: string): Rule =>
  (raw) => [{ path, raw }]

/** V2's zero meant: not set. */
const unlessZero =
  (path: string): Rule =>
  (raw) =>
    readInteger(raw) === 0 ? ignored('0 means the default') : [{ path, raw }]

const videoFlags = ['vp8', 'vp9', 'h264', 'av1']
const audioFlags = ['opus', 'g722', 'pcmu', 'pcma']

/** The codec flag that counts: the first true one. */
function codecFlagOf(flags: readonly string[], { v2 }: Around): string | undefined {
  return flags.find((flag) => v2.has(flag) && readBoolean(v2.get(flag)?.raw) === true)
}

function codecFlagRule(side: 'video' | 'audio', flag: string): Rule {
  return (raw, around) => {
    const value = readBoolean(raw)
    if (value instanceof BadValue) {
      return value
    }
    const winner = codecFlagOf(side === 'video' ? videoFlags : audioFlags, around)
    if (value === false || winner !== flag) {
      return ignored(value === false ? 'it is false' : `${envName(winner ?? '')} comes first`)
    }
    return codecRule(side)(flag, around)
  }
}

function codecRule(side: 'video' | 'audio'): Rule {
  return (raw, around) => {
    const path = `capture.${side}.codec`
    // Codec and pipeline are one thing: a V2 codec must not be put before a V3 pipeline that comes with its own.
    return side === 'video' && hasPipeline(around) && around.isSet(path) ? ignored('a V3 pipeline with its codec is set') : [{ path, raw }]
  }
}

function codecTextRule(side: 'video' | 'audio'): Rule {
  return (raw, around) => {
    const flag = codecFlagOf(side === 'video' ? videoFlags : audioFlags, around)
    return flag === undefined ? codecRule(side)(raw, around) : ignored(`${envName(flag)} comes first`)
  }
}

function pipelineRule(path: string, convert: (format: string) => string): Rule {
  return (raw) => {
    const format = readText(raw)
    if (format instanceof BadValue) {
      return format
    }
    return format === '' ? ignored('it is empty') : [{ path, raw: convert(format) }]
  }
}

const hwencRule: Rule = (raw) => {
  const word = readText(raw)
  if (word instanceof BadValue) {
    return word
  }
  const known = ['none', 'vaapi', 'nvenc'].includes(word.trim().toLowerCase())
  return known ? [{ path: 'capture.video.hwenc', raw }] : ignored('it is none of none, vaapi, nvenc, so the processor encodes')
}

function passwordRule(path: string): Rule {
  return (raw) =>
    raw === ''
      ? ignored('it is empty')
      : [
          { path: 'member.provider', raw: 'multiuser' },
          { path, raw },
        ]
}

const lockPaths: ReadonlyMap<string, string> = new Map([
  ['control', 'session.locked_controls'],
  ['login', 'session.locked_logins'],
  ['file_transfer', 'session.locked_file_transfer'],
])

const locksRule: Rule = (raw) => {
  const locks = readList(raw)
  if (locks instanceof BadValue) {
    return locks
  }
  const assignments = [...lockPaths].filter(([lock]) => locks.includes(lock)).map(([, path]) => ({ path, raw: 'true' }))
  const unknown = locks.filter((lock) => !lockPaths.has(lock))
  return unknown.length === 0 ? assignments : { assignments, remark: `there is no lock named ${unknown.join(', ')}` }
}

const frontend = 'webrtc.iceservers.frontend'
const backend = 'webrtc.iceservers.backend'

/** V2's two options make one list: that of the JSON, then one server with all addresses of the other. */
const iceServersRule: Rule = (_, { v2 }) => {
  const servers: unknown[] = []
  if (v2.has('iceservers')) {
    const list = readJson(v2.get('iceservers')?.raw)
    if (list instanceof BadValue) {
      return list
    }
    servers.push(...(Array.isArray(list) ? list : [list]))
  }
  if (v2.has('iceserver')) {
    const urls = readList(v2.get('iceserver')?.raw)
    if (urls instanceof BadValue) {
      return urls
    }
    servers.push(...(urls.length === 0 ? [] : [{ urls }]))
  }
  return [
    { path: frontend, raw: servers },
    { path: backend, raw: servers },
  ]
}

/** V2 read any text: a part that is no port became 59000 or 59100, and an inverted range was turned round. */
const eprRule: Rule = (raw) => {
  const range = readText(raw)
  if (range instanceof BadValue || !(readPortRange(range) instanceof BadValue)) {
    return range instanceof BadValue ? range : [{ path: 'webrtc.epr', raw }]
  }
  const [low = '', high = ''] = range.split('-')
  const port = (part: string, fallback: number): number =>
    /^\s*\d+\s*$/.test(part) && Number(part) >= 1 && Number(part) <= 65_535 ? Number(part) : fallback
  const ports = [port(low, 59_000), port(high, 59_100)].sort((a, b) => a - b)
  const text = ports.join('-')
  return { assignments: [{ path: 'webrtc.epr', raw: text }], remark: `it is read as ${text}, as V2 did` }
}

/** V2 kept its range of UDP ports beside a TCP port; in V3 a TCP port alone means no UDP. */
const tcpmuxRule: Rule = (raw, { v2, isSet }) => {
  const hasUdp = ['epr', 'udpmux'].some((key) => v2.has(key) || isSet(`webrtc.${key}`))
  const range = { path: 'webrtc.epr', raw: '59000-59100' }
  return hasUdp || readInteger(raw) === 0
    ? [{ path: 'webrtc.tcpmux', raw }]
    : { assignments: [{ path: 'webrtc.tcpmux', raw }, range], remark: 'and webrtc.epr 59000-59100, which V2 kept beside it' }
}

const logsRule: Rule = (raw) => {
  const on = readBoolean(raw)
  return on instanceof BadValue ? on : [{ path: 'log.dir', raw: on ? '/var/log/neko' : '' }]
}

/** V2 let everybody download and upload; in V3 each of these is a right of users that has to be granted. */
const fileTransferRule: Rule = (raw, { isSet }) => {
  const on = readBoolean(raw)
  if (on instanceof BadValue) {
    return on
  }
  const rights = ['filetransfer.user_download', 'filetransfer.user_upload'].filter((path) => on && !isSet(path))
  return [{ path: 'filetransfer.enabled', raw }, ...rights.map((path) => ({ path, raw: 'true' }))]
}

/** The rules by V2 key; an option without one keeps its value. */
export const rules: Readonly<Record<string, Rule>> = {
  logs: logsRule,
  ...Object.fromEntries(videoFlags.map((flag) => [flag, codecFlagRule('video', flag)])),
  ...Object.fromEntries(audioFlags.map((flag) => [flag, codecFlagRule('audio', flag)])),
  video_codec: codecTextRule('video'),
  audio_codec: codecTextRule('audio'),
  video: unlessPipeline(pipelineRule('capture.video.pipeline', videoPipelineFromV2)),
  audio: pipelineRule('capture.audio.pipeline', audioPipelineFromV2),
  video_bitrate: unlessPipeline(unlessZero('capture.video.bitrate')),
  max_fps: unlessPipeline(pass('capture.video.max_fps')),
  hwenc: unlessPipeline(hwencRule),
  audio_bitrate: unlessZero('capture.audio.bitrate'),
  password: passwordRule('member.multiuser.user_password'),
  password_admin: passwordRule('member.multiuser.admin_password'),
  locks: locksRule,
  file_transfer_enabled: fileTransferRule,
  iceservers: iceServersRule,
  iceserver: iceServersRule,
  tcpmux: tcpmuxRule,
  epr: eprRule,
}
