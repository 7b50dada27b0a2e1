import { until } from '@neko-edge/kit'
import { connectSession } from '@neko-edge/store'
import type { SocketMessage } from '@neko-edge/testing'
import { describe, expect, it } from 'vitest'
import { names } from './person.fixture.ts'
import { Planes } from './planes.fixture.ts'

const logIn = (planes: Planes) =>
  fetch(`${planes.url(0)}/api/login`, {
    method: 'POST',
    body: JSON.stringify({ username: 'eve', password: 'neko' }),
    signal: AbortSignal.timeout(8_000),
  })

const isBack = (planes: Planes) =>
  until(async () => (await Promise.all([0, 1].map((plane) => fetch(`${planes.url(plane)}/readyz`)))).every(({ ok }) => ok), {
    ms: 8_000,
    what: 'Redis is back',
  })

describe.concurrent('Redis is away', () => {
  it('[WS-60] keeps the sockets that are open, and asks who would come in to come again', async () => {
    await using planes = await Planes.open()
    const [ann, bob] = [await planes.enter('ann'), await planes.enter('bob', { plane: 1 })]
    ann.send('control/request')
    await bob.hears('control/host')
    await planes.redis.kill()
    await until(async () => (await fetch(`${planes.url(0)}/readyz`)).status === 503, { ms: 5_000, what: 'the loss is noticed' })
    const refused = await logIn(planes)
    expect([refused.status, Number(refused.headers.get('retry-after')) > 0]).toEqual([503, true])
    expect((await (await ann.knock()).closed).code).toBe(1013)
    for (const event of ['control/release', 'chat/message', 'signal/request', 'send/broadcast']) {
      ann.send(event, {})
    }
    await planes.redis.start()
    await isBack(planes)
    ann.send('chat/message', { text: 'hello again' })
    await bob.socket.event('chat/message', {
      where: ({ payload }) => (payload as { content: { text: string } }).content.text === 'hello again',
    })
    expect(names(ann.socket.history)).not.toContain('system/disconnect')
    const said = names(bob.socket.history).filter((event) => event === 'session/deleted' || event === 'session/created')
    expect(said).toEqual([])
    expect((await logIn(planes)).status).toBe(200)
  })

  it('[WS-61] and comes back empty: sessions, host, settings and counts are as they were, and nobody is told a thing', async () => {
    await using planes = await Planes.open()
    const [ann, boss] = [await planes.enter('ann'), await planes.admin('boss', 1)]
    await boss.does('/api/room/settings', { body: { implicit_hosting: true } })
    ann.send('control/request')
    await boss.hears('control/host')
    await ann.news()
    await boss.news()
    await planes.redis.restartEmpty()
    await isBack(planes)
    await until(async () => (await ann.request('/api/whoami', { method: 'GET' })).ok, { ms: 5_000, what: 'the token counts again' })
    // Longer than a sweep takes to look, so that it would have found them missing.
    expect(names(await ann.news()).filter((event) => event !== 'control/host' && event !== 'system/settings')).toEqual([])
    for (const plane of [0, 1]) {
      expect(await (await boss.request('/api/room/control', { method: 'GET', plane })).json()).toMatchObject({
        has_host: true,
        host_id: ann.id,
      })
      expect(await (await boss.request('/api/stats', { method: 'GET', plane })).json()).toMatchObject({ total_users: 1, total_admins: 1 })
    }
    expect(await (await boss.request('/api/room/settings', { method: 'GET' })).json()).toMatchObject({ implicit_hosting: true })
    boss.send('control/move', { x: 1, y: 1 })
    expect(await ann.hears('control/host')).toMatchObject({ host_id: boss.id })
  })

  it('[WS-62] tells of a session that ended meanwhile', async () => {
    await using planes = await Planes.open()
    const [ann, bob] = [await planes.enter('ann'), await planes.enter('bob', { plane: 1 })]
    await planes.redis.kill()
    await until(async () => (await fetch(`${planes.url(0)}/readyz`)).status === 503, { ms: 5_000, what: 'the loss is noticed' })
    await ann.socket.close(1000)
    await planes.redis.start()
    await isBack(planes)
    const isTold = ({ payload }: SocketMessage) => (payload as { is_connected: boolean }).is_connected === false
    expect(await bob.socket.event('session/state', { ms: 9_000, where: isTold })).toMatchObject({ payload: { id: ann.id } })
  })

  it('[WS-63] and hangs: whoever waits for it is told within seconds, and all goes on when it wakes', async () => {
    await using planes = await Planes.open()
    const [ann, bob, eve] = [await planes.enter('ann'), await planes.enter('bob', { plane: 1 }), await planes.login('late')]
    planes.redis.pause()
    const startedAt = performance.now()
    const [refused, closed] = await Promise.all([logIn(planes), eve.knock().then((socket) => socket.closed)])
    expect([refused.status, closed.code]).toEqual([503, 1013])
    expect(performance.now() - startedAt).toBeLessThan(7_000)
    planes.redis.resume()
    ann.send('control/request')
    expect(await bob.hears('control/host')).toMatchObject({ host_id: ann.id })
    await eve.connect(1)
  })

  it('[WS-64] leaves no session behind that looks connected and has no socket', async () => {
    await using planes = await Planes.open()
    const [bob, eve] = [await planes.enter('bob', { plane: 1 }), await planes.login('eve')]
    await bob.news()
    const instance = planes.node.room.view.session(bob.id)?.state.instance?.split('.')[0]
    // As when the reply to her connection came too late for whoever had asked.
    await planes.node.room.run(connectSession, [eve.id, `${instance}.nobody`, '127.0.0.1', 'v3'])
    const said = async () => (await bob.hears('session/state')) as { id: string; is_connected: boolean }
    expect([await said(), await said()]).toMatchObject([
      { id: eve.id, is_connected: true },
      { id: eve.id, is_connected: false },
    ])
  })
})
