import { connect } from 'node:net'
import { createInterface } from 'node:readline'
import { leaseMs } from '@neko-edge/store'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { operations } from '../../apps/control-plane/src/http/api.ts'
import type { Operation } from '../../apps/control-plane/src/http/operation.ts'
import { apiToken, HttpWorld, type Someone } from '../../apps/control-plane/test/http/world.fixture.ts'
import { type Ask, expected, type Row, rows, seededMembers, type Who } from './rows.ts'

const keyOf = ({ method, path }: Operation) => `${method} ${path}`

/** What is missing from whom. */
const people = {
  noLogin: { can_login: false },
  user: {},
  noConnect: { can_connect: false },
  noShare: { can_share_media: false },
  noWatch: { can_watch: false },
  noHost: { can_host: false },
  noClipboard: { can_access_clipboard: false },
  host: {},
  admin: { is_admin: true },
} as const
const everybody: readonly Who[] = ['nobody', 'deleted', ...(Object.keys(people) as (keyof typeof people)[]), 'api']

let world: HttpWorld

beforeAll(async () => {
  world = await HttpWorld.open({
    node: true,
    env: {
      MEMBER_PROVIDER: 'object',
      MEMBER_OBJECT_USERS: JSON.stringify(seededMembers),
      CAPTURE_SCREENCAST_ENABLED: 'true',
      FILETRANSFER_ENABLED: 'true',
      OPENINAPP_ENABLED: 'true',
      OPENINAPP_OPEN_COMMAND: 'true',
      DESKTOP_FILE_CHOOSER_DIALOG: 'true',
    },
  })
}, 60_000)

afterAll(() => world?.[Symbol.asyncDispose]())

/** Makes whoever asks, at the controls where that is who he is. */
async function enter(who: Who): Promise<Someone | undefined> {
  if (who === 'nobody' || who === 'api') {
    await world.giveControls(undefined)
    return who === 'api' ? { id: 'API', token: apiToken } : undefined
  }
  const someone = await world.someone(who === 'deleted' ? {} : people[who])
  await world.giveControls(who === 'host' ? someone : undefined)
  if (who === 'deleted') {
    await world.end(someone)
  }
  return someone
}

async function requestOf(operation: Operation, { ask }: Row, someone: Someone | undefined): Promise<Ask> {
  const { path = '', body = operation.body ? {} : undefined } = (await ask?.(world, someone)) ?? {}
  return { path: path === '' ? operation.path : path, ...(body !== undefined && { body }) }
}

async function perform(operation: Operation, { path, body }: Ask, token: string | undefined): Promise<Response> {
  const payload = body === undefined || body instanceof FormData || typeof body === 'string' ? body : JSON.stringify(body)
  return world.fetch(path, { method: operation.method, token, ...(payload !== undefined && { body: payload }) })
}

it('[HTTP-1] every operation has a row that says what it answers to whom', () => {
  expect(Object.keys(rows).toSorted()).toEqual(operations.map(keyOf).toSorted())
})

describe.each(operations.map((operation) => [keyOf(operation), operation] as const))(
  '[HTTP-2] every operation answers everybody as its row says: %s',
  (key, operation) => {
    const row = rows[key]
    it.each(everybody)('%s', async (who) => {
      if (!row) {
        throw new Error(`no row for ${key}`)
      }
      const someone = await enter(who)
      const ask = await requestOf(operation, row, someone)
      if (who === 'host') {
        await world.giveControls(someone)
      }
      const response = await perform(operation, ask, someone?.token)
      const text = await response.text()
      const status = expected(row, who, { isOpen: operation.guards.length === 0 })
      expect(response.status, text).toBe(status)
      if (status >= 400 || status === 202) {
        expect(JSON.parse(text)).toEqual({ code: status, message: expect.any(String) })
      }
      if (status === 204) {
        expect(text).toBe('')
        expect(response.headers.get('content-type')).toBeNull()
      }
      if (someone && who !== 'api') {
        await world.end(someone)
      }
    })
  },
)

describe('who may', () => {
  const hosting = operations.filter(({ guards }) => guards.includes('can-host'))

  it.each(hosting.map((operation) => [keyOf(operation), operation] as const))(
    '[HTTP-3] private mode shuts users out of %s',
    async (key, operation) => {
      const admin = await world.admin()
      const user = await world.someone()
      await world.ask('POST', '/api/room/settings', { token: admin.token, body: { private_mode: true } })
      const ask = await requestOf(operation, rows[key] ?? { user: 0, admin: 0 }, user)
      const response = await perform(operation, ask, user.token)
      expect(await response.json()).toEqual({ code: 422, message: 'private mode is enabled' })
      await world.ask('POST', '/api/room/settings', { token: admin.token, body: { private_mode: false } })
      await Promise.all([world.end(admin), world.end(user)])
    },
  )

  it('[HTTP-4] an admin who may not host is stopped before it counts that he is an admin', async () => {
    const admin = await world.someone({ is_admin: true, can_host: false })
    for (const path of ['take', 'reset']) {
      expect(await world.ask('POST', `/api/room/control/${path}`, { token: admin.token })).toEqual({
        status: 403,
        json: { code: 403, message: 'session cannot host' },
      })
    }
  })
})

describe('what it costs', () => {
  // Making or changing a member is rare, and asks for what is kept first.
  const frugal = operations.filter(({ path, method }) => method === 'GET' || !path.startsWith('/api/members'))

  it.each(frugal.map((operation) => [keyOf(operation), operation] as const))(
    '[HTTP-8] %s runs at most two scripts in Redis',
    async (key, operation) => {
      const admin = await world.admin()
      const ask = await requestOf(operation, rows[key] ?? { user: 0, admin: 0 }, admin)
      await world.giveControls(admin)
      const scripts = await scriptsDuring(async () => {
        await (await perform(operation, ask, admin.token)).arrayBuffer()
      })
      expect(scripts.length, scripts.join('\n')).toBeLessThanOrEqual(2)
      await world.end(admin)
    },
  )
})

/**
 * The scripts that Redis is asked to run, as their first key and arguments. Left out: what control planes and the capture node say about once a
 * second to keep their place, how often an address failed to log in, and a script's text where Redis asks for it.
 */
async function scriptsDuring(run: () => Promise<void>): Promise<string[]> {
  const redis = connect(world.redis.path)
  const lines = createInterface({ input: redis })[Symbol.asyncIterator]()
  const marker = 'that is all'
  redis.write('MONITOR\r\n')
  await lines.next()
  await run()
  await world.connection.commands.echo(marker)
  const scripts: string[] = []
  for await (const line of { [Symbol.asyncIterator]: () => lines }) {
    // `+time [0 unix:path] "evalsha" "sha" "5" "first key" …`
    const [name = '', first, , ...rest] = [...line.matchAll(/"((?:\\.|[^"\\])*)"/g)].map(([, word = '']) => word)
    const isRenewal = rest.at(-1) === String(leaseMs)
    if (first === marker) {
      break
    }
    if (/^evalsha$/i.test(name) && !isRenewal && !/^neko:(\{fleet\}|failures|control-planes)/.test(rest[0] ?? '')) {
      scripts.push(rest.join(' '))
    }
  }
  redis.destroy()
  return scripts
}

/** What bad input must leave as it was. */
async function stateOfRoom(): Promise<string> {
  const { view } = world.room
  const members = await world.ask('GET', '/api/members', { token: apiToken })
  return JSON.stringify([view.settings, view.host, [...view.sessions.values()].map(({ id, profile }) => [id, profile]), members.json])
}

const badBodies: readonly (readonly [string, string])[] = [
  ['nothing', ''],
  ['white space', ' \n'],
  ['half of an object', '{"a":'],
  ['no JSON', 'xyz'],
  ['a text', '"text"'],
  ['a number', '1'],
  ['a boolean', 'true'],
  ['nested too deep', `{"plugins":${'['.repeat(5000)}${']'.repeat(5000)},"profile":{"plugins":${'{"a":'.repeat(500)}1${'}'.repeat(500)}}}`],
  ['bytes that are no UTF-8', '\ufffd\ufffd{'],
  ['more than a megabyte', JSON.stringify({ text: 'x'.repeat(2 * 1024 * 1024) })],
]

describe.each(operations.filter(({ body }) => body).map((operation) => [keyOf(operation), operation] as const))(
  '[HTTP-5] bad input is refused, and changes nothing: %s',
  (key, operation) => {
    it.each(badBodies)('%s', async (name, body) => {
      const row = rows[key]
      const user =
        operation.guards.includes('host') || key.includes('openlink') ? await world.someone({ is_admin: true }) : await world.admin()
      const ask = await requestOf(operation, row ?? { user: 0, admin: 0 }, user)
      await world.giveControls(user)
      const before = await stateOfRoom()
      const response = await perform(operation, { path: ask.path, body }, user.token)
      const answer = await response.json()
      const status = name === 'more than a megabyte' ? 413 : operation.body?.code === 'internal' ? 500 : 400
      expect(answer).toEqual({ code: status, message: expect.any(String) })
      expect(await stateOfRoom()).toBe(before)
      await world.end(user)
    })

    it('a field of another type', async () => {
      const user = await world.admin()
      const ask = await requestOf(operation, rows[key] ?? { user: 0, admin: 0 }, user)
      await world.giveControls(user)
      const before = await stateOfRoom()
      for (const [field, value] of wrongFields(operation)) {
        const body = key === 'POST /api/batch' ? JSON.stringify([{ [field]: value }]) : JSON.stringify({ [field]: value })
        const response = await perform(operation, { path: ask.path, body }, user.token)
        expect([400, 500], `${field}: ${JSON.stringify(value)} gave ${response.status}`).toContain(response.status)
        expect(response.status === 500).toBe(operation.body?.code === 'internal')
      }
      expect(await stateOfRoom()).toBe(before)
      await world.end(user)
    })
  },
)

/** A value of a wrong type for every field of an operation's documented body. */
function wrongFields({ path }: Operation): [string, unknown][] {
  const wrong: Record<string, [string, unknown][]> = {
    '/api/login': [
      ['username', 1],
      ['password', {}],
      ['USERNAME', []],
    ],
    '/api/profile': [
      ['name', 1],
      ['is_admin', 'yes'],
      ['plugins', []],
    ],
    '/api/bans': [
      ['id', 1],
      ['id', ['a']],
    ],
    '/api/batch': [
      ['path', 1],
      ['method', {}],
    ],
    '/api/members': [
      ['username', 1],
      ['password', []],
      ['profile', 'x'],
      ['profile', { can_host: 1 }],
    ],
    '/api/members/{id}': [
      ['can_login', 'no'],
      ['name', {}],
      ['plugins', 'x'],
    ],
    '/api/members/{id}/password': [['password', 5]],
    '/api/members_bulk/update': [
      ['ids', 'x'],
      ['ids', [1]],
      ['profile', []],
    ],
    '/api/members_bulk/delete': [
      ['ids', {}],
      ['ids', [[]]],
    ],
    '/api/room/settings': [
      ['private_mode', 1],
      ['heartbeat_interval', 1.5],
      ['heartbeat_interval', '1'],
      ['plugins', []],
    ],
    '/api/room/screen': [
      ['width', '1'],
      ['height', 1.5],
      ['rate', 40_000],
      ['rate', -40_000],
    ],
    '/api/room/clipboard': [
      ['text', 1],
      ['html', []],
    ],
    '/api/room/keyboard/map': [
      ['layout', 1],
      ['variant', {}],
    ],
    '/api/room/keyboard/modifiers': [
      ['shift', 'on'],
      ['altgr', 1],
    ],
    '/api/room/broadcast/start': [['url', 1]],
    '/api/chat': [['text', 1]],
    '/api/openinapp/openlink': [['text', 1]],
  }
  const fields = wrong[path]
  if (!fields) {
    throw new Error(`no wrong fields for ${path}`)
  }
  return fields
}
