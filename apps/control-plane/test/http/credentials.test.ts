import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { apiToken, HttpWorld } from './world.fixture.ts'

let world: HttpWorld
beforeAll(async () => {
  world = await HttpWorld.open()
})
afterAll(() => world?.[Symbol.asyncDispose]())

const unauthorized = { status: 401, json: { code: 401, message: 'Unauthorized' } }
const login = async (on: HttpWorld, username: string, password = 'neko') => {
  const response = await on.fetch('/api/login', { method: 'POST', body: JSON.stringify({ username, password }) })
  return { response, json: (await response.json()) as { id: string; token?: string; profile: { name: string; is_admin: boolean } } }
}

describe('who is asking', () => {
  it('[HTTP-30] a token counts in the header and in the query; the header is case-sensitive, and a wrong one does not fall through', async () => {
    const { json } = await login(world, 'ann')
    const token = json.token ?? ''
    const ask = async (path: string, headers: Record<string, string> = {}) => (await world.fetch(path, { headers })).status
    expect(await ask('/api/whoami', { authorization: `Bearer ${token}` })).toBe(200)
    expect(await ask(`/api/whoami?token=${token}`)).toBe(200)
    expect(await ask('/api/whoami', { authorization: `bearer ${token}` })).toBe(401)
    expect(await ask(`/api/whoami?token=${token}`, { authorization: 'bearer x' })).toBe(200)
    expect(await ask(`/api/whoami?token=${token}`, { authorization: 'Bearer x' })).toBe(401)
    expect(await ask('/api/whoami', { authorization: `Bearer Bearer ${token}` })).toBe(401)
  })

  it('[HTTP-31] the answer of a login has its keys in order, and nobody is told a token again', async () => {
    const { json } = await login(world, 'ann')
    expect(Object.keys(json)).toEqual(['id', 'token', 'profile', 'state'])
    expect(json.token).toMatch(/^[\w-]{64}$/)
    expect(json.id).toMatch(/^ann-[\w-]{5}$/)
    const answers = await Promise.all(['/api/whoami', '/api/sessions'].map((path) => world.ask('GET', path, { token: json.token })))
    expect(JSON.stringify(answers)).not.toContain(json.token)
  })

  it('[HTTP-32] a session that was ended on one control plane is unknown to the other at once', async () => {
    for (let round = 0; round < 10; round++) {
      const { json } = await login(world, 'bob')
      expect((await world.ask('GET', '/api/whoami', { token: json.token })).status).toBe(200)
      expect(await world.ask('POST', '/api/logout', { token: json.token })).toEqual({ status: 200, json: true })
      expect(await world.ask('GET', '/api/whoami', { token: json.token })).toEqual(unauthorized)
      expect(await world.ask('POST', '/api/logout', { token: json.token })).toEqual(unauthorized)
    }
  })

  it('[HTTP-33] a member who may not log in gets a token, and nothing with it', async () => {
    const someone = await world.someone({ can_login: false })
    expect(await world.ask('GET', '/api/whoami', { token: someone.token })).toEqual({
      status: 403,
      json: { code: 403, message: 'login is disabled for this session' },
    })
  })

  it('[HTTP-34] the API token is a virtual admin, who is in no list and has no session to end or change', async () => {
    const { json } = await world.ask('GET', '/api/whoami', { token: apiToken })
    expect(json).toMatchObject({ id: 'API', profile: { name: 'API Session', is_admin: true, can_connect: false } })
    expect((await world.ask('GET', '/api/sessions', { token: apiToken })).json).not.toContainEqual(expect.objectContaining({ id: 'API' }))
    expect(await world.ask('POST', '/api/logout', { token: apiToken })).toEqual({
      status: 400,
      json: { code: 400, message: 'session is not logged in' },
    })
    expect(await world.ask('POST', '/api/profile', { token: apiToken, body: {} })).toEqual({
      status: 400,
      json: { code: 400, message: 'session does not exist' },
    })
  })

  it('[HTTP-35] locked logins stop users and let admins in; those who are in stay', async () => {
    const { json } = await login(world, 'early')
    await world.ask('POST', '/api/room/settings', { token: apiToken, body: { locked_logins: true } })
    expect((await login(world, 'late')).json).toEqual({ code: 403, message: 'logins are locked' })
    expect((await login(world, 'boss', 'admin')).response.status).toBe(200)
    expect((await world.ask('GET', '/api/whoami', { token: json.token })).status).toBe(200)
    await world.ask('POST', '/api/room/settings', { token: apiToken, body: { locked_logins: false } })
  })

  it('[HTTP-36] a name with half a surrogate pair in it is read as upstream reads it, and breaks nothing', async () => {
    const response = await world.fetch('/api/login', { method: 'POST', body: '{"username":"a\\ud800","password":"neko"}' })
    const { token } = (await response.json()) as { token: string }
    expect(await world.ask('POST', '/api/profile', { token, body: '{"name":"\\udc00b\\\\ud800 \\ud83d\\ude00"}' })).toEqual({
      status: 200,
      json: true,
    })
    const { json } = await world.ask('GET', '/api/whoami', { token })
    expect((json as { profile: { name: string } }).profile.name).toBe('\ufffdb\\ud800 😀')
    expect((await world.ask('POST', '/api/room/control/request', { token })).status).toBe(204)
  })
})

describe('by cookie', () => {
  let cookies: HttpWorld
  beforeAll(async () => {
    cookies = await HttpWorld.open({
      env: { SESSION_COOKIE_ENABLED: 'true', SESSION_COOKIE_PATH: '/room', SESSION_COOKIE_DOMAIN: 'neko.example' },
    })
  })
  afterAll(() => cookies?.[Symbol.asyncDispose]())

  it('[HTTP-37] a login sets the cookie with the attributes of the configuration, and says no token', async () => {
    const { response, json } = await login(cookies, 'ann')
    expect(json).not.toHaveProperty('token')
    const cookie = response.headers.get('set-cookie') ?? ''
    expect(cookie).toMatch(/^NEKO_SESSION=[\w-]{64};/)
    for (const attribute of ['Path=/room', 'Domain=neko.example', 'HttpOnly', 'Secure', 'SameSite=None', 'Expires=']) {
      expect(cookie).toContain(attribute)
    }
    const value = cookie.split(';')[0] ?? ''
    expect((await cookies.fetch('/api/whoami', { headers: { cookie: value } })).status).toBe(200)
  })

  it('[HTTP-38] a stale cookie beats a valid header, and is taken off where it was set', async () => {
    const response = await cookies.fetch('/api/whoami', { token: apiToken, headers: { cookie: 'NEKO_SESSION=stale' } })
    expect(response.status).toBe(401)
    const cookie = response.headers.get('set-cookie') ?? ''
    expect(cookie).toMatch(/^NEKO_SESSION=;/)
    // Upstream leaves path and domain out, and with them the cookie where it is.
    expect(cookie).toContain('Path=/room')
    expect(cookie).toContain('Domain=neko.example')
  })
})
