import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { apiToken, HttpWorld } from './world.fixture.ts'

let world: HttpWorld
beforeAll(async () => {
  world = await HttpWorld.open()
})
afterAll(() => world?.[Symbol.asyncDispose]())

const batch = (items: unknown, token?: string) => world.ask('POST', '/api/batch', { token, body: items })
const error = (code: number, message: string) => ({ code, message })

describe('several requests in one', () => {
  it('[HTTP-20] each is answered for itself and in order: JSON, nothing, a failure, a text', async () => {
    const { status, json } = await batch(
      [
        { path: '/api/room/control', method: 'GET' },
        { path: '/api/room/settings', method: 'POST', body: { implicit_hosting: true } },
        { path: '/api/room/settings', method: 'POST', body: 'no settings' },
        { path: '/api/none', method: 'GET' },
        { path: '/api/members?limit=1', method: 'GET' },
        { path: '/api/login', method: 'GET' },
      ],
      apiToken,
    )
    expect(status).toBe(200)
    expect(json).toEqual([
      { path: '/api/room/control', method: 'GET', body: { has_host: false }, status: 200 },
      { path: '/api/room/settings', method: 'POST', status: 204 },
      { path: '/api/room/settings', method: 'POST', body: error(400, 'unable to parse provided data'), status: 400 },
      { path: '/api/none', method: 'GET', status: 404 },
      { path: '/api/members?limit=1', method: 'GET', body: [], status: 200 },
      { path: '/api/login', method: 'GET', status: 405 },
    ])
  })

  it('[HTTP-21] a batch has no credentials of its own, each request is checked with the headers of the whole', async () => {
    const { json } = await batch([{ path: '/api/whoami', method: 'GET' }])
    expect(json).toEqual([{ path: '/api/whoami', method: 'GET', body: error(401, 'Unauthorized'), status: 401 }])
  })

  it('[HTTP-22] only paths of the API, and neither a batch nor a socket, however they are written', async () => {
    const notAllowed = error(400, 'this path is not allowed in batch requests')
    const excluded = error(400, 'this path is excluded from batch requests')
    const paths = {
      '/health': notAllowed,
      '/api/../metrics': notAllowed,
      'http://x/api/whoami': notAllowed,
      '//api/x': notAllowed,
      '': notAllowed,
      '/apix': notAllowed,
      '/api/batch': excluded,
      '/api/batch/': excluded,
      '/api/batch?x': excluded,
      '/api/ws?token=x': excluded,
      '/api/x/../batch': excluded,
    }
    const { json } = await batch(
      Object.keys(paths).map((path) => ({ path, method: 'GET' })),
      apiToken,
    )
    expect((json as { path: string; body: unknown }[]).map(({ path, body }) => [path, body])).toEqual(Object.entries(paths))
  })

  it('[HTTP-23] a method that is none fails alone', async () => {
    const { json } = await batch(
      [
        { path: '/api/stats', method: 'B D' },
        { path: '/api/stats', method: 'TRACE' },
        { path: '/api/stats', method: '' },
      ],
      apiToken,
    )
    expect((json as { status: number }[]).map(({ status }) => status)).toEqual([400, 400, 200])
  })

  it('[HTTP-24] nothing and null are an empty batch, anything else is none', async () => {
    expect(await batch([])).toEqual({ status: 200, json: [] })
    expect(await batch('null')).toEqual({ status: 200, json: [] })
    for (const body of ['{}', '"x"', '[1]', '', '[{"path":1}]']) {
      expect(await batch(body), body).toEqual({ status: 500, json: error(500, 'Internal Server Error') })
    }
    expect((await batch(Array(1001).fill({ path: '/api/x' }))).status).toBe(413)
  })
})
