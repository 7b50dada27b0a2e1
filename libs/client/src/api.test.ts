import { describe, expect, it } from 'vitest'
import { Api } from './api.ts'

function setUp(base: string, answer: () => Response | Promise<Response>) {
  const asked: { url: string; init: RequestInit }[] = []
  const fetch = async (url: string, init: RequestInit) => {
    asked.push({ url, init })
    return answer()
  }
  return { api: new Api({ base, fetch, signal: new AbortController().signal }), asked }
}
const json = (status: number, body: unknown) => new Response(JSON.stringify(body), { status })

describe('Api', () => {
  it('[WEB-100] lives below the address of the room, whatever the prefix; sockets carry the token', () => {
    const { api } = setUp('https://example.org/neko/room/kitchen/#x', () => json(200, {}))
    expect(api.url('api/login')).toBe('https://example.org/neko/room/kitchen/api/login')
    expect(api.url('api/ws', { socket: true })).toBe('wss://example.org/neko/room/kitchen/api/ws')
    api.token = 'a&b'
    expect(api.url('api/ws', { socket: true })).toBe('wss://example.org/neko/room/kitchen/api/ws?token=a%26b')
  })

  it('[WEB-101] a login gives the token that later requests carry; a cookie server gives none', async () => {
    const { api, asked } = setUp('http://room/', () => json(200, { id: 'a', token: 't0k' }))
    await api.login('Anna', 'secret')
    await api.giveControl('b/c')
    expect(asked[0]?.init.body).toBe('{"username":"Anna","password":"secret"}')
    expect(asked[1]?.url).toBe('http://room/api/room/control/give/b%2Fc')
    expect(asked[1]?.init.headers).toEqual({ authorization: 'Bearer t0k' })
    expect(asked[1]?.init.credentials).toBe('include')
  })

  it.each([
    [401, { code: 401, message: 'Unauthorized' }, 'unauthorized', 'Unauthorized'],
    [403, { code: 403, message: 'logins are locked' }, 'forbidden', 'logins are locked'],
    [422, { code: 422, message: 'session already connected' }, 'unprocessable', 'session already connected'],
    [429, '<html>', 'tooMany', 'HTTP 429'],
    [502, '<html>', 'unavailable', 'HTTP 502'],
    [503, {}, 'unavailable', 'HTTP 503'],
    [418, {}, 'invalid', 'HTTP 418'],
    [599, {}, 'internal', 'HTTP 599'],
  ])('[WEB-102] status %i becomes an error with the words of the server', async (status, ...[body, code, message]) => {
    const { api } = setUp('http://room/', () => (typeof body === 'string' ? new Response(body, { status }) : json(status, body)))
    await expect(api.whoami()).rejects.toMatchObject({ code, message })
  })

  it('[WEB-103] no network is an error like any other', async () => {
    const { api } = setUp('http://room/', () => Promise.reject(new TypeError('Failed to fetch')))
    await expect(api.whoami()).rejects.toMatchObject({ code: 'timeout', message: 'no answer from the server: Failed to fetch' })
  })

  it('[WEB-1410] a server that answers, but not to this site, is told from one that is away', async () => {
    const asked: [string, RequestInit['mode']][] = []
    const api = (origin: string) =>
      new Api({
        base: 'https://room.example/',
        signal: new AbortController().signal,
        origin,
        fetch: async (url, { mode }) => {
          asked.push([url, mode])
          if (mode !== 'no-cors') {
            throw new TypeError('Failed to fetch')
          }
          return new Response()
        },
      })
    await expect(api('https://other.example').login('a', 'b')).rejects.toMatchObject({
      code: 'forbidden',
      message: 'the server does not allow this origin: https://other.example',
    })
    await expect(api('https://room.example').login('a', 'b')).rejects.toMatchObject({ code: 'timeout' })
    expect(asked).toEqual([
      ['https://room.example/api/login', undefined],
      ['https://room.example/health', 'no-cors'],
      ['https://room.example/api/login', undefined],
    ])
  })
})
