import type { SessionId } from '@neko-edge/kit'
import { z } from 'zod'
import { lenientObject, optional, whole } from './lenient.ts'
import { type MemberProfile, mergePlugins, Plugins } from './profile.ts'

/** Width and height in pixels, rate in frames a second. */
export const ScreenSize = z.object({ width: z.int(), height: z.int(), rate: z.int() })
export type ScreenSize = z.infer<typeof ScreenSize>

/** The settings of a room, as V3 writes them: all keys, in this order. `heartbeat_interval` in seconds. */
export const Settings = z.object({
  private_mode: z.boolean(),
  locked_logins: z.boolean(),
  locked_controls: z.boolean(),
  control_protection: z.boolean(),
  implicit_hosting: z.boolean(),
  inactive_cursors: z.boolean(),
  merciful_reconnect: z.boolean(),
  heartbeat_interval: z.int(),
  plugins: Plugins,
})
export type Settings = z.infer<typeof Settings>

export const SettingsPatch = lenientObject({
  private_mode: optional(z.boolean()),
  locked_logins: optional(z.boolean()),
  locked_controls: optional(z.boolean()),
  control_protection: optional(z.boolean()),
  implicit_hosting: optional(z.boolean()),
  inactive_cursors: optional(z.boolean()),
  merciful_reconnect: optional(z.boolean()),
  heartbeat_interval: optional(whole),
  plugins: Plugins.optional(),
})
export type SettingsPatch = z.infer<typeof SettingsPatch>

export function mergeSettings(current: Settings, patch: SettingsPatch): Settings {
  const changed = Object.fromEntries(Object.entries(patch).filter(([key, value]) => key !== 'plugins' && value !== undefined))
  return { ...current, ...changed, plugins: mergePlugins(current.plugins, patch.plugins) }
}

/** What is locked, in V2's words. */
export const lockNames = ['control', 'login', 'file_transfer'] as const
export type LockName = (typeof lockNames)[number]

/** Who locked something: V2 clients name the owner, also when he is offline. */
export const Lock = z.object({
  /** `user`: somebody did it. `config`: it came with the configuration. `protection`: nobody with admin rights is there. */
  cause: z.enum(['user', 'config', 'protection']),
  owner: z.string(),
  name: z.string(),
  admin: z.boolean(),
  since: z.number(),
})
export type Lock = z.infer<typeof Lock>
export type Locks = Partial<Record<LockName, Lock>>

/** Where a session is; times in milliseconds since 1970, present as V3 shows them. */
export const SessionState = z.object({
  is_connected: z.boolean(),
  connected_since: z.number().optional(),
  not_connected_since: z.number().optional(),
  is_watching: z.boolean(),
  watching_since: z.number().optional(),
  not_watching_since: z.number().optional(),
  /** The control plane process that holds the socket. */
  instance: z.string().optional(),
  /** SHA-256 of its token, in hex. */
  token: z.string(),
  /** Grows with every connection in the room: the newest wins. */
  epoch: z.number(),
  /** The network address of its latest connection: what a ban is spoken on. */
  address: z.string().optional(),
  /** The protocol of its latest connection. */
  dialect: z.enum(['v3', 'v2']).optional(),
  /** Connected to a room of very many: counted, and known by name to nobody but himself. */
  unlisted: z.literal(true).optional(),
  /** The peer that carries the media, on the capture node. */
  peer: z.string().optional(),
  /** The socket of its thin line that carries the media, as its control plane names it. */
  stream: z.string().optional(),
})
export type SessionState = z.infer<typeof SessionState>

export interface Session {
  readonly id: SessionId
  readonly profile: MemberProfile
  readonly state: SessionState
}

/** What the capture node of a room can do and shows: written by the node, read by everybody. */
export const NodeFacts = z.object({
  screen: ScreenSize,
  /** The sizes on offer, largest first. */
  screens: z.array(ScreenSize),
  touch: z.boolean(),
  screencast: z.boolean(),
  videos: z.array(z.string()),
  broadcast: z.object({ is_active: z.boolean(), url: z.string() }),
  /** The session whose file chooser dialog is open. */
  dialog: z.string().nullable(),
  /** Whether the node has no place for another viewer. */
  full: z.boolean().optional(),
  /** Where nobody can reach the node: the relay to which it sends, `null` while there is none. */
  uplink: z.string().nullable().optional(),
  /** What lies in the transfer directory, sorted by name; `null` before the first look. */
  files: z.array(z.object({ name: z.string(), type: z.enum(['file', 'dir']), size: z.number().optional() })).nullable(),
})
export type NodeFacts = z.infer<typeof NodeFacts>

export type HostCause = 'request' | 'implicit' | 'take' | 'give' | 'release' | 'reset' | 'disconnect' | 'delete' | 'profile' | 'settings'
