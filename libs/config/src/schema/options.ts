import { capture } from './capture.ts'
import { desktop } from './desktop.ts'
import { edge } from './edge.ts'
import { member } from './member.ts'
import type { Option } from './option.ts'
import { plugins } from './plugins.ts'
import { rooms } from './rooms.ts'
import { root } from './root.ts'
import { server } from './server.ts'
import { session } from './session.ts'
import { stream } from './stream.ts'
import { webrtc } from './webrtc.ts'

/** Every option by its path. The one definition: names, help, reference, validation and the type `Config` come from it. */
export const options = {
  ...root,
  ...server,
  ...session,
  ...member,
  ...desktop,
  ...capture,
  ...webrtc,
  ...stream,
  ...plugins,
  ...rooms,
  ...edge,
} as const

export type Options = typeof options
export type OptionPath = keyof Options

/** The same, for code that treats all options alike. */
export const optionByPath: ReadonlyMap<string, Option> = new Map(Object.entries(options))

/** Paths that have options below them: `server`, `session.cookie`. */
export const sections: ReadonlySet<string> = new Set(
  [...optionByPath.keys()].flatMap((path) => {
    const parts = path.split('.')
    return parts.slice(1).map((_, index) => parts.slice(0, index + 1).join('.'))
  }),
)

export function envName(path: string): string {
  return `NEKO_${path.toUpperCase().replaceAll('.', '_')}`
}

export function flagName(path: string): string {
  return `--${path}`
}

/** The options in groups with a heading, in the order of the help. */
export const groups: readonly { readonly title: string; readonly paths: readonly string[] }[] = [
  { title: 'General', paths: Object.keys(root) },
  { title: 'Server', paths: Object.keys(server) },
  { title: 'Sessions', paths: Object.keys(session) },
  { title: 'Members', paths: Object.keys(member) },
  { title: 'Desktop', paths: Object.keys(desktop) },
  { title: 'Capture', paths: Object.keys(capture) },
  { title: 'WebRTC', paths: Object.keys(webrtc) },
  { title: 'Thin line', paths: Object.keys(stream) },
  { title: 'Plugins', paths: Object.keys(plugins) },
  { title: 'Rooms and nodes', paths: Object.keys(rooms) },
  { title: 'Processes', paths: Object.keys(edge) },
]
