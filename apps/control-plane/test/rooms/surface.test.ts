import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { until } from '@neko-edge/kit'
import { JsonSocket } from '@neko-edge/testing'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { RoomWorld } from './fleet.fixture.ts'

const passwords = { user_password: 'u', admin_password: 'a' }

describe('a room under its path', () => {
  let world: RoomWorld
  let folder: string

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'neko-page-'))
    await writeFile(join(folder, 'index.html'), '<!doctype html>')
    world = await RoomWorld.open({ env: { SESSION_COOKIE_ENABLED: 'true', SESSION_COOKIE_SECURE: 'false', SERVER_STATIC: folder } })
    await world.create({ id: 'one', ...passwords, config: { 'filetransfer.enabled': true } })
    await world.create({ id: 'two', ...passwords, config: { 'filetransfer.enabled': true } })
  })
  afterAll(async () => {
    await world?.[Symbol.asyncDispose]()
    await rm(folder, { recursive: true, force: true })
  })

  /** The cookie that a login gives, as a browser keeps it: name=value, and the path that it is for. */
  async function cookieOf(room: string, username: string, password = 'a'): Promise<{ cookie: string; path: string; id: string }> {
    const { status, headers, json } = await world.login(room, { username, password })
    expect(status).toBe(200)
    const [cookie = '', ...rest] = (headers.get('set-cookie') ?? '').split('; ')
    return { cookie, path: rest.find((part) => part.startsWith('Path='))?.slice(5) ?? '', id: String(json['id']) }
  }

  const surface: readonly [method: string, path: string, status: number][] = [
    ['GET', '/health', 200],
    ['GET', '/openapi.json', 200],
    ['GET', '/docs', 200],
    ['GET', '/api/whoami', 401],
    ['GET', '/api/ws', 400],
    ['GET', '/ws', 400],
    ['GET', '/stats', 403],
    ['GET', '/screenshot.jpg', 403],
    ['GET', '/file', 403],
    ['GET', '/api/nothing', 404],
    ['PUT', '/health', 405],
  ]

  it.each(surface)('[FLEET-1633] has all of V3 and V2: %s /room/one%s', async (method, path, status) => {
    expect((await world.ask(method, `/room/one${path}`, { token: '' })).status).toBe(status)
    expect((await world.ask(method, `/room/default${path}`, { token: '' })).status).toBe(status)
    expect((await world.ask(method, path, { token: '' })).status).toBe(status)
  })

  it('[FLEET-1633] has its page, and its bare path leads to it', async () => {
    const bare = await fetch(`${world.planes.url(0)}/room/one?x=1`, { redirect: 'manual' })
    expect([bare.status, bare.headers.get('location')]).toEqual([301, 'one/?x=1'])
    const page = await fetch(`${world.planes.url(0)}/room/one/`)
    expect([page.status, page.headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8'])
  })

  const hostile = [
    ...['nowhere', 'api', '..', '%2e%2e', '.', 'One', 'on%65', 'one%00', 'one%2f', 'оne', 'one ', 'one;x', '-', 'a'.repeat(500)],
    ...['../../etc/passwd', '..%2f..%2fetc', 'one/../two', '%F0%9F%8F%A0'],
  ]
  it.each(hostile)('[FLEET-1634] a path that names no room is not found, whatever it is made of: %j', async (id) => {
    const { status } = await world.ask('GET', `/room/${id}/api/whoami`, { token: '' })
    // The first three lead elsewhere, as in any address: to the room at /, and to another room.
    expect(status).toBe(['..', '%2e%2e', 'one/../two'].includes(id) ? 401 : 404)
  })

  it('[FLEET-1635] its cookie goes to its own path only', async () => {
    expect((await cookieOf('one', 'ann')).path).toBe('/room/one/')
  })

  it('[FLEET-1636] what opens one room opens nothing of another: no cookie, no token, no socket, no file', async () => {
    const { cookie, id } = await cookieOf('one', 'boss')
    const token = cookie.split('=')[1] ?? ''
    const own = await world.ask('GET', '/room/one/api/whoami', { token: '', headers: { cookie } })
    expect([own.status, own.json['id']]).toEqual([200, id])
    const paths = ['whoami', 'sessions', 'members', 'room/settings', 'room/screen', 'room/clipboard', 'filetransfer?filename=x', 'stats']
    for (const other of ['/room/two', '', '/room/default']) {
      for (const path of paths) {
        expect((await world.ask('GET', `${other}/api/${path}`, { token: '', headers: { cookie } })).status).toBe(401)
        expect((await world.ask('GET', `${other}/api/${path}`, { token })).status).toBe(401)
      }
      const socket = await JsonSocket.open(`${world.planes.url(0).replace('http', 'ws')}${other}/api/ws?token=${token}`, () => undefined)
      expect(await socket.event('system/disconnect')).toMatchObject({ payload: { message: 'session not found' } })
    }
    expect((await world.ask('GET', '/api/rooms', { token })).status).toBe(401)
  })

  it('[FLEET-1636] people of one room are not seen in another, in V3 and V2', async () => {
    const { cookie } = await cookieOf('two', 'carl')
    const { json } = await world.ask('GET', '/room/two/api/sessions', { token: '', headers: { cookie } })
    expect((json as unknown as { profile: { name: string } }[]).map(({ profile }) => profile.name)).not.toContain('boss')
    const stats = await world.ask('GET', '/room/two/stats?pwd=a', { token: '' })
    expect(stats).toMatchObject({ status: 200, json: { connections: 0 } })
    expect((await world.ask('GET', '/room/two/stats?pwd=admin', { token: '' })).status).toBe(403)
  })

  it('[FLEET-1637] failed logins of a name count in their own room', async () => {
    await using limited = await RoomWorld.open({ count: 1, env: { SERVER_LOGIN_LIMIT_PER_ACCOUNT: '2' } })
    await limited.create({ id: 'one', ...passwords })
    await limited.create({ id: 'two', ...passwords })
    const login = async (room: string, password: string) => (await limited.login(room, { username: 'dora', password })).status
    expect([await login('one', 'wrong'), await login('one', 'wrong'), await login('one', 'a')]).toEqual([401, 401, 429])
    expect(await login('two', 'a')).toBe(200)
  })

  it('[FLEET-1621] without a room at / the server and its other rooms answer, and nothing else', async () => {
    await using fleet = await RoomWorld.open({ count: 1, env: { ROOMS_DEFAULT: 'false' } })
    await fleet.create({ id: 'one', ...passwords })
    const statusOf = async (path: string) => (await fleet.ask('GET', path)).status
    for (const path of [
      '/health',
      '/livez',
      '/readyz',
      '/metrics',
      '/openapi.json',
      '/docs',
      '/api/rooms',
      '/api/nodes',
      '/room/one/health',
    ]) {
      expect([path, await statusOf(path)]).toEqual([path, 200])
    }
    for (const path of ['/', '/api/whoami', '/api/login', '/ws', '/stats', '/room/default/', '/room/default/api/whoami']) {
      expect([path, await statusOf(path)]).toEqual([path, 404])
    }
  })

  it('[FLEET-1638] below a path prefix rooms are below it, too', async () => {
    await using prefixed = await RoomWorld.open({ count: 1, env: { SERVER_PATH_PREFIX: '/neko', SESSION_COOKIE_ENABLED: 'true' } })
    const made = await prefixed.ask('POST', '/neko/api/rooms', { body: { id: 'one', ...passwords } })
    expect(made.status).toBe(201)
    const login = await prefixed.ask('POST', '/neko/room/one/api/login', { token: '', body: { username: 'ann', password: 'u' } })
    expect(login.headers.get('set-cookie')).toContain('Path=/neko/room/one/')
    expect((await prefixed.ask('GET', '/room/one/health')).status).toBe(404)
    expect((await prefixed.ask('GET', '/neko/room/one/openapi.json')).json['servers']).toEqual([{ url: '/neko/room/one' }])
  })
})

describe('places', () => {
  it('[FLEET-1640] one member more than a room takes is told 503, why, and when to try again; those inside notice nothing, admins come in', async () => {
    await using world = await RoomWorld.open()
    await world.create({ id: 'one', ...passwords, max_members: 2 })
    await using node = await world.nodeOf('one')
    const enter = async (username: string, password = 'u') => {
      const { json } = await world.login('one', { username, password })
      const socket = await JsonSocket.open(
        `${world.planes.url(0).replace('http', 'ws')}/room/one/api/ws?token=${json['token']}`,
        () => undefined,
      )
      return { token: String(json['token']), socket }
    }
    // Both log in while there is a place; only as many as fit get connected.
    const late = String((await world.login('one', { username: 'late', password: 'u' })).json['token'])
    const ann = await enter('ann')
    const bob = await enter('bob')
    await ann.socket.event('system/init')
    await bob.socket.event('system/init')
    await until(() => node.room.view.connected().users === 2, { ms: 2_000, what: 'two members' })
    const refused = await until(
      async () => {
        const answer = await world.login('one', { username: 'carl', password: 'u' })
        return answer.status === 503 ? answer : undefined
      },
      { ms: 2_000, what: 'a refusal of each control plane' },
    )
    expect(refused.json['message']).toBe('the room is full, 2 of 2 members are here: try again later')
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0)
    const base = world.planes.url(0).replace('http', 'ws')
    const socket = await JsonSocket.open(`${base}/room/one/api/ws?token=${late}`, () => undefined)
    expect(await socket.event('system/disconnect')).toMatchObject({ payload: { message: 'the room is full: try again later' } })
    const v2 = await JsonSocket.open(`${base}/room/one/ws?password=u&username=dan`, () => undefined)
    expect(await v2.event('system/disconnect')).toMatchObject({ message: expect.stringContaining('the room is full') })
    expect((await world.login('one', { username: 'boss', password: 'a' })).status).toBe(200)
    expect(ann.socket.history.filter(({ event }) => event === 'system/disconnect')).toEqual([])
    await bob.socket.close()
    await until(async () => (await world.login('one', { username: 'carl', password: 'u' })).status === 200, { ms: 8_000, what: 'a place' })
  }, 20_000)

  it('[FLEET-1641] a node without a place for viewers is told 503 to who comes, admin or not', async () => {
    await using world = await RoomWorld.open({ count: 1 })
    await world.create({ id: 'one', ...passwords })
    await using node = await world.nodeOf('one')
    await node.tell('full', { full: true })
    const login = (password: string) => world.login('one', { username: 'ann', password })
    await until(async () => (await login('u')).status === 503, { ms: 2_000, what: 'the refusal' })
    expect(await login('a')).toMatchObject({ status: 503, json: { message: expect.stringContaining('no place for more viewers') } })
    await node.tell('full', { full: false })
    await until(async () => (await login('u')).status === 200, { ms: 2_000, what: 'a place' })
  })

  it('[FLEET-1622] a room tells when its absolute time-out ends it, and a change of that counts from its creation', async () => {
    await using world = await RoomWorld.open({ count: 1, env: { ROOMS_TIMEOUT_ABSOLUTE: '1h' } })
    const made = await world.ask('POST', '/api/rooms', { body: { id: 'one' } })
    const span = (json: Record<string, unknown>) => Date.parse(String(json['ends_at'])) - Date.parse(String(json['created_at']))
    expect(span(made.json)).toBe(3_600_000)
    expect(span((await world.ask('PATCH', '/api/rooms/one', { body: { timeouts: { absolute: '2h' } } })).json)).toBe(7_200_000)
    expect((await world.ask('PATCH', '/api/rooms/one', { body: { timeouts: { absolute: 0 } } })).json['ends_at']).toBeUndefined()
    await world.ask('PATCH', '/api/rooms/one', { body: { timeouts: { absolute: '1s' } } })
    await until(async () => (await world.ask('GET', '/api/rooms/one')).json['state'] === 'ended', { ms: 5_000, what: 'the end' })
    expect((await world.ask('GET', '/api/rooms/one')).json['reason']).toBe('absolute timeout')
  }, 10_000)
})

describe('join links', () => {
  let world: RoomWorld

  beforeAll(async () => {
    world = await RoomWorld.open()
    await world.create({ id: 'one', ...passwords })
    await world.create({ id: 'two', ...passwords })
  })
  afterAll(async () => {
    await world?.[Symbol.asyncDispose]()
  })

  const link = async (room: string, body: object) => {
    const { status, json } = await world.ask('POST', `/api/rooms/${room}/links`, { body })
    expect(status).toBe(201)
    return { token: String(json['token']), path: String(json['path']) }
  }

  it('[FLEET-1642] let their bearer in under the name and in the role that they say, many times', async () => {
    const { token, path } = await link('one', { role: 'user', name: 'Ann' })
    expect(path).toBe(`/room/one/#link=${token}`)
    for (let time = 0; time < 2; time++) {
      const { status, json } = await world.login('one', { link: token, username: 'ignored', password: 'x' })
      expect([status, json['profile']]).toEqual([200, expect.objectContaining({ name: 'Ann', is_admin: false })])
    }
    const boss = await link('one', { role: 'admin', name: 'Boss' })
    expect((await world.login('one', { link: boss.token })).json['profile']).toMatchObject({ is_admin: true })
    const atRoot = await link('default', { role: 'user', name: 'Eve' })
    expect(atRoot.path).toBe(`/#link=${atRoot.token}`)
    expect((await world.ask('POST', '/api/login', { token: '', body: { link: atRoot.token } })).status).toBe(200)
  })

  it('[FLEET-1643] for one use let one in, however many try at once on whichever control plane', async () => {
    const { token } = await link('one', { role: 'user', name: 'Ann', uses: 'once' })
    const answers = await Promise.all(Array.from({ length: 6 }, () => world.login('one', { link: token })))
    expect(answers.map(({ status }) => status).toSorted()).toEqual([200, 401, 401, 401, 401, 401])
    expect(answers.find(({ status }) => status === 401)?.json['message']).toContain('used already')
  })

  it('[FLEET-1644] are worth nothing in another room, forged, unsigned, expired, or after the room was made anew', async () => {
    const { token } = await link('one', { role: 'user', name: 'Ann' })
    const [head = '', body = '', signature = ''] = token.split('.')
    const claims = JSON.parse(Buffer.from(body, 'base64url').toString()) as Record<string, unknown>
    const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
    const forged = [
      `${head}.${part({ ...claims, role: 'admin' })}.${signature}`,
      `${part({ alg: 'none' })}.${part({ ...claims, role: 'admin' })}.`,
      `${head}.${body}.${signature.slice(0, -2)}`,
      `${head}.${body}`,
      'x',
      'x'.repeat(4000),
    ]
    for (const bad of forged) {
      expect((await world.login('one', { link: bad })).status).toBe(401)
    }
    expect((await world.login('two', { link: token })).status).toBe(401)
    expect((await world.ask('POST', '/api/login', { token: '', body: { link: token } })).status).toBe(401)
    const brief = await link('one', { role: 'user', name: 'Ann', expires_in: 1 })
    await until(async () => (await world.login('one', { link: brief.token })).status === 401, { ms: 4_000, what: 'the end of the link' })
    await world.ask('DELETE', '/api/rooms/one')
    await until(async () => (await world.ask('GET', '/api/rooms/one')).json['state'] === 'ended', { ms: 3_000, what: 'the end' })
    await world.create({ id: 'one', ...passwords })
    await until(async () => (await world.login('one', { username: 'ann', password: 'u' })).status === 200, {
      ms: 3_000,
      what: 'the new room',
    })
    expect((await world.login('one', { link: token })).status).toBe(401)
  }, 15_000)

  it('[FLEET-1645] ask for a role, a name, seconds and a number of uses, and say which is wrong', async () => {
    for (const [field, body] of [
      ['role', { name: 'x' }],
      ['role', { role: 'host', name: 'x' }],
      ['name', { role: 'user' }],
      ['name', { role: 'user', name: '' }],
      ['name', { role: 'user', name: 'x'.repeat(101) }],
      ['expires_in', { role: 'user', name: 'x', expires_in: 0 }],
      ['expires_in', { role: 'user', name: 'x', expires_in: 1e9 }],
      ['expires_in', { role: 'user', name: 'x', expires_in: '1h' }],
      ['uses', { role: 'user', name: 'x', uses: 3 }],
      ['body', { role: 'user', name: 'x', id: 'y' }],
    ] as const) {
      const { status, json } = await world.ask('POST', '/api/rooms/two/links', { body })
      expect([field, status, String(json['message']).startsWith(field)]).toEqual([field, 400, true])
    }
    expect((await world.ask('POST', '/api/rooms/nowhere/links', { body: { role: 'user', name: 'x' } })).status).toBe(404)
  })
})
