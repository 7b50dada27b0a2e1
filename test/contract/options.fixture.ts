import { createLog, type Log, type LogLevel } from '@neko-edge/kit'
import { freeTcpPort, JsonSocket, TempRedis } from '@neko-edge/testing'
import { startControlPlane } from '../../apps/control-plane/src/main.node.ts'
import { configOf } from '../../apps/control-plane/test/session/planes.fixture.ts'
import { StandInNode } from '../../apps/control-plane/test/session/stand-in-node.fixture.ts'

export interface LogLine {
  readonly level: LogLevel
  readonly message: string
  readonly fields: Readonly<Record<string, unknown>>
}

/** A log, and what it was told. */
export function noted(): { log: Log; lines: LogLine[] } {
  const lines: LogLine[] = []
  return { lines, log: createLog((level, fields, message) => lines.push({ level, fields, message })) }
}

/** One control plane as `neko control-plane` runs it, over a Redis of its own, and where it is wanted the bus end of a capture node. */
export class Site implements AsyncDisposable {
  readonly url: string
  readonly redis: TempRedis
  readonly lines: readonly LogLine[]
  readonly #owned: AsyncDisposableStack

  private constructor({
    url,
    redis,
    lines,
    owned,
  }: { url: string; redis: TempRedis; lines: readonly LogLine[]; owned: AsyncDisposableStack }) {
    this.url = url
    this.redis = redis
    this.lines = lines
    this.#owned = owned
  }

  /** `env` are options as variables, without the `NEKO_`. */
  static async open(env: Readonly<Record<string, string>> = {}, { node = false }: { node?: boolean } = {}): Promise<Site> {
    await using owned = new AsyncDisposableStack()
    const redis = owned.use(await TempRedis.open())
    const bind = env['SERVER_BIND'] ?? `127.0.0.1:${await freeTcpPort()}`
    const { log, lines } = noted()
    const config = configOf({ ...env, SERVER_BIND: bind })
    owned.use(await startControlPlane({ config, redisUrl: redis.url, log }))
    if (node) {
      owned.use(await StandInNode.open(redis.url))
    }
    return new Site({ url: `${env['SERVER_CERT'] ? 'https' : 'http'}://${bind}`, redis, lines, owned: owned.move() })
  }

  fetch(path: string, { token, ...init }: RequestInit & { token?: string } = {}): Promise<Response> {
    const headers = new Headers(init.headers)
    if (token !== undefined) {
      headers.set('authorization', `Bearer ${token}`)
    }
    return fetch(`${this.url}${path}`, { redirect: 'manual', ...init, headers, signal: AbortSignal.timeout(10_000) })
  }

  login(username: string, password: string, headers: Record<string, string> = {}): Promise<Response> {
    return this.fetch('/api/login', { method: 'POST', headers, body: JSON.stringify({ username, password }) })
  }

  async token(password = 'admin', username = 'ann'): Promise<string> {
    // What our own API answers to a login that it accepts.
    const { token } = (await (await this.login(username, password)).json()) as { token: string }
    return token
  }

  /** A V3 socket of a new session. */
  async socket(password = 'admin', prefix = ''): Promise<JsonSocket> {
    const body = JSON.stringify({ username: 'sue', password })
    const { token } = (await (await this.fetch(`${prefix}/api/login`, { method: 'POST', body })).json()) as { token: string }
    return JsonSocket.open(`${this.url.replace('http', 'ws')}${prefix}/api/ws?token=${token}`, () => undefined)
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#owned.disposeAsync()
  }
}
