import { readFile } from 'node:fs/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { apiToken, HttpWorld } from '../../apps/control-plane/test/http/world.fixture.ts'

interface Exchange {
  readonly who: 'nobody' | 'user' | 'admin' | 'api' | 'bogus'
  readonly method: string
  readonly path: string
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly json?: unknown
}

// Recorded from a running upstream; V2's paths are replayed with V2's tests.
const legacyPaths = /^\/(stats|screenshot\.jpg|file|ws)\b/
const exchanges = (JSON.parse(await readFile(new URL('../golden/http.json', import.meta.url), 'utf8')) as Exchange[]).filter(
  ({ path }) => !legacyPaths.test(path),
)

/** Where ours says something else on purpose, and why. */
const differences: Readonly<Record<string, string>> = {
  'GET /': 'our own client is served, upstream had none set',
  'GET /metrics': 'another version of the exposition format in the content type',
  'GET /api/room/screen/configurations': 'the modes of another X server',
}

let world: HttpWorld
const tokens: Record<string, string | undefined> = { nobody: undefined, api: apiToken, bogus: 'bogus' }
const ids = new Map<string, string>()

beforeAll(async () => {
  world = await HttpWorld.open({
    node: true,
    env: {
      CAPTURE_SCREENCAST_ENABLED: 'true',
      FILETRANSFER_ENABLED: 'true',
      SERVER_LOGIN_LIMIT_PER_ADDRESS: '0',
      SERVER_LOGIN_LIMIT_PER_ACCOUNT: '0',
    },
  })
  for (const [who, password] of [
    ['user', 'neko'],
    ['admin', 'admin'],
  ] as const) {
    const { json } = await world.ask('POST', '/api/login', { body: { username: `golden-${who}`, password } })
    const { id, token } = json as { id: string; token: string }
    tokens[who] = token
    ids.set(who, id)
  }
}, 60_000)

afterAll(() => world?.[Symbol.asyncDispose]())

const time = /\d{4}-\d\d-\d\dT[\d:.]+(Z|[+-]\d\d:\d\d)/g
const suffixed = /golden-(user|admin)-[\w-]{5}/g

/** Without what differs from run to run: times, and the random end of an id; lists of sessions have no order. */
function normal(json: unknown): unknown {
  const value: unknown = JSON.parse(
    JSON.stringify(json ?? null)
      .replaceAll(time, 'TIME')
      .replaceAll(suffixed, 'golden-$1'),
  )
  return Array.isArray(value) ? value.toSorted((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1)) : value
}

async function replay({ who, method, path }: Exchange, body?: string): Promise<{ status: number; type: string | null; json: unknown }> {
  const real = path.replaceAll(suffixed, (_, name: string) => ids.get(name) ?? name)
  const response = await world.fetch(real, { method, token: tokens[who], ...(body !== undefined && { body }) })
  const type = response.headers.get('content-type')
  const text = await response.text()
  // `/health` is JSON by accident, and was recorded as such.
  return { status: response.status, type, json: type === 'application/json' || path === '/health' ? normal(JSON.parse(text)) : null }
}

function matches(exchange: Exchange, answer: Awaited<ReturnType<typeof replay>>): void {
  expect(answer).toEqual({
    status: exchange.status,
    type: exchange.headers['content-type'] ?? null,
    json: normal(exchange.json),
  })
}

/** The bodies of the recorded POSTs, which the record has not: in the order in which each path comes. */
const bodies: Readonly<Record<string, readonly string[]>> = {
  '/api/login': ['{"username":"x","password":"wrong"}', '{', '{}'],
  '/api/room/settings': ['{}', '{"implicit_hosting":false}'],
  '/api/room/screen': ['{"width":0,"height":0,"rate":0}'],
  '/api/room/broadcast/start': ['{}'],
  '/api/room/keyboard/map': ['{"layout":"de"}', '{}'],
  '/api/room/keyboard/modifiers': ['{}'],
  '/api/members': ['{"username":"x","password":"y"}'],
  '/api/batch': ['[{"path":"/api/whoami","method":"GET"}]'],
}

const withBody = (list: readonly Exchange[]) => {
  const seen = new Map<string, number>()
  return list.map((exchange) => {
    const key = `${exchange.who} ${exchange.path}`
    const index = seen.get(key) ?? 0
    seen.set(key, index + 1)
    // A profile change renames: the recorded one kept the name.
    const own = exchange.path === '/api/profile' ? `{"name":"golden-${exchange.who}"}` : bodies[exchange.path]?.[index]
    return [exchange, own] as const
  })
}

describe('recorded from upstream', () => {
  const reads = exchanges.filter(({ method }) => method === 'GET')
  it.each(reads.map((exchange) => [`${exchange.method} ${exchange.path}`, exchange.who, exchange] as const))(
    '[HTTP-6] reads answer as upstream did when it was recorded: %s as %s',
    async (key, _, exchange) => {
      const answer = await replay(exchange)
      if (key in differences) {
        expect([200, exchange.status]).toContain(answer.status)
      } else {
        matches(exchange, answer)
      }
    },
  )

  const writes = exchanges.filter(({ method, path }) => method !== 'GET' && path !== '/api/batch')
  const asked = withBody(writes).map(
    ([exchange, body]) => [`${exchange.method} ${exchange.path} as ${exchange.who}`, { exchange, body }] as const,
  )
  it.each(asked)('[HTTP-7] writes answer as upstream did when it was recorded: %s', async (_, { exchange, body }) => {
    matches(exchange, await replay(exchange, body))
  })
})
