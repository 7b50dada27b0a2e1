import { changeBan } from '@neko-edge/store'
import type { HttpWorld, Someone } from '../../apps/control-plane/test/http/world.fixture.ts'

/** Who asks. `host` is a user at the controls; the others are not. */
export type Who =
  | 'nobody'
  | 'deleted'
  | 'noLogin'
  | 'user'
  | 'noConnect'
  | 'noShare'
  | 'noWatch'
  | 'noHost'
  | 'noClipboard'
  | 'host'
  | 'admin'
  | 'api'

export interface Ask {
  readonly path: string
  readonly body?: unknown
}

/** What an operation answers to whom. */
export interface Row {
  /** The request, with all that it needs made before; default: the operation's path, and `{}` where it takes a body. */
  readonly ask?: (world: HttpWorld, who: Someone | undefined) => Ask | Promise<Ask>
  /** Whoever has a session without the permission that the operation asks for, and none else. */
  readonly user: number
  readonly host?: number
  readonly admin: number
  readonly api?: number
  readonly nobody?: number
  readonly noWatch?: number
  readonly noHost?: number
  readonly noClipboard?: number
}

const forAll = (status: number): Row => ({ user: status, admin: status })
const forAdmins = (status: number, ask?: Row['ask']): Row => ({ user: 403, admin: status, ...(ask && { ask }) })

/** A session to act upon. */
const onSession = (path: (id: string) => string) => async (world: HttpWorld) => ({ path: path((await world.someone()).id) })

/** Members of the configuration: making one by the API takes as long as its password takes to be hashed. */
export const seededMembers = Array.from({ length: 200 }, (_, index) => ({
  username: `seed-${index}`,
  password: 'secret',
  profile: { can_login: true },
}))
let nextMember = 1
const someMember = () => seededMembers[nextMember++]?.username ?? 'no member is left'

/** A member to act upon. */
const onMember = (path: (id: string) => string, body?: object) => () => ({ path: path(someMember()), ...(body && { body }) })
const bulk = () => ({ path: '', body: { ids: [someMember()], profile: { can_host: false } } })

const formOf = (fields: Readonly<Record<string, string>>, file?: { name: string; text: string }): FormData => {
  const form = new FormData()
  for (const [name, value] of Object.entries(fields)) {
    form.append(name, value)
  }
  if (file) {
    form.append('files', new Blob([file.text]), file.name)
  }
  return form
}

/** An address that is banned. */
const onBan: Row['ask'] = async (world) => {
  const ban = { owner: 'somebody', name: 'Somebody', since: 0, target: 'somebody else' }
  await world.room.run(changeBan, ['192.0.2.1', JSON.stringify(ban), ''])
  return { path: '/api/bans/192.0.2.1' }
}

/** A file in the transfer directory. */
const onFile: Row['ask'] = async (world) => {
  const admin = await world.admin()
  await world.fetch('/api/filetransfer', { method: 'POST', token: admin.token, body: formOf({}, { name: 'there.txt', text: 'there' }) })
  await world.end(admin)
  return { path: '/api/filetransfer?filename=there.txt' }
}

/** Somebody at the controls has put a text on the clipboard. */
const withText: Row['ask'] = async (world) => {
  const before = world.room.view.host
  const admin = await world.admin()
  await world.ask('POST', '/api/room/control/take', { token: admin.token })
  await world.ask('POST', '/api/room/clipboard', { token: admin.token, body: { text: 'text' } })
  if (before !== undefined) {
    await world.ask('POST', `/api/room/control/give/${before}`, { token: admin.token })
  }
  await world.end(admin)
  return { path: '' }
}

/** One row for each operation: an operation without one fails its test. */
export const rows: Readonly<Record<string, Row>> = {
  'POST /api/login': { user: 200, admin: 200, nobody: 200, ask: () => ({ path: '', body: { username: 'seed-0', password: 'secret' } }) },
  'POST /api/logout': { user: 200, admin: 200, api: 400 },
  'GET /api/whoami': forAll(200),
  'POST /api/profile': { user: 200, admin: 200, api: 400 },
  'GET /api/stats': forAll(200),
  'POST /api/batch': { user: 200, admin: 200, nobody: 200, ask: () => ({ path: '', body: [] }) },

  'GET /api/sessions': forAll(200),
  'GET /api/sessions/{id}': forAdmins(
    200,
    onSession((id) => `/api/sessions/${id}`),
  ),
  'DELETE /api/sessions/{id}': forAdmins(
    204,
    onSession((id) => `/api/sessions/${id}`),
  ),
  'POST /api/sessions/{id}/disconnect': forAdmins(
    204,
    onSession((id) => `/api/sessions/${id}/disconnect`),
  ),

  'GET /api/members': forAll(200),
  'POST /api/members': forAdmins(200, () => ({ path: '', body: { username: `m${Math.random()}`, password: 'x' } })),
  'GET /api/members/{id}': forAdmins(
    200,
    onMember((id) => `/api/members/${id}`),
  ),
  'POST /api/members/{id}': forAdmins(
    204,
    onMember((id) => `/api/members/${id}`, {}),
  ),
  'DELETE /api/members/{id}': forAdmins(
    204,
    onMember((id) => `/api/members/${id}`),
  ),
  'POST /api/members/{id}/password': forAdmins(
    204,
    onMember((id) => `/api/members/${id}/password`, { password: 'y' }),
  ),
  'POST /api/members_bulk/update': forAdmins(204, bulk),
  'POST /api/members_bulk/delete': forAdmins(204, bulk),

  'GET /api/bans': forAdmins(200),
  'POST /api/bans': forAdmins(204, async (world) => ({ path: '', body: { id: (await world.someone()).id } })),
  'DELETE /api/bans/{ip}': forAdmins(204, onBan),

  'GET /api/room/settings': forAdmins(200),
  'POST /api/room/settings': forAdmins(204),

  'GET /api/room/control': { user: 200, admin: 200, noHost: 403 },
  'POST /api/room/control/request': { user: 204, host: 202, admin: 204, noHost: 403 },
  'POST /api/room/control/release': { user: 422, host: 204, admin: 422, noHost: 403 },
  'POST /api/room/control/take': { user: 403, admin: 204, noHost: 403 },
  'POST /api/room/control/give/{id}': {
    user: 403,
    host: 204,
    admin: 204,
    noHost: 403,
    ask: onSession((id) => `/api/room/control/give/${id}`),
  },
  'POST /api/room/control/reset': { user: 403, admin: 204, noHost: 403 },

  'GET /api/room/screen': { user: 200, admin: 200, noWatch: 403 },
  'POST /api/room/screen': { user: 403, admin: 200, noWatch: 403, ask: () => ({ path: '', body: { width: 1280, height: 720, rate: 30 } }) },
  'GET /api/room/screen/configurations': { user: 403, admin: 200, noWatch: 403 },
  'GET /api/room/screen/cast.jpg': { user: 200, admin: 200, noWatch: 403 },
  'GET /api/room/screen/shot.jpg': { user: 403, admin: 200, noWatch: 403 },

  'GET /api/room/clipboard': { user: 403, host: 200, admin: 403, ask: withText },
  'POST /api/room/clipboard': { user: 403, host: 204, admin: 403 },
  'GET /api/room/clipboard/image.png': { user: 403, host: 500, admin: 403, ask: withText },

  'GET /api/room/keyboard/map': { user: 200, admin: 200, noHost: 403 },
  'POST /api/room/keyboard/map': { user: 403, host: 204, admin: 403, ask: () => ({ path: '', body: { layout: 'us' } }) },
  'GET /api/room/keyboard/modifiers': { user: 200, admin: 200, noHost: 403 },
  'POST /api/room/keyboard/modifiers': { user: 403, host: 204, admin: 403 },

  'GET /api/room/broadcast': forAdmins(200),
  'POST /api/room/broadcast/start': forAdmins(400),
  'POST /api/room/broadcast/stop': forAdmins(422),

  'POST /api/room/upload/drop': { user: 403, host: 400, admin: 403, ask: () => ({ path: '', body: formOf({ x: '1', y: '1' }) }) },
  'POST /api/room/upload/dialog': {
    user: 403,
    host: 422,
    admin: 403,
    ask: () => ({ path: '', body: formOf({}, { name: 'a', text: 'a' }) }),
  },
  'DELETE /api/room/upload/dialog': { user: 403, host: 422, admin: 403 },

  'POST /api/chat': forAdmins(204),
  'GET /api/filetransfer': forAdmins(200, onFile),
  'POST /api/filetransfer': forAdmins(200, () => ({ path: '', body: formOf({}) })),
  'DELETE /api/filetransfer': forAdmins(200, onFile),
  'POST /api/openinapp/openlink': { user: 403, host: 200, admin: 403, ask: () => ({ path: '', body: { text: 'http://127.0.0.1/' } }) },
}

/** What a row says for somebody; whoever lacks a permission that does not matter is a user. */
export function expected(row: Row, who: Who, { isOpen }: { isOpen: boolean }): number {
  switch (who) {
    case 'nobody':
    case 'deleted':
      return row.nobody ?? 401
    case 'noLogin':
      return isOpen ? row.user : 403
    case 'api':
      return row.api ?? row.admin
    case 'host':
      return row.host ?? row.user
    case 'noWatch':
    case 'noHost':
    case 'noClipboard':
      return row[who] ?? row.user
    case 'noConnect':
    case 'noShare':
      return row.user
    default:
      return row[who]
  }
}
