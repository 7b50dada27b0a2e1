/**
 * The structures that options hold. Field names are upstream's, since they are what a file, a variable and the wire hold alike.
 * As upstream: field names in any case, `"true"` and 1 for a flag, a number for a text, one value where a list is expected.
 */
import { z } from 'zod'
import { BadValue } from '../value/bad-value.ts'
import { readBoolean, readInteger, readText } from '../value/scalar.ts'
import { reading } from './option.ts'

const looseText = reading(readText)
const looseFlag = reading(readBoolean)
const looseInteger = reading(readInteger)

function lowerKeys(raw: unknown): unknown {
  if (typeof raw !== 'object' || raw === null || Array.isArray(raw)) {
    return raw
  }
  return Object.fromEntries(Object.entries(raw).map(([key, value]) => [key.toLowerCase(), value]))
}

/** A strict object whose field names may come in any case. */
function fields<Shape extends z.core.$ZodLooseShape>(shape: Shape) {
  return z.preprocess(lowerKeys, z.strictObject(shape))
}

const listOf = <T>(item: z.ZodType<T>): z.ZodType<readonly T[]> => z.preprocess((raw) => (Array.isArray(raw) ? raw : [raw]), z.array(item))

export const iceServer = fields({
  urls: listOf(reading((raw) => iceUrl(readText(raw)))),
  username: looseText.optional(),
  credential: looseText.optional(),
  credentialtype: looseText.optional(),
}).transform(({ credentialtype: _, ...server }) => server)

/** A STUN or TURN server as a browser takes it. */
export type IceServer = z.infer<typeof iceServer>

export const iceServers: z.ZodType<readonly IceServer[]> = listOf(iceServer)

function iceUrl(url: string | BadValue): string | BadValue {
  if (url instanceof BadValue || /^(stuns?|turns?):\S+$/i.test(url)) {
    return url
  }
  return new BadValue('begins with none of stun:, stuns:, turn:, turns:')
}

export const memberProfile = fields({
  name: looseText.optional(),
  is_admin: looseFlag.optional(),
  can_login: looseFlag.optional(),
  can_connect: looseFlag.optional(),
  can_watch: looseFlag.optional(),
  can_host: looseFlag.optional(),
  can_share_media: looseFlag.optional(),
  can_access_clipboard: looseFlag.optional(),
  sends_inactive_cursor: looseFlag.optional(),
  can_see_inactive_cursors: looseFlag.optional(),
  plugins: z.record(z.string(), z.unknown()).optional(),
})

/** What a member may do, as far as somebody set it: the rest comes from the provider's defaults. */
export type ProfileOverrides = z.infer<typeof memberProfile>

export const memberUsers: z.ZodType<readonly MemberUser[]> = listOf(
  fields({ username: looseText, password: looseText, profile: memberProfile.default({}) }),
)

/** A member that the configuration names. */
export interface MemberUser {
  readonly username: string
  readonly password: string
  readonly profile: ProfileOverrides
}

const pipelinePart = reading((raw) => {
  const part = readText(raw)
  return part instanceof BadValue || part.trim() === '' || part.trim().startsWith('!') ? part : new BadValue('does not start with !')
})

export const videoPipeline = fields({
  width: looseText.optional(),
  height: looseText.optional(),
  fps: looseText.optional(),
  bitrate: looseInteger.optional(),
  gst_prefix: pipelinePart.optional(),
  gst_encoder: looseText.optional(),
  gst_params: z.record(z.string(), looseText).optional(),
  gst_suffix: pipelinePart.optional(),
  gst_pipeline: looseText.optional(),
  show_pointer: looseFlag.optional(),
}).refine((pipeline) => Boolean(pipeline.gst_pipeline) || Boolean(pipeline.gst_encoder), {
  message: 'has neither gst_encoder nor gst_pipeline',
})

/** A video pipeline of `capture.video.pipelines`; `width`, `height`, `fps` and the values of `gst_params` are expressions. */
export type VideoPipeline = z.infer<typeof videoPipeline>

export const videoPipelines: z.ZodType<Readonly<Record<string, VideoPipeline>>> = z.record(z.string(), videoPipeline)
