import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { operations } from '../../src/http/api.ts'
import { apiToken, HttpWorld } from './world.fixture.ts'

let world: HttpWorld
beforeAll(async () => {
  world = await HttpWorld.open({ env: { SERVER_CORS: 'https://one.example', LEGACY: 'false' } })
})
afterAll(() => world?.[Symbol.asyncDispose]())

const text404 = '404 page not found\n'

describe('paths and methods', () => {
  it('[HTTP-10] an unknown path says so in plain text, and below a guarded tree only to who is logged in', async () => {
    for (const path of ['/api', '/api/none', '/api/login/', '/api/batch/x', '/nothing']) {
      const response = await world.fetch(path)
      expect([response.status, response.headers.get('content-type'), await response.text()], path).toEqual([
        404,
        'text/plain; charset=utf-8',
        text404,
      ])
    }
    for (const path of ['/api/room/none', '/api/sessions/a/b', '/api/members/a/b', '/api/filetransfer/x', '/api/openinapp']) {
      expect(await world.ask('GET', path), path).toEqual({ status: 401, json: { code: 401, message: 'Unauthorized' } })
      expect(await world.ask('GET', path, { token: apiToken }), path).toEqual({ status: 404, json: text404 })
    }
  })

  it('[HTTP-11] another method is 405 with the methods of the path; HEAD and OPTIONS are other methods', async () => {
    for (const method of ['GET', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS']) {
      const response = await world.fetch('/api/login', { method })
      expect([response.status, response.headers.get('allow'), await response.text()], method).toEqual([405, 'POST', ''])
    }
    for (const path of ['/health', '/metrics', '/api/whoami']) {
      expect((await world.fetch(path, { method: 'HEAD' })).status, path).toBe(405)
    }
    expect((await world.fetch('/api/room/settings', { method: 'DELETE' })).status).toBe(401)
    const user = await world.someone()
    expect((await world.fetch('/api/room/settings', { method: 'DELETE', token: user.token })).status).toBe(403)
    const response = await world.fetch('/api/room/settings', { method: 'DELETE', token: apiToken })
    expect([response.status, response.headers.get('allow')]).toEqual([405, 'GET, POST'])
  })

  it('[HTTP-12] resources answer with and without a trailing slash, leaves only without', async () => {
    for (const { path, method, isMount } of operations) {
      if (method === 'GET' && isMount && !path.includes('{') && path !== '/api/filetransfer' && !path.includes('clipboard')) {
        const [plain, slash] = [await world.ask('GET', path, { token: apiToken }), await world.ask('GET', `${path}/`, { token: apiToken })]
        expect(plain.status, path).toBe(200)
        expect(slash, path).toEqual(plain)
      }
    }
    expect((await world.fetch('/api/room/screen/cast.jpg/', { token: apiToken })).status).toBe(404)
  })

  it('[HTTP-13] an id with a slash in it can be addressed, escaped', async () => {
    const { id } = await world.someone({}, 'with/slash and %')
    const { status, json } = await world.ask('GET', `/api/sessions/${encodeURIComponent(id)}`, { token: apiToken })
    expect([status, (json as { id: string }).id]).toEqual([200, id])
  })
})

describe('pages of other origins', () => {
  it('[HTTP-14] a listed origin is answered with itself and credentials, another one is served without', async () => {
    const listed = await world.fetch('/health', { headers: { origin: 'https://one.example' } })
    expect(
      Object.fromEntries(
        ['access-control-allow-origin', 'access-control-allow-credentials', 'access-control-expose-headers', 'vary'].map((name) => [
          name,
          listed.headers.get(name),
        ]),
      ),
    ).toEqual({
      'access-control-allow-origin': 'https://one.example',
      'access-control-allow-credentials': 'true',
      'access-control-expose-headers': 'Link',
      vary: 'Origin',
    })
    const other = await world.fetch('/health', { headers: { origin: 'https://two.example' } })
    expect([other.status, other.headers.get('access-control-allow-origin'), other.headers.get('vary')]).toEqual([200, null, 'Origin'])
  })

  it('[HTTP-15] a preflight is always 200 and empty, with the headers where it is allowed', async () => {
    const ask = (origin: string, wanted: string) =>
      world.fetch('/api/login', {
        method: 'OPTIONS',
        headers: { origin, 'access-control-request-method': wanted, 'access-control-request-headers': 'content-type' },
      })
    const allowed = await ask('https://one.example', 'POST')
    expect([
      allowed.status,
      allowed.headers.get('access-control-allow-methods'),
      allowed.headers.get('access-control-allow-headers'),
      allowed.headers.get('access-control-max-age'),
    ]).toEqual([200, 'POST', 'content-type', '300'])
    for (const [origin, method] of [
      ['https://two.example', 'POST'],
      ['https://one.example', 'PUT'],
    ] as const) {
      const refused = await ask(origin, method)
      expect([refused.status, await refused.text(), refused.headers.get('access-control-allow-origin')]).toEqual([200, '', null])
    }
  })
})

describe('a page in a frame', () => {
  it('[WEB-1411] a client that somebody brings is framed by everybody, until the configuration names who may', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'neko-static-'))
    await writeFile(join(folder, 'index.html'), 'brought')
    const policies: (string | null)[] = []
    for (const env of [{}, { SERVER_FRAME_ANCESTORS: 'https://shop.example', SERVER_CORS: 'https://one.example' }]) {
      await using brought = await HttpWorld.open({ env: { SERVER_STATIC: folder, ...env } })
      const response = await brought.fetch('/')
      expect(await response.text()).toBe('brought')
      policies.push(response.headers.get('content-security-policy'))
    }
    await rm(folder, { recursive: true })
    expect(policies).toEqual([null, "frame-ancestors 'self' https://one.example https://shop.example"])
  })
})

describe('the documentation', () => {
  it('[HTTP-16] names every operation, with its parameters and a plain schema of its body', async () => {
    const { json } = await world.ask('GET', '/openapi.json')
    const { paths } = json as {
      paths: Record<
        string,
        Record<
          string,
          { parameters: { name: string; in: string }[]; requestBody?: { content: Record<string, { schema: { properties?: object } }> } }
        >
      >
    }
    for (const { path, method, body } of operations) {
      const documented = paths[path]?.[method.toLowerCase()]
      const named = (documented?.parameters ?? []).filter((one) => one.in === 'path').map(({ name }) => `{${name}}`)
      expect(named, path).toEqual(path.match(/\{\w+\}/g) ?? [])
      if (body && path !== '/api/batch') {
        expect(Object.keys(documented?.requestBody?.content['application/json']?.schema.properties ?? {}).length, path).toBeGreaterThan(0)
      }
    }
  })

  it('[HTTP-17] the page needs no script and no other host', async () => {
    const response = await world.fetch('/docs')
    const page = await response.text()
    expect(response.headers.get('content-security-policy')).toContain("default-src 'none'")
    expect(page).not.toMatch(/<script|https?:\/\//)
    for (const { path } of operations) {
      expect(page).toContain(path)
    }
  })
})

describe('below a path', () => {
  it('[HTTP-18] everything answers below the prefix and nothing outside of it, batches included', async () => {
    await using prefixed = await HttpWorld.open({ env: { SERVER_PATH_PREFIX: '/some/where' } })
    expect(await prefixed.ask('GET', '/api/whoami', { token: apiToken })).toEqual({ status: 404, json: text404 })
    expect((await prefixed.ask('GET', '/some/where/api/whoami', { token: apiToken })).status).toBe(200)
    const { json } = await prefixed.ask('POST', '/some/where/api/batch', {
      token: apiToken,
      body: [{ path: '/api/whoami', method: 'GET' }],
    })
    expect(json).toEqual([{ path: '/api/whoami', method: 'GET', body: expect.objectContaining({ id: 'API' }), status: 200 }])
  })
})
