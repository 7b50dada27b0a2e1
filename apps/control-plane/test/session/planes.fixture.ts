import { type Config, formatProblem, hasErrors, loadConfig } from '@neko-edge/config'
import { type Clock, type Log, silentLog, systemClock } from '@neko-edge/kit'
import { freeTcpPort, TempRedis } from '@neko-edge/testing'
import { startControlPlane } from '../../src/main.node.ts'
import { Person } from './person.fixture.ts'

export { names, Person } from './person.fixture.ts'

import { StandInNode } from './stand-in-node.fixture.ts'

export interface PlanesOptions {
  /** How many control planes stand over the one Redis. */
  readonly count?: number
  /** Options as environment variables, without the `NEKO_`. */
  readonly env?: Readonly<Record<string, string>>
  readonly log?: Log
  /** The planes' time, where a test holds it. */
  readonly clock?: Clock
}

/** Some control planes over one Redis, and the bus end of a capture node; each listens on a port of its own. */
export class Planes implements AsyncDisposable {
  readonly redis: TempRedis
  readonly node: StandInNode
  readonly urls: readonly string[]
  readonly planes: readonly AsyncDisposable[]

  private constructor(parts: { redis: TempRedis; node: StandInNode; urls: readonly string[]; planes: readonly AsyncDisposable[] }) {
    this.redis = parts.redis
    this.node = parts.node
    this.urls = parts.urls
    this.planes = parts.planes
  }

  static async open({ count = 2, env = {}, log = silentLog, clock = systemClock }: PlanesOptions = {}): Promise<Planes> {
    const redis = await TempRedis.open()
    const urls: string[] = []
    const planes: AsyncDisposable[] = []
    for (let index = 0; index < count; index++) {
      const port = await freeTcpPort()
      planes.push(
        await startControlPlane({ config: configOf({ SERVER_BIND: `127.0.0.1:${port}`, ...env }), redisUrl: redis.url, log, clock }),
      )
      urls.push(`http://127.0.0.1:${port}`)
    }
    return new Planes({ redis, node: await StandInNode.open(redis.url), urls, planes })
  }

  url(plane: number): string {
    return this.urls[plane % this.urls.length] ?? ''
  }

  login(name: string, { password = 'neko', plane = 0 }: { password?: string; plane?: number } = {}): Promise<Person> {
    return Person.login(this, { name, password, plane })
  }

  /** Logs in and connects; the greeting has arrived. */
  async enter(name: string, options: { password?: string; plane?: number } = {}): Promise<Person> {
    const person = await this.login(name, options)
    await person.connect(options.plane ?? 0)
    return person
  }

  admin(name: string, plane = 0): Promise<Person> {
    return this.enter(name, { password: 'admin', plane })
  }

  /** The number that `/metrics` of a plane gives to a name with its labels, 0 where it is not there. */
  async metric(name: string, plane = 0): Promise<number> {
    const text = await (await fetch(`${this.url(plane)}/metrics`)).text()
    const lines = text.split('\n').filter((line) => line.startsWith(name))
    return lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' '))), 0)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.node[Symbol.asyncDispose]()
    await Promise.all(this.planes.map((plane) => plane[Symbol.asyncDispose]()))
    await this.redis[Symbol.asyncDispose]()
  }
}

export function configOf(env: Readonly<Record<string, string>>): Config {
  const named = Object.fromEntries(Object.entries(env).map(([name, value]) => [`NEKO_${name}`, value]))
  const { config, problems } = loadConfig({ argv: [], env: named, cwd: '/' })
  if (hasErrors(problems)) {
    throw new Error(problems.map(formatProblem).join('\n'))
  }
  return config
}
