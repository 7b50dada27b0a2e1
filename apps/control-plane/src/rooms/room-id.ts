import { NekoError, type RoomId, randomText } from '@neko-edge/kit'

/** The room that is served at `/`, and under its own name like all others. */
export const defaultRoom = 'default' as RoomId

/** The path of a room below the control plane's own. */
export const pathOf = (id: string): string => (id === defaultRoom ? '/' : `/room/${id}/`)

/** Small letters and digits with single `-` or `_` between them: nothing that a path, a script, a log or a reader could take for something else. */
const pattern = /^[a-z0-9](?:[-_]?[a-z0-9])*$/
const maxLength = 48
/** Names that stand for something in a path, now or in other rooms of the house. */
const reserved: readonly string[] = [
  'api',
  'room',
  'rooms',
  'ws',
  'health',
  'stats',
  'file',
  'docs',
  'metrics',
  'livez',
  'readyz',
  'debug',
  'static',
]

/** Whether a text can be the id of a room at all. */
export const isRoomId = (text: string): text is RoomId => text.length <= maxLength && pattern.test(text)

/** The id of a new room. Fails with `invalid`, saying what an id is, or `conflict` for the one that is always taken. */
export function newRoomId(wanted: string | undefined): RoomId {
  if (wanted === undefined) {
    return `r-${randomText(24).toLowerCase().replaceAll(/[-_]/g, '0').slice(0, 16)}` as RoomId
  }
  if (!isRoomId(wanted)) {
    throw new NekoError('invalid', `id: is not an id of a room. Write 1 to ${maxLength} of a-z and 0-9, with single - or _ between them.`)
  }
  if (reserved.includes(wanted)) {
    throw new NekoError('invalid', `id: ${wanted} is reserved. Choose another one.`)
  }
  return wanted
}
