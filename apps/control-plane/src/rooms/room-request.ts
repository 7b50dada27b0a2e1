import { type Config, flatOverrides, type Problem, roomConfig } from '@neko-edge/config'
import { NekoError } from '@neko-edge/kit'
import type { RoomSpec } from '@neko-edge/store'
import { z } from 'zod'

const text = (max: number) => z.string().max(max)
const span = z.union([z.string().max(40), z.number()]).describe('a duration such as 30m, or milliseconds; 0 for never')

/** What everybody asks for, each short for an option of the room. */
const shorthands = {
  app: text(4096).describe('the name of a preset such as chromium, or a command line'),
  app_url: text(4096).describe('the page that a browser opens first'),
  screen: text(40).describe('size and rate such as 1280x720@30'),
  user_password: text(1024).describe('lets users in'),
  admin_password: text(1024).describe('lets admins in'),
  max_members: z.number().describe('members at once, admins not counted; 0: no limit'),
  timeouts: z.strictObject({ empty: span.optional(), inactive: span.optional(), absolute: span.optional(), warning: span.optional() }),
  webhook: z.strictObject({ url: text(2048).optional(), secret: text(200).optional() }),
  config: z
    .record(z.string(), z.unknown())
    .describe('options of the room by path, such as {"session.implicit_hosting": true}; null takes one back'),
}

/** The option that a field of a request stands for. */
const optionOf: Readonly<Record<string, string>> = {
  app: 'desktop.app',
  app_url: 'desktop.app_url',
  screen: 'desktop.screen',
  user_password: 'member.multiuser.user_password',
  admin_password: 'member.multiuser.admin_password',
  max_members: 'rooms.max_members',
  'timeouts.empty': 'rooms.timeout.empty',
  'timeouts.inactive': 'rooms.timeout.inactive',
  'timeouts.absolute': 'rooms.timeout.absolute',
  'timeouts.warning': 'rooms.timeout.warning',
  'webhook.url': 'webhook.url',
  'webhook.secret': 'webhook.secret',
}
const fieldOf = new Map(Object.entries(optionOf).map(([field, option]) => [option, field]))

const common = z.strictObject({ label: text(200).describe('what people call the room'), ...shorthands }).partial()

export const RoomPatch = common
export const NewRoomRequest = common.extend({ id: text(200).optional().describe('default: a random one') })
export type RoomPatch = z.infer<typeof RoomPatch>

/**
 * What a room is to be after a request, over what it was. Fails with `invalid`: every problem by the name of its field, with what to write.
 * @param base the configuration that holds where the room says nothing
 */
export function specOf(patch: RoomPatch, { base, before }: { base: Config; before?: RoomSpec }): { spec: RoomSpec; config: Config } {
  const { label = before?.label ?? '', config: given = {}, ...fields } = patch
  const changes = new Map<string, unknown>([...flatOverrides(given)])
  for (const [field, value] of flatFields(fields)) {
    const option = optionOf[field] ?? field
    if (changes.has(option)) {
      throw new NekoError('invalid', `${field}: is there twice, also as config ${option}. Write one of the two.`)
    }
    changes.set(option, value)
  }
  if (changes.has(optionOf['user_password'] ?? '') || changes.has(optionOf['admin_password'] ?? '')) {
    // Passwords of the room count whatever the members of other rooms come from.
    changes.set('member.provider', changes.get('member.provider') ?? 'multiuser')
  }
  const values = new Map(Object.entries(before?.config ?? {}))
  for (const [option, value] of changes) {
    value === null ? values.delete(option) : values.set(option, value)
  }
  const spec: RoomSpec = { label, config: Object.fromEntries(values) }
  const { config, problems } = roomConfig(base, spec.config)
  const found = [...problems.map(problemText), ...contradictions(config, values)]
  if (found.length > 0) {
    throw new NekoError('invalid', found.slice(0, 5).join(' '))
  }
  return { spec, config }
}

function flatFields(fields: Readonly<Record<string, unknown>>): [string, unknown][] {
  return Object.entries(fields).flatMap(([field, value]) =>
    typeof value === 'object' && value !== null
      ? Object.entries(value).map(([name, inner]): [string, unknown] => [`${field}.${name}`, inner])
      : [[field, value] satisfies [string, unknown]],
  )
}

const nameOf = (option: string): string => fieldOf.get(option) ?? `config ${option}`
const problemText = ({ option, reason, remedy }: Problem): string => `${nameOf(option ?? '')}: ${reason}. ${remedy}`

/** What the options of a room say about each other. */
function contradictions({ member, webhook }: Config, given: ReadonlyMap<string, unknown>): string[] {
  const { userPassword, adminPassword } = member.multiuser
  const isPassword =
    member.provider === 'multiuser' && (given.has('member.multiuser.user_password') || given.has('member.multiuser.admin_password'))
  return [
    ...(isPassword && adminPassword === '' ? ['admin_password: is empty, so that anybody is an admin. Set a password.'] : []),
    ...(isPassword && userPassword === adminPassword
      ? ['user_password: is the same as the password of admins, so that everybody is an admin. Set two different ones.']
      : []),
    ...(webhook.url !== '' && webhook.secret === ''
      ? ['webhook.secret: is empty, and there is a webhook.url. Set a secret: its receiver can not know otherwise who calls.']
      : []),
  ]
}
