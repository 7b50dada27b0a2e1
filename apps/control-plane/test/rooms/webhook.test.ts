import { createHmac, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type RoomId, silentLog, until } from '@neko-edge/kit'
import { connect, NewsQueue } from '@neko-edge/store'
import { JsonSocket, TempRedis } from '@neko-edge/testing'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { post } from '../../src/webhook/post.ts'
import { RoomWorld, StandInFleetNode } from './fleet.fixture.ts'

const secretBytes = randomBytes(32)
const secret = `whsec_${secretBytes.toString('base64')}`

interface Heard {
  readonly headers: IncomingHttpHeaders
  readonly body: string
  readonly type: string
  readonly data: Record<string, unknown>
}

/** A receiver of webhooks on loopback; `answer` says what it does with each. */
class Receiver implements AsyncDisposable {
  readonly heard: Heard[] = []
  readonly #server = createServer()
  readonly #answer: (response: ServerResponse) => void

  constructor(answer: (response: ServerResponse) => void = (response) => response.end()) {
    this.#answer = answer
  }

  async open(): Promise<this> {
    this.#server.on('request', (request, response) => {
      let body = ''
      request.on('data', (chunk: Buffer) => {
        body += chunk.toString()
      })
      request.on('end', () => {
        const { type, data } = JSON.parse(body) as Pick<Heard, 'type' | 'data'>
        this.heard.push({ headers: request.headers, body, type, data })
        this.#answer(response)
      })
    })
    this.#server.listen(0, '127.0.0.1')
    await once(this.#server, 'listening')
    return this
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/hook`
  }

  types(): string[] {
    return this.heard.map(({ type }) => type)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.close()
    this.#server.closeAllConnections()
  }
}

const isSigned = ({ headers, body }: Heard): boolean => {
  const text = `${headers['webhook-id']}.${headers['webhook-timestamp']}.${body}`
  return headers['webhook-signature'] === `v1,${createHmac('sha256', secretBytes).update(text).digest('base64')}`
}

const passwords = { user_password: 'u', admin_password: 'a' }

describe('webhooks', () => {
  let world: RoomWorld

  beforeAll(async () => {
    world = await RoomWorld.open({ env: { WEBHOOK_ALLOW_PRIVATE: 'true' } })
  })
  afterAll(async () => {
    await world?.[Symbol.asyncDispose]()
  })

  async function enter(room: string): Promise<JsonSocket> {
    const { json } = await world.login(room, { username: 'ann', password: 'u' })
    const socket = await JsonSocket.open(
      `${world.planes.url(1).replace('http', 'ws')}/room/${room}/api/ws?token=${json['token']}`,
      () => undefined,
    )
    await socket.event('system/init')
    return socket
  }

  const create = (id: string, url: string, more: object = {}) => world.create({ id, ...passwords, webhook: { url, secret }, ...more })

  it('[FLEET-1660] tell once and in order, signed as Standard Webhooks, of a room that starts, people who come and go, and its end', async () => {
    await using receiver = await new Receiver().open()
    await create('one', receiver.url)
    await until(() => receiver.types().includes('room.started'), { ms: 5_000, what: 'the start' })
    const ann = await enter('one')
    await ann.close()
    await until(() => receiver.types().includes('participant.left'), { ms: 5_000, what: 'the leave' })
    await world.ask('DELETE', '/api/rooms/one')
    await until(() => receiver.types().includes('room.ended'), { ms: 5_000, what: 'the end' })
    expect(receiver.types()).toEqual(['room.started', 'participant.joined', 'participant.left', 'room.ended'])
    expect(receiver.heard.map(isSigned)).toEqual([true, true, true, true])
    expect(receiver.heard.every(({ headers }) => Math.abs(Number(headers['webhook-timestamp']) - Date.now() / 1000) < 60)).toBe(true)
    expect(new Set(receiver.heard.map(({ headers }) => headers['webhook-id'])).size).toBe(4)
    expect(receiver.heard.map(({ data }) => data)).toEqual([
      { room: 'one', node: 'stand-in' },
      { room: 'one', participant: { id: expect.stringMatching(/^ann-/), name: 'ann', is_admin: false } },
      { room: 'one', participant: { id: expect.stringMatching(/^ann-/), name: 'ann', is_admin: false } },
      { room: 'one', reason: 'asked by the rooms API' },
    ])
  }, 20_000)

  it('[FLEET-1663] that hang, redirect, answer 500 for ever, or are not there, cost nobody else anything', async () => {
    await using hanging = await new Receiver(() => undefined).open()
    await using private_ = await new Receiver().open()
    await using redirecting = await new Receiver((response) => response.writeHead(307, { location: private_.url }).end()).open()
    await using failing = await new Receiver((response) => response.writeHead(500).end()).open()
    await using good = await new Receiver().open()
    const bad = { hanging: hanging.url, redirecting: redirecting.url, failing: failing.url, absent: 'http://127.0.0.1:9/' }
    for (const [id, url] of Object.entries(bad)) {
      await create(id, url)
    }
    await until(() => hanging.heard.length > 0 && failing.heard.length > 1 && redirecting.heard.length > 1, {
      ms: 10_000,
      what: 'their tries',
    })
    const startedAt = performance.now()
    await create('good', good.url)
    await until(() => good.types().includes('room.started'), { ms: 5_000, what: 'the good one' })
    const ann = await enter('hanging')
    expect(performance.now() - startedAt).toBeLessThan(3_000)
    await ann.close()
    expect(private_.heard).toEqual([])
    const ids = failing.heard.map(({ headers }) => headers['webhook-id'])
    expect(new Set(ids).size).toBe(1)
    expect(hanging.heard).toHaveLength(1)
  }, 30_000)

  it('[FLEET-1664] tell that a time-out will end a room, and that its node was lost', async () => {
    await using receiver = await new Receiver().open()
    await create('brief', receiver.url, { timeouts: { absolute: '3s', warning: '2s' } })
    await until(() => receiver.types().includes('room.ended'), { ms: 8_000, what: 'the end' })
    expect(receiver.types()).toEqual(['room.started', 'room.timeout_warning', 'room.ended'])
    expect(receiver.heard[1]?.data).toMatchObject({ room: 'brief', timeout: 'absolute', ends_at: expect.stringMatching(/^20.*Z$/) })
    await create('moved', receiver.url)
    await until(() => receiver.heard.some(({ data }) => data['room'] === 'moved'), { ms: 5_000, what: 'the start' })
    await using other = await StandInFleetNode.open(world.planes.redis.url, { id: 'other', maxRooms: 50 })
    await world.node[Symbol.asyncDispose]()
    await until(() => receiver.types().includes('room.node_lost'), { ms: 8_000, what: 'the loss' })
    expect(other.offer.maxRooms).toBe(50)
    expect(receiver.heard.at(-1)?.data).toMatchObject({ room: 'moved', node: 'stand-in' })
  }, 30_000)
})

describe('where webhooks go', () => {
  it('[FLEET-1661] private addresses are not called unless an option allows it, under whatever name', async () => {
    await using receiver = await new Receiver().open()
    const { port } = new URL(receiver.url)
    const send = (url: string, allowPrivate: boolean) => post({ url, headers: {}, body: '{}', allowPrivate })
    for (const host of ['127.0.0.1', 'localhost', '[::ffff:127.0.0.1]', '2130706433', '0x7f.1', '0.0.0.0']) {
      await expect(send(`http://${host}:${port}/`, false)).rejects.toThrow('a private address')
    }
    expect(receiver.heard).toEqual([])
    expect(await send(receiver.url, true)).toBe(200)
    await using world = await RoomWorld.open({ count: 1 })
    await world.create({ id: 'one', ...passwords, webhook: { url: receiver.url, secret } })
    await until(async () => (await world.planes.metric('neko_edge_webhooks_total{outcome="again"}')) > 0, { ms: 5_000, what: 'a refusal' })
    expect(receiver.heard).toHaveLength(1)
  }, 15_000)

  it('[FLEET-1665] the queue of a target is bounded, given up after its last try, and one process at a time has a target', async () => {
    await using owned = new AsyncDisposableStack()
    const redis = owned.use(await TempRedis.open())
    const connection = owned.use(await connect({ url: redis.url, log: silentLog }))
    const news = new NewsQueue(connection)
    const piece = (index: number) => ({ id: `n${index}`, type: 'x', room: 'one' as RoomId, at: index })
    for (let index = 0; index < 1_100; index++) {
      await news.tell(piece(index))
      await news.tell(piece(index))
      const oldest = await news.oldest()
      await news.sort(oldest?.text ?? '', 'target')
    }
    expect(await news.oldest()).toBeUndefined()
    expect(await connection.commands.llen('neko:{fleet}:hook:target')).toBe(1_000)
    const due = await news.take()
    expect(due?.news?.id).toBe('n100')
    expect(await news.take()).toBeUndefined()
    const retries = { firstMs: 1, longestMs: 2, most: 3 }
    expect(await news.settle(due!, { isDone: false, retries })).toBe('again')
    for (const outcome of ['again', 'given-up', 'again'] as const) {
      const next = await until(() => news.take(), { ms: 1_000, what: 'the next try', everyMs: 2 })
      expect(next.news?.id).toBe(
        outcome === 'again' && (await connection.commands.llen('neko:{fleet}:hook:target')) < 1_000 ? 'n101' : 'n100',
      )
      expect(await news.settle(next, { isDone: false, retries })).toBe(outcome)
    }
    const last = await until(() => news.take(), { ms: 1_000, what: 'the next', everyMs: 2 })
    expect(await news.settle(last, { isDone: true, retries })).toBe('next')
    expect((await news.take())?.news?.id).toBe('n102')
  }, 20_000)
})
