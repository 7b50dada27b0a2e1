import { createHash } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { connectSession } from '@neko-edge/store'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { configOf } from '../session/planes.fixture.ts'
import { apiToken, HttpWorld } from './world.fixture.ts'

type Answer = { status: number; json: unknown }
const fails = (status: number, message: string): Answer => ({ status, json: { code: status, message } })
const hidden = fails(500, 'Internal Server Error')
const done: Answer = { status: 204, json: '' }

const admin = (world: HttpWorld) => (method: string, path: string, body?: unknown) => world.ask(method, path, { token: apiToken, body })
const login = async (world: HttpWorld, username: string, password: string) => {
  const { status, json } = await world.ask('POST', '/api/login', { body: { username, password } })
  return { status, ...(json as { id: string; token: string; profile: object }) }
}
const users = JSON.stringify([
  { username: 'ann', password: 'first', profile: { name: 'Ann', can_login: true, can_connect: true } },
  { username: 'bob', password: 'second', profile: { is_admin: true } },
  { username: 'ann', password: 'other', profile: {} },
])

/** What every provider that keeps members does alike. */
function keepsMembers(open: () => Promise<HttpWorld>) {
  let world: HttpWorld
  beforeAll(async () => {
    world = await open()
  })
  afterAll(() => world?.[Symbol.asyncDispose]())

  it('[MEM-1] lets in who has the password, under the name as id, with nothing that was not granted', async () => {
    const { status, id, profile } = await login(world, 'ann', 'first')
    expect([status, id]).toEqual([200, 'ann'])
    expect(profile).toMatchObject({
      name: 'Ann',
      can_login: true,
      can_connect: true,
      can_watch: false,
      can_host: false,
      is_admin: false,
      plugins: null,
    })
    for (const [name, password] of [
      ['ann', 'second'],
      ['ann', ''],
      ['nobody', 'first'],
      ['Ann', 'first'],
      ['__proto__', 'x'],
    ] as const) {
      expect((await login(world, name, password)).status, name).toBe(401)
    }
  })

  it('[MEM-2] a member that is added on one control plane is there on the other; its profile is granted what is not said', async () => {
    const ask = admin(world)
    const created = await ask('POST', '/api/members', { username: 'cid', password: 'pass', profile: { name: 'Cid', can_host: false } })
    expect(created).toEqual({
      status: 200,
      json: {
        id: 'cid',
        profile: expect.objectContaining({ name: 'Cid', can_host: false, can_watch: true, is_admin: false, plugins: null }),
      },
    })
    expect(await ask('GET', '/api/members/cid')).toEqual({ status: 200, json: (created.json as { profile: object }).profile })
    expect(await ask('POST', '/api/members', { username: 'cid', password: 'x' })).toEqual(fails(422, 'member already exists'))
    expect(await ask('POST', '/api/members', { password: 'x' })).toEqual(fails(400, 'username cannot be empty'))
    expect(await ask('POST', '/api/members', { username: 'x' })).toEqual(fails(400, 'password cannot be empty'))
    expect((await login(world, 'cid', 'pass')).status).toBe(200)
  })

  it('[MEM-3] lists members by id, a part of them where that is asked for', async () => {
    const ids = async (query: string) => ((await admin(world)('GET', `/api/members${query}`)).json as { id: string }[]).map(({ id }) => id)
    expect(await ids('')).toEqual(['ann', 'bob', 'cid'])
    expect(await ids('?limit=1&offset=1')).toEqual(['bob'])
    expect(await ids('?limit=x&offset=-3')).toEqual(['ann', 'bob', 'cid'])
    expect(await ids('?offset=9')).toEqual([])
  })

  it('[MEM-4] changes a profile where it is kept and in the live session, merging it', async () => {
    const ask = admin(world)
    const { token } = await login(world, 'ann', 'first')
    expect(await ask('POST', '/api/members/ann', { can_host: true, plugins: { 'a.b': 1 } })).toEqual(done)
    expect(await ask('POST', '/api/members/ann', { can_watch: true, plugins: { 'c.d': false } })).toEqual(done)
    const whoami = await world.ask('GET', '/api/whoami', { token })
    const profile = { name: 'Ann', can_host: true, can_watch: true, can_connect: true, plugins: { 'a.b': 1, 'c.d': false } }
    expect(whoami.json).toMatchObject({ profile })
    await world.ask('POST', '/api/logout', { token })
    expect((await ask('GET', '/api/members/ann')).json).toMatchObject(profile)
  })

  it('[MEM-5] a new password counts and the old one does not, also an empty one', async () => {
    const ask = admin(world)
    for (const [before, after] of [
      ['first', 'next'],
      ['next', ''],
    ] as const) {
      expect(await ask('POST', '/api/members/ann/password', { password: after })).toEqual(done)
      expect([(await login(world, 'ann', before)).status, (await login(world, 'ann', after)).status]).toEqual([401, 200])
    }
  })

  it('[MEM-6] a bulk change stops at the first that fails, and names it; those before stay changed', async () => {
    const ask = admin(world)
    const flag = async (id: string) => ((await ask('GET', `/api/members/${id}`)).json as { can_share_media: boolean }).can_share_media
    expect(await ask('POST', '/api/members_bulk/update', { ids: ['ann', 'none', 'bob'], profile: { can_share_media: true } })).toEqual(
      fails(500, 'failed to update member none'),
    )
    expect([await flag('ann'), await flag('bob')]).toEqual([true, false])
    expect(await ask('POST', '/api/members_bulk/update', { ids: ['bob'], profile: { can_share_media: true } })).toEqual(done)
    expect(await flag('bob')).toBe(true)
    expect(await ask('POST', '/api/members_bulk/update', {})).toEqual(done)
    for (const body of ['', 'null', '{} x', '[]', '{"ids":1}']) {
      expect(await ask('POST', '/api/members_bulk/delete', body), body).toEqual(fails(400, 'unable to unmarshal payload'))
    }
    expect(await ask('POST', '/api/members_bulk/delete', { ids: ['none', 'bob'] })).toEqual(fails(500, 'failed to delete member none'))
  })

  it('[MEM-7] a member that is removed is gone with its session', async () => {
    const ask = admin(world)
    const { token } = await login(world, 'cid', 'pass')
    expect(await ask('DELETE', '/api/members/cid')).toEqual(done)
    expect((await world.ask('GET', '/api/whoami', { token })).status).toBe(401)
    expect((await login(world, 'cid', 'pass')).status).toBe(401)
    for (const [method, path, body] of [
      ['GET', ''],
      ['POST', '', {}],
      ['DELETE', ''],
      ['POST', '/password', { password: 'x' }],
    ] as const) {
      expect(await ask(method, `/api/members/cid${path}`, body)).toEqual(fails(404, 'member not found'))
    }
  })

  it('[MEM-8] a member who is connected is not let in twice; otherwise the older token dies', async () => {
    const first = await login(world, 'ann', '')
    const second = await login(world, 'ann', '')
    expect((await world.ask('GET', '/api/whoami', { token: first.token })).status).toBe(401)
    await world.room.run(connectSession, ['ann', 'test.socket', '127.0.0.1', 'v3'])
    expect(await world.ask('POST', '/api/login', { body: { username: 'ann', password: '' } })).toEqual(
      fails(422, 'session already connected'),
    )
    expect((await world.ask('GET', '/api/whoami', { token: second.token })).status).toBe(200)
  })
}

// The limit of failed logins has its own test.
const unlimited = { SERVER_LOGIN_LIMIT_PER_ADDRESS: '0', SERVER_LOGIN_LIMIT_PER_ACCOUNT: '0' }

describe('members of the configuration', () =>
  keepsMembers(() => HttpWorld.open({ env: { MEMBER_PROVIDER: 'object', MEMBER_OBJECT_USERS: users, ...unlimited } })))
describe('members in Redis', () =>
  keepsMembers(() => HttpWorld.open({ env: { MEMBER_PROVIDER: 'redis', MEMBER_REDIS_USERS: users, ...unlimited } })))
describe('members in a file', () => {
  const path = join('/tmp', `neko-members-${process.pid}.json`)
  keepsMembers(async () => {
    // SHA-256 in base64, as upstream writes it.
    const password = createHash('sha256').update('first').digest('base64')
    const ann = { password, profile: { name: 'Ann', can_login: true, can_connect: true } }
    await writeFile(path, JSON.stringify({ ann, bob: { password: 'x', profile: { is_admin: true } } }))
    return HttpWorld.open({ env: { MEMBER_PROVIDER: 'file', MEMBER_FILE_PATH: path, ...unlimited } })
  })

  it('[MEM-9] new passwords are hashed by scrypt, and who was removed is not in the file', async () => {
    const entries = JSON.parse(await readFile(path, 'utf8')) as Record<string, { password: string }>
    expect(entries['ann']?.password).toMatch(/^scrypt\$15\$8\$1\$/)
    expect(entries).not.toHaveProperty('cid')
  })
})

describe('a member file', () => {
  const env = (path: string, hash = 'true') => ({ MEMBER_PROVIDER: 'file', MEMBER_FILE_PATH: path, MEMBER_FILE_HASH: hash })

  it('[MEM-10] upstream hashes and plain texts are read, and a file that is edited counts at once', async () => {
    await using world = await HttpWorld.open({ env: env('/tmp/neko-members-edit.json') })
    await writeFile('/tmp/neko-members-edit.json', '{"adm":{"password":"jGl25bVBBBW96Qi9Te4V37Fnqchz/Eu4qB9vKrRIqRg=","profile":{}}}')
    expect((await login(world, 'adm', 'admin')).status).toBe(200)
    await writeFile('/tmp/neko-members-edit.json', '')
    expect((await login(world, 'adm', 'admin')).status).toBe(401)
    await using plain = await HttpWorld.open({ env: env('/tmp/neko-members-edit.json', 'false') })
    await writeFile('/tmp/neko-members-edit.json', '{"adm":{"password":"open","profile":{"can_login":true}}}')
    expect((await login(plain, 'adm', 'open')).status).toBe(200)
    await admin(plain)('POST', '/api/members/adm/password', { password: 'sesame' })
    expect(JSON.parse(await readFile('/tmp/neko-members-edit.json', 'utf8'))).toMatchObject({ adm: { password: 'sesame' } })
  })

  it('[MEM-11] one that is no JSON fails every operation, and is left as it is', async () => {
    await using world = await HttpWorld.open({ env: env('/tmp/neko-members-bad.json') })
    await writeFile('/tmp/neko-members-bad.json', '{"a":')
    expect(await world.ask('POST', '/api/login', { body: { username: 'a', password: 'b' } })).toEqual(hidden)
    expect(await admin(world)('POST', '/api/members', { username: 'a', password: 'b' })).toEqual(hidden)
    expect(await readFile('/tmp/neko-members-bad.json', 'utf8')).toBe('{"a":')
  })
})

describe('providers without members', () => {
  it('[MEM-12] multiuser: every login is somebody new, its member is its session, and nothing else is kept', async () => {
    await using world = await HttpWorld.open({ env: { MEMBER_MULTIUSER_ADMIN_PROFILE: '{"name":"Boss","can_host":false}' } })
    const ask = admin(world)
    const user = await login(world, '', 'neko')
    const boss = await login(world, 'any', 'admin')
    expect(user.id).toMatch(/^-[\w-]{5}$/)
    expect(user.profile).toMatchObject({ is_admin: false, can_see_inactive_cursors: false, can_host: true })
    expect(boss.profile).toMatchObject({ is_admin: true, name: 'Boss', can_host: false, can_watch: true })
    expect((await login(world, 'any', '')).status).toBe(401)
    expect((await ask('GET', `/api/members/${user.id}`)).status).toBe(200)
    expect(await ask('GET', '/api/members/none')).toEqual(hidden)
    expect(await ask('GET', '/api/members')).toEqual({ status: 200, json: [] })
    expect(await ask('POST', '/api/members', { username: 'a', password: 'b' })).toEqual(hidden)
    expect(await ask('POST', `/api/members/${user.id}`, { name: 'Ann' })).toEqual(done)
    expect((await world.ask('GET', '/api/whoami', { token: user.token })).json).toMatchObject({ profile: { name: 'Ann' } })
    expect(await ask('POST', `/api/members/${user.id}/password`, { password: 'x' })).toEqual(hidden)
    expect(await ask('DELETE', `/api/members/${user.id}`)).toEqual(hidden)
    expect((await world.ask('GET', '/api/whoami', { token: user.token })).status).toBe(401)
  })

  it('[MEM-13] noauth: everybody is an admin, whatever he says', async () => {
    await using world = await HttpWorld.open({ env: { MEMBER_PROVIDER: 'noauth' } })
    const someone = await login(world, 'any', 'thing')
    expect([someone.status, someone.profile]).toEqual([
      200,
      expect.objectContaining({ is_admin: true, name: 'any', can_see_inactive_cursors: true }),
    ])
  })

  it('[MEM-14] a provider that there is none of is an error at the start, not an open door', () => {
    expect(() => configOf({ MEMBER_PROVIDER: 'whatever' })).toThrow(/member.provider/)
  })
})

describe('too many tries', () => {
  it('[MEM-15] failed logins are counted per account over all control planes; then even the right password has to wait', async () => {
    await using world = await HttpWorld.open({ env: { SERVER_LOGIN_LIMIT_PER_ACCOUNT: '3' } })
    for (let count = 0; count < 3; count++) {
      expect((await login(world, 'ann', 'wrong')).status).toBe(401)
    }
    const response = await world.fetch('/api/login', { method: 'POST', body: '{"username":"ann","password":"neko"}' })
    expect([response.status, Number(response.headers.get('retry-after')) > 0]).toEqual([429, true])
    expect((await login(world, 'bob', 'neko')).status).toBe(200)
  })
})
