import { until } from '@neko-edge/kit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { fleetToken, RoomWorld, StandInFleetNode } from './fleet.fixture.ts'

describe('the rooms API', () => {
  let world: RoomWorld

  beforeAll(async () => {
    world = await RoomWorld.open()
  })
  afterAll(async () => {
    await world?.[Symbol.asyncDispose]()
  })

  const stateOf = async (id: string) => (await world.ask('GET', `/api/rooms/${id}`)).json['state']

  it('[FLEET-1620] answers to the fleet token and nothing else: no session, no API token, no cookie, no query; without a token it is off', async () => {
    const admin = await world.planes.login('boss', { password: 'admin' })
    for (const [token, headers] of [
      ['', {}],
      ['wrong', {}],
      [`${fleetToken} `.trimEnd().slice(0, -1), {}],
      [admin.token, {}],
      ['', { cookie: `NEKO_SESSION=${fleetToken}` }],
    ] as const) {
      for (const [method, path] of [
        ['GET', '/api/rooms'],
        ['POST', '/api/rooms'],
        ['GET', '/api/rooms/default'],
        ['PATCH', '/api/rooms/default'],
        ['DELETE', '/api/rooms/default'],
        ['POST', '/api/rooms/default/restart'],
        ['POST', '/api/rooms/default/move'],
        ['POST', '/api/rooms/default/links'],
        ['GET', '/api/nodes'],
        ['PATCH', '/api/nodes/stand-in'],
      ] as const) {
        expect([method, path, (await world.ask(method, path, { token, headers })).status]).toEqual([method, path, 401])
      }
    }
    expect((await world.ask('GET', `/api/rooms?token=${encodeURIComponent(fleetToken)}`, { token: '' })).status).toBe(401)
    await using closed = await RoomWorld.open({ count: 1, env: { ROOMS_API_TOKEN: '' } })
    for (const token of ['', fleetToken]) {
      expect(await closed.ask('GET', '/api/rooms', { token })).toMatchObject({
        status: 404,
        json: { message: 'the rooms API is off: set rooms.api_token to switch it on' },
      })
    }
  })

  it('[FLEET-1623] makes a room by one POST, on either control plane, and shows it without its secrets', async () => {
    const made = await world.ask('POST', '/api/rooms', {
      body: {
        id: 'kitchen',
        label: 'The kitchen',
        app: 'xterm',
        screen: '800x600@25',
        user_password: 'pot',
        admin_password: 'cook',
        max_members: 3,
        timeouts: { empty: '10m', absolute: '2h' },
        config: { 'session.implicit_hosting': true, capture: { video: { codec: 'h264' } } },
      },
    })
    expect(made.status).toBe(201)
    expect(made.json).toMatchObject({
      id: 'kitchen',
      label: 'The kitchen',
      state: 'starting',
      node: 'stand-in',
      path: '/room/kitchen/',
      revision: 1,
      ends_at: expect.any(String),
      config: {
        'desktop.app': 'xterm',
        'desktop.screen': '800x600@25',
        'member.multiuser.user_password': '***',
        'member.multiuser.admin_password': '***',
        'rooms.max_members': 3,
        'session.implicit_hosting': true,
        'capture.video.codec': 'h264',
      },
    })
    await until(async () => (await stateOf('kitchen')) === 'running', { ms: 3_000, what: 'the room runs' })
    expect((await world.ask('POST', '/api/rooms', { body: { id: 'kitchen' } })).status).toBe(409)
    const random = await world.create()
    expect(random).toMatch(/^r-[a-z0-9]{16}$/)
  })

  it('[FLEET-1624] a request that is sent again under its Idempotency-Key makes nothing new', async () => {
    const again = { headers: { 'idempotency-key': 'order 66' }, body: { app: 'xterm' } }
    const answers = await Promise.all([1, 2, 3, 4].map(() => world.ask('POST', '/api/rooms', again)))
    expect(answers.map(({ status }) => status).toSorted()).toEqual([200, 200, 200, 201])
    expect(new Set(answers.map(({ json }) => json['id'])).size).toBe(1)
    expect((await world.ask('POST', '/api/rooms', { ...again, body: { app: 'xeyes' } })).status).toBe(422)
    expect((await world.ask('POST', '/api/rooms', { ...again, headers: { 'idempotency-key': '\u00e9' } })).status).toBe(400)
  })

  const wrong: readonly [field: string, body: unknown][] = [
    ['body', []],
    ['body', 'null'],
    ['body', { nonsense: 1 }],
    ...[
      7,
      null,
      {},
      '',
      '..',
      '.',
      'Kitchen',
      'k\u0456tchen',
      'a/b',
      'a%2fb',
      'a b',
      '-a',
      'a-',
      'a--b',
      'a'.repeat(49),
      'ａ',
      'a\n',
      'a\u0000',
    ].map((id): [string, unknown] => ['id', { id }]),
    ...['api', 'room', 'rooms', 'ws', 'health', 'metrics'].map((id): [string, unknown] => ['id', { id }]),
    ['label', { label: 'x'.repeat(201) }],
    ['label', { label: 5 }],
    ['app', { app: '' }],
    ['app', { app: '   ' }],
    ['app', { app: ['xterm'] }],
    ['app', { app: 'x'.repeat(5000) }],
    ['app_url', { app_url: false }],
    ...['800', '0x0@0', '1e9x600@25', 'wide'].map((screen): [string, unknown] => ['screen', { screen }]),
    ['user_password', { user_password: 1234, admin_password: 'x' }],
    ['admin_password', { admin_password: '' }],
    ['user_password', { user_password: 'same', admin_password: 'same' }],
    ...[-1, 1.5, '3x', 1e12, null].map((members): [string, unknown] => ['max_members', { max_members: members }]),
    ['timeouts', { timeouts: '10m' }],
    ['timeouts', { timeouts: { never: '1m' } }],
    ...['soon', '-1s', '400000h', {}].map((empty): [string, unknown] => ['timeouts.empty', { timeouts: { empty } }]),
    ...['ftp://x', 'x', 'javascript:alert(1)'].map((url): [string, unknown] => ['webhook.url', { webhook: { url } }]),
    ['webhook.secret', { webhook: { url: 'https://hooks.example' } }],
    ['webhook.secret', { webhook: { url: 'https://hooks.example', secret: 'short' } }],
    ['config', { config: [] }],
    ['config server.bind', { config: { 'server.bind': '0.0.0.0:1' } }],
    ['config desktop.uncaged', { config: { 'desktop.uncaged': true } }],
    ['config webhook.allow_private', { config: { 'webhook.allow_private': true } }],
    ['config no.such.option', { config: { 'no.such.option': 1 } }],
    ['config capture.video.codec', { config: { 'capture.video.codec': 'mpeg1' } }],
    ['config constructor', { config: { constructor: 1 } }],
    ['app', { app: 'xterm', config: { 'desktop.app': 'xeyes' } }],
  ]

  it.each(wrong)('[FLEET-1625] a field that is wrong is named, and nothing is made: %s %j', async (field, body) => {
    const before = (await world.ask('GET', '/api/rooms?limit=500')).json['rooms'] as unknown[]
    const { status, json } = await world.ask('POST', '/api/rooms', { body })
    expect(status).toBe(400)
    expect(String(json['message'])).toMatch(
      body === 'null' || Array.isArray(body) ? /./ : new RegExp(`(^|[. ])${field.replaceAll('.', '\\.')}`),
    )
    expect(((await world.ask('GET', '/api/rooms?limit=500')).json['rooms'] as unknown[]).length).toBe(before.length)
  })

  it('[FLEET-1625] a body that is none, too long or too deep is refused', async () => {
    for (const [body, status] of [
      ['', 400],
      ['{', 400],
      ['{} {}', 400],
      [`{"label":"${'x'.repeat(1_100_000)}"}`, 413],
      [`${'{"config":'.repeat(300)}1${'}'.repeat(300)}`, 400],
    ] as const) {
      expect((await world.ask('POST', '/api/rooms', { body })).status).toBe(status)
    }
  })

  it('[FLEET-1626] lists in pages, by state and by node, and says what is wrong with a query', async () => {
    const ids: unknown[] = []
    let after = ''
    do {
      const page = await world.ask('GET', `/api/rooms?limit=2&after=${after}`)
      const list = page.json['rooms'] as { id: string }[]
      expect(list.length).toBeLessThanOrEqual(2)
      ids.push(...list.map(({ id }) => id))
      after = String(page.json['next'] ?? '')
    } while (after !== '')
    expect(ids).toEqual([...ids].toSorted())
    expect(ids).toContain('kitchen')
    const running = (await world.ask('GET', '/api/rooms?state=running&node=stand-in')).json['rooms'] as { state: string }[]
    expect(running.length > 0 && running.every(({ state }) => state === 'running')).toBe(true)
    expect((await world.ask('GET', '/api/rooms?node=nobody')).json['rooms']).toEqual([])
    for (const query of ['state=odd', 'limit=0', 'limit=501', 'limit=x', 'limit=-1']) {
      expect((await world.ask('GET', `/api/rooms?${query}`)).status).toBe(400)
    }
  })

  it('[FLEET-1627] a change keeps what it does not name, and null takes one back', async () => {
    const id = await world.create({ label: 'before', app: 'xterm', user_password: 'u1', admin_password: 'a1' })
    const changed = await world.ask('PATCH', `/api/rooms/${id}`, {
      body: { user_password: 'u2', config: { 'desktop.app': null, 'chat.enabled': false } },
    })
    expect(changed).toMatchObject({ status: 200, json: { label: 'before', revision: 2, config: { 'chat.enabled': false } } })
    expect(Object.keys(changed.json['config'] as object)).not.toContain('desktop.app')
    const comesIn = (password: string) => async () => (await world.login(id, { username: 'ann', password })).status === 200
    await until(async () => !(await comesIn('u1')()), { ms: 3_000, what: 'the old password is worth nothing' })
    expect([await comesIn('u2')(), await comesIn('a1')()]).toEqual([true, true])
    expect((await world.ask('PATCH', `/api/rooms/${id}`, { body: { app: '' } })).status).toBe(400)
    expect((await world.ask('PATCH', `/api/rooms/${id}`, { body: { id: 'other' } })).status).toBe(400)
    expect((await world.ask('PATCH', '/api/rooms/nowhere', { body: { label: 'x' } })).status).toBe(404)
  })

  it('[FLEET-1628] ends a room: those inside hear it, its path is gone, and so is all that Redis had of it', async () => {
    const id = await world.create({ user_password: 'u', admin_password: 'a' })
    await using node = await world.nodeOf(id)
    const token = String((await world.login(id, { username: 'ann', password: 'u' })).json['token'])
    const socket = new WebSocket(`${world.planes.url(0).replace('http', 'ws')}/room/${id}/api/ws?token=${token}`)
    const heard: string[] = []
    const closed = new Promise<void>((resolve) => socket.addEventListener('close', () => resolve()))
    socket.addEventListener('message', ({ data }) => heard.push(String(data)))
    await until(() => heard.some((text) => text.includes('system/init')), { ms: 3_000, what: 'the greeting' })
    expect(await world.ask('DELETE', `/api/rooms/${id}`)).toMatchObject({ status: 202, json: { state: 'draining' } })
    await until(async () => (await stateOf(id)) === 'ended', { ms: 3_000, what: 'the end' })
    await closed
    expect(heard.some((text) => text.includes('system/disconnect') && text.includes('room ended'))).toBe(true)
    await until(async () => (await world.login(id, { username: 'ann', password: 'u' })).status === 404, { ms: 3_000, what: 'no room' })
    expect((await world.ask('GET', `/api/rooms/${id}`)).json).toMatchObject({ state: 'ended', reason: 'asked by the rooms API' })
    expect((await world.ask('DELETE', `/api/rooms/${id}`)).status).toBe(404)
    const keys = async () => (await node.connection.commands.keys(`neko:{room:${id}}:*`)).filter((key) => !key.endsWith(':room'))
    await until(async () => (await keys()).length === 0, { ms: 3_000, what: 'no keys' })
  })

  it('[FLEET-1629] restarts the application through the room’s node, and says so where none runs it', async () => {
    const id = await world.create()
    expect((await world.ask('POST', `/api/rooms/${id}/restart`)).status).toBe(503)
    await using node = await world.nodeOf(id)
    node.answers['room.restart'] = () => ({ restarted: 'application' })
    expect(await world.ask('POST', `/api/rooms/${id}/restart`)).toMatchObject({ status: 200, json: { restarted: 'application' } })
    expect(node.asked('room.restart')).toHaveLength(1)
    expect((await world.ask('POST', '/api/rooms/nowhere/restart')).status).toBe(404)
  })

  it('[FLEET-1630] where no node has a place a room is refused with the reason and Retry-After', async () => {
    await using small = await RoomWorld.open({ count: 1, maxRooms: 1 })
    await small.create()
    const { status, json, headers } = await small.ask('POST', '/api/rooms', { body: {} })
    expect([status, json['message']]).toEqual([503, 'no capture node has a place: stand-in has 1 of 1 rooms'])
    expect(Number(headers.get('retry-after'))).toBeGreaterThan(0)
  })

  it('[FLEET-1631] nodes are listed, and take no new room while they drain', async () => {
    await using other = await RoomWorld.open({ count: 1 })
    const { json } = await other.ask('GET', '/api/nodes')
    expect(json).toMatchObject([{ id: 'stand-in', roles: ['capture'], alive: true, draining: false, max_rooms: 50, rooms: 0 }])
    expect((await other.ask('PATCH', '/api/nodes/stand-in', { body: { draining: true } })).json).toMatchObject({ draining: true })
    expect((await other.ask('POST', '/api/rooms', { body: {} })).json['message']).toBe(
      'no capture node has a place: stand-in is being drained',
    )
    expect((await other.ask('PATCH', '/api/nodes/nobody', { body: { draining: true } })).status).toBe(404)
    expect((await other.ask('PATCH', '/api/nodes/stand-in', { body: { draining: 'yes' } })).status).toBe(400)
  })

  it('[MOV-1972] moves a room that runs, with and without a body, and says what is in the way otherwise', async () => {
    await using small = await RoomWorld.open({ count: 2, maxRooms: 3 })
    const id = await small.create()
    const move = async (body?: unknown, room = id) => {
      const { status, json, headers } = await small.ask('POST', `/api/rooms/${room}/move`, { body })
      return [status, json['node'] ?? json['message'], ...(headers.has('retry-after') ? ['again'] : [])]
    }
    const runs = async () => (await small.ask('GET', `/api/rooms/${id}`)).json['state'] === 'running'
    await until(runs, { ms: 3_000, what: 'the room runs' })
    expect(await move()).toEqual([503, 'no other capture node is up', 'again'])
    await using other = await StandInFleetNode.open(small.planes.redis.url, { id: 'other', maxRooms: 1 })
    expect(await move({ node: 'stand-in' })).toEqual([409, 'node: the room is on stand-in already'])
    expect(await move({ node: 'nobody' })).toEqual([404, 'node: there is no node nobody, or it is not up'])
    expect(await move({}, 'nowhere')).toEqual([404, 'there is no such room'])
    for (const [body, wrong] of [
      [{ node: 5 }, 'node: '],
      [{ node: '' }, 'node: '],
      [{ to: 'other' }, 'body: '],
      ['{', ''],
      ['[]', 'body: '],
    ] as const) {
      expect(await move(body)).toEqual([400, expect.stringContaining(wrong)])
    }
    await small.ask('PATCH', '/api/nodes/other', { body: { draining: true } })
    expect(await move({ node: 'other' })).toEqual([503, 'other is being drained', 'again'])
    await small.ask('PATCH', '/api/nodes/other', { body: { draining: false } })
    expect(await move()).toEqual([202, 'other'])
    await until(runs, { ms: 3_000, what: 'the room runs elsewhere' })
    expect((await small.ask('GET', '/api/nodes')).json).toMatchObject([
      { id: 'other', rooms: 1 },
      { id: 'stand-in', rooms: 0 },
    ])
    // Emptied again, into the first one.
    const drained = await small.ask('PATCH', '/api/nodes/other', { body: { draining: true, rooms: 'move' } })
    expect(drained).toMatchObject({ status: 200, json: { draining: true, rooms: 0 } })
    expect((await small.ask('GET', `/api/rooms/${id}`)).json).toMatchObject({ node: 'stand-in' })
    for (const body of [
      { draining: true, rooms: 'sell' },
      { draining: false, rooms: 'move' },
    ]) {
      expect(await small.ask('PATCH', '/api/nodes/other', { body })).toMatchObject({
        status: 400,
        json: { message: expect.stringContaining('rooms: ') },
      })
    }
    expect((await other.fleet.nodes()).find(({ id: name }) => name === 'other')?.isDrained).toBe(true)
  })

  it('[FLEET-1639] the metrics of the server count rooms by state and say what nodes have, those of a room do not', async () => {
    const id = await world.create()
    await until(async () => (await world.planes.metric('neko_edge_rooms{state="running"}')) > 0, { ms: 3_000, what: 'a running room' })
    expect(await world.planes.metric('neko_edge_node_max_rooms{node="stand-in"}')).toBe(50)
    expect(await world.planes.metric('neko_edge_node_rooms{node="stand-in"}')).toBeGreaterThan(0)
    const own = (await world.ask('GET', `/room/${id}/metrics`)).json['text']
    expect(own).toContain(`neko_edge_room_sessions{room="${id}"} 0`)
    expect(own).not.toContain('neko_edge_rooms{')
  })

  it('[FLEET-1632] is in the OpenAPI document of the server, and not in that of a room', async () => {
    const document = (await world.ask('GET', '/openapi.json')).json as { paths: Record<string, Record<string, { security: unknown }>> }
    expect(Object.keys(document.paths).filter((path) => /^\/api\/(rooms|nodes)/.test(path))).toEqual([
      '/api/rooms',
      '/api/rooms/{id}',
      '/api/rooms/{id}/restart',
      '/api/rooms/{id}/move',
      '/api/rooms/{id}/links',
      '/api/nodes',
      '/api/nodes/{id}',
    ])
    expect(document.paths['/api/rooms']?.['post']?.security).toEqual([{ fleet: [] }])
    const id = await world.create()
    const own = (await world.ask('GET', `/room/${id}/openapi.json`)).json as { paths: object; servers: { url: string }[] }
    expect(Object.keys(own.paths)).not.toContain('/api/rooms')
    expect(own.servers).toEqual([{ url: `/room/${id}` }])
    expect((await world.ask('GET', `/room/${id}/api/rooms`)).status).toBe(404)
  })
})
