import { until } from '@neko-edge/kit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { names, type Person } from '../session/person.fixture.ts'
import { Planes } from '../session/planes.fixture.ts'

let planes: Planes
let boss: Person
let ann: Person

beforeAll(async () => {
  planes = await Planes.open()
  boss = await planes.admin('boss', 0)
  ann = await planes.enter('ann', { plane: 1 })
})
afterAll(() => planes?.[Symbol.asyncDispose]())

const answer = async (response: Response) => [response.status, response.status === 204 ? undefined : await response.json()]
const error = (code: number, message: string) => [code, { code, message }]
const post = async (person: Person, path: string, body?: unknown) =>
  answer(await person.request(path, { method: 'POST', ...(body !== undefined && { body }) }))
const get = async (person: Person, path: string) => answer(await person.request(path, { method: 'GET' }))
const set = (body: unknown) => post(boss, '/api/room/settings', body)
const settled = async () => {
  await boss.news()
  await ann.news()
}
const news = async () => (await ann.news()).map(({ event, payload }) => [event, payload])

describe('settings', () => {
  it('[HTTP-40] every change is told to all with its author, also one that changes nothing', async () => {
    await settled()
    expect(await set({})).toEqual([204, undefined])
    const [, settings] = await get(boss, '/api/room/settings')
    expect(Object.keys(settings as object)).toEqual([
      ...['private_mode', 'locked_logins', 'locked_controls', 'control_protection', 'implicit_hosting'],
      ...['inactive_cursors', 'merciful_reconnect', 'heartbeat_interval', 'plugins'],
    ])
    expect(await news()).toEqual([['system/settings', { id: boss.id, ...(settings as object) }]])
  })

  it('[HTTP-41] plugin settings are merged key by key, and null takes them all away', async () => {
    const plugins = async () => ((await get(boss, '/api/room/settings'))[1] as { plugins: unknown }).plugins
    await set({ plugins: { 'a.b': [1], 'c.d': { e: null } } })
    await set({ PLUGINS: { 'a.b': null }, unknown: 1 })
    expect(await plugins()).toEqual({ 'a.b': null, 'c.d': { e: null } })
    await set({ plugins: null })
    expect(await plugins()).toBeNull()
  })

  it('[HTTP-42] changes of both control planes at once are all there in the end', async () => {
    await Promise.all(
      Array.from({ length: 6 }, (_, index) =>
        boss.does('/api/room/settings', { body: { plugins: { [`at.once.${index}`]: index } }, plane: index }),
      ),
    )
    const [, settings] = await get(boss, '/api/room/settings')
    expect(Object.keys((settings as { plugins: object }).plugins)).toHaveLength(6)
    await set({ plugins: null })
  })

  it('[HTTP-43] null and absent leave a setting as it is', async () => {
    await set({ heartbeat_interval: 7 })
    await set({ heartbeat_interval: null, private_mode: null })
    expect((await get(boss, '/api/room/settings'))[1]).toMatchObject({ heartbeat_interval: 7, private_mode: false })
    await set({ heartbeat_interval: 10 })
  })
})

describe('the controls', () => {
  it('[HTTP-44] the first who asks has them; whoever asks then is told so, and the host who asks', async () => {
    await settled()
    expect(await post(ann, '/api/room/control/request')).toEqual([204, undefined])
    expect(await get(boss, '/api/room/control')).toEqual([200, { has_host: true, host_id: ann.id }])
    expect(await post(boss, '/api/room/control/request')).toEqual(error(202, 'control request sent'))
    expect(await post(ann, '/api/room/control/request')).toEqual(error(202, 'control request sent'))
    expect(await news()).toEqual([
      ['control/host', { id: ann.id, has_host: true, host_id: ann.id }],
      ['control/request', { id: boss.id }],
      ['control/request', { id: ann.id }],
    ])
  })

  it('[HTTP-45] under a lock somebody who hosts is asked all the same, and nobody but an admin begins', async () => {
    await post(boss, '/api/room/control/take')
    await set({ locked_controls: true })
    expect(await post(ann, '/api/room/control/request')).toEqual(error(202, 'control request sent'))
    await post(boss, '/api/room/control/release')
    expect(await post(ann, '/api/room/control/request')).toEqual(error(403, 'controls are locked'))
    expect(await post(boss, '/api/room/control/request')).toEqual([204, undefined])
    await set({ locked_controls: false })
    await post(boss, '/api/room/control/reset')
  })

  it('[HTTP-46] the host and admins give them, also to somebody who is away; not to who may not have them', async () => {
    const away = await planes.login('away')
    expect(await post(ann, `/api/room/control/give/${away.id}`)).toEqual(error(403, 'session is not host or admin'))
    await post(ann, '/api/room/control/request')
    expect(await post(ann, `/api/room/control/give/${away.id}`)).toEqual([204, undefined])
    expect(await get(ann, '/api/room/control')).toEqual([200, { has_host: true, host_id: away.id }])
    expect(await post(boss, '/api/room/control/give/none')).toEqual(error(404, 'target session was not found'))
    await boss.does(`/api/members/${ann.id}`, { body: { can_host: false } })
    expect(await post(boss, `/api/room/control/give/${ann.id}`)).toEqual(error(400, 'target session is not allowed to host'))
    await boss.does(`/api/members/${ann.id}`, { body: { can_host: true } })
    expect(await post(ann, '/api/room/control/release')).toEqual(error(422, 'session is not the host'))
    // With the session its turn ends, so that nobody who comes by that name has it.
    await boss.does(`/api/sessions/${away.id}`, { method: 'DELETE' })
    expect(await get(ann, '/api/room/control')).toEqual([200, { has_host: false }])
  })
})

describe('profiles', () => {
  it('[HTTP-47] a user changes his name and nothing else; without one he has none', async () => {
    await settled()
    expect(await post(ann, '/api/profile', { name: 'Anna', is_admin: true, can_watch: false })).toEqual([200, true])
    expect((await get(ann, '/api/whoami'))[1]).toMatchObject({ profile: { name: 'Anna', is_admin: false, can_watch: true } })
    expect(names(await ann.news())).toEqual(['session/profile'])
    await post(ann, '/api/profile', { is_admin: true })
    expect((await get(ann, '/api/whoami'))[1]).toMatchObject({ profile: { name: '', is_admin: false } })
    await post(ann, '/api/profile', { name: 'ann' })
  })

  it('[HTTP-48] what is taken from a member is gone at once: the controls, the connection, the login', async () => {
    const bob = await planes.enter('bob', { plane: 0 })
    await post(bob, '/api/room/control/request')
    await boss.does(`/api/members/${bob.id}`, { body: { can_host: false } })
    expect(await get(bob, '/api/room/control')).toEqual(error(403, 'session cannot host'))
    expect(await get(ann, '/api/room/control')).toEqual([200, { has_host: false }])
    await boss.does(`/api/members/${bob.id}`, { body: { can_connect: false } })
    expect(await bob.hears('system/disconnect')).toEqual({ message: 'profile changed' })
    await boss.does(`/api/members/${bob.id}`, { body: { can_login: false } })
    expect(await get(bob, '/api/whoami')).toEqual(error(403, 'login is disabled for this session'))
  })

  it('[HTTP-49] an admin may give up being one, and is counted as what he is', async () => {
    const cid = await planes.admin('cid', 1)
    const before = (await get(boss, '/api/stats'))[1] as { total_users: number; total_admins: number }
    await post(cid, '/api/profile', { is_admin: false })
    const after = (await get(boss, '/api/stats'))[1]
    expect(after).toMatchObject({ total_users: before.total_users + 1, total_admins: before.total_admins - 1 })
    expect(await get(cid, '/api/room/settings')).toEqual(error(403, 'session is not admin'))
    await boss.does(`/api/sessions/${cid.id}`, { method: 'DELETE' })
    expect(await cid.hears('system/disconnect')).toEqual({ message: 'session deleted' })
  })
})

describe('the API session', () => {
  it('[HTTP-73] at the controls it is named like any other, where upstream would say that there is nobody', async () => {
    await using room = await Planes.open({ env: { SESSION_API_TOKEN: 'sesame' } })
    const one = await room.enter('one')
    const ask = (method: string, path: string, plane: number) =>
      fetch(`${room.url(plane)}${path}`, { method, headers: { authorization: 'Bearer sesame' } })
    expect((await ask('POST', '/api/room/control/take', 0)).status).toBe(204)
    expect(await one.hears('control/host')).toEqual({ id: 'API', has_host: true, host_id: 'API' })
    expect(await get(one, '/api/room/control')).toEqual([200, { has_host: true, host_id: 'API' }])
    expect(await post(one, '/api/room/control/request')).toEqual(error(202, 'control request sent'))
    expect((await ask('POST', '/api/room/control/release', 1)).status).toBe(204)
    expect(await get(one, '/api/room/control')).toEqual([200, { has_host: false }])
  })
})

describe('sessions of others', () => {
  it('[HTTP-70] one is disconnected without being ended, whichever control plane is asked, and once more does nothing', async () => {
    const bob = await planes.enter('bob', { plane: 1 })
    expect(await post(boss, `/api/sessions/${bob.id}/disconnect`)).toEqual([204, undefined])
    expect(await bob.hears('system/disconnect')).toEqual({ message: 'session disconnected' })
    expect(await post(boss, `/api/sessions/${bob.id}/disconnect`)).toEqual([204, undefined])
    expect((await get(bob, '/api/whoami'))[1]).toMatchObject({ state: { is_connected: false, not_connected_since: expect.any(String) } })
    expect(await post(boss, '/api/sessions/none/disconnect')).toEqual(error(400, 'session not found'))
  })

  it('[HTTP-71] nobody ends himself there; who is not there can not be ended', async () => {
    const remove = async (id: string) => answer(await boss.request(`/api/sessions/${id}`, { method: 'DELETE' }))
    expect(await remove(boss.id)).toEqual(error(400, 'cannot delete own session'))
    expect(await remove('none')).toEqual(error(400, 'session not found'))
    expect(await get(boss, '/api/sessions/none')).toEqual(error(404, 'session not found'))
  })

  it('[HTTP-72] statistics count who is connected, and say when the last of a kind left while none is there', async () => {
    await using room = await Planes.open()
    const one = await room.enter('one', { plane: 0 })
    const stats = async () => (await get(one, '/api/stats'))[1] as Record<string, unknown>
    expect(await stats()).toEqual({ has_host: false, server_started_at: expect.any(String), total_users: 1, total_admins: 0 })
    for (let round = 0; round < 3; round++) {
      await one.connect(round)
    }
    expect(await stats()).toMatchObject({ total_users: 1 })
    await one.socket.close(1000)
    const left = await until(async () => ((await stats())['total_users'] === 0 ? stats() : undefined), { ms: 5_000, what: 'an empty room' })
    expect(left).toMatchObject({ total_users: 0, last_user_left_at: expect.any(String) })
    await one.connect(1)
    expect(await stats()).not.toHaveProperty('last_user_left_at')
  })
})

describe('chat', () => {
  it('[PLG-10] an admin’s words reach everybody who may hear them, with their author and time', async () => {
    await settled()
    expect(await post(boss, '/api/chat', { text: '' })).toEqual([204, undefined])
    expect(await news()).toEqual([['chat/message', { id: boss.id, created: expect.stringMatching(/^\d{4}-/), content: { text: '' } }]])
    await set({ plugins: { 'chat.can_receive': false } })
    await settled()
    await post(boss, '/api/chat', { text: 'x' })
    expect(await news()).toEqual([])
    await set({ plugins: null })
  })

  it('[PLG-11] who may not chat is told so before his words are looked at, and so is a setting that is no boolean', async () => {
    const words = '{'
    expect(await post(ann, '/api/chat', words)).toEqual(error(403, 'session is not admin'))
    await boss.does('/api/profile', { body: { plugins: { 'chat.can_send': false } } })
    expect(await post(boss, '/api/chat', words)).toEqual(error(403, 'not allowed to send chat messages'))
    await boss.does('/api/profile', { body: { plugins: { 'chat.can_send': 'yes' } } })
    expect(await post(boss, '/api/chat', words)).toEqual(error(500, 'error checking chat permissions for this session'))
    await boss.does('/api/profile', { body: { plugins: null } })
  })
})

describe('opening links', () => {
  it('[PLG-12] is for the host, and under implicit hosting for whoever may host; web addresses only', async () => {
    await using room = await Planes.open({ env: { OPENINAPP_ENABLED: 'true' } })
    const one = await room.login('one')
    const admin = await room.login('admin', { password: 'admin' })
    const open = (person: Person, body: unknown) => post(person, '/api/openinapp/openlink', body)
    expect(await open(admin, { text: 'http://a/' })).toEqual(error(403, 'only the host can open links'))
    await post(one, '/api/room/control/request')
    expect(await open(one, { text: 'https://a.example/b?c=d e#f' })).toEqual([200, null])
    expect(room.node.asked('link.open')).toEqual([{ url: 'https://a.example/b?c=d%20e#f' }])
    for (const text of ['file:///etc/passwd', 'javascript:alert(1)', '', 'no address', '-h', 'ftp://x/']) {
      expect(await open(one, { text }), text).toEqual(error(400, 'URL must use http or https scheme'))
    }
    expect(await open(one, { text: 'http://[' })).toEqual(error(400, 'failed to parse URL'))
    expect(await open(one, 5)).toEqual(error(400, 'failed to parse request body'))
    await admin.does('/api/room/settings', { body: { implicit_hosting: true } })
    expect(await open(admin, { text: 'http://a/' })).toEqual([200, null])
    const two = await room.login('two')
    expect(await open(two, { text: 'http://a/' })).toEqual([200, null])
    await admin.does('/api/room/settings', { body: { private_mode: true } })
    expect(await open(two, { text: 'http://a/' })).toEqual(error(403, 'only the host can open links'))
    expect(await open(admin, { text: 'http://a/' })).toEqual([200, null])
    expect(await post(ann, '/api/openinapp/openlink', { text: 'http://a/' })).toEqual(error(403, 'openinapp is disabled'))
  })
})
