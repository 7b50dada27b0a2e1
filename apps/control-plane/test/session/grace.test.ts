import { delay, until } from '@neko-edge/kit'
import { describe, expect, it } from 'vitest'
import { names, type Person } from './person.fixture.ts'
import { Planes } from './planes.fixture.ts'
import { opcode, RawSocket } from './raw-socket.fixture.ts'

const isGone = ({ is_connected }: { is_connected: boolean }) => !is_connected

async function rawly(person: Person): Promise<RawSocket> {
  const socket = await RawSocket.open(person.address())
  await socket.hears('openinapp/init')
  return socket
}

// Each waits for what takes seconds by its nature: all at once.
describe.concurrent('a socket that breaks', () => {
  it('[WS-12] leaves its session connected for five seconds: closed without a code, with an odd one, or reset', async () => {
    await using planes = await Planes.open()
    const bob = await planes.enter('bob', { plane: 1 })
    const breaks: ((socket: RawSocket) => void)[] = [(socket) => socket.close(), (socket) => socket.close(3000), (socket) => socket.reset()]
    await Promise.all(
      breaks.map(async (cut, index) => {
        const ann = await planes.login(`ann ${index}`)
        const socket = await rawly(ann)
        const cutAt = performance.now()
        cut(socket)
        const gone = await bob.socket.event('session/state', {
          ms: 9_000,
          where: ({ payload }) => (payload as { id: string }).id === ann.id && isGone(payload as never),
        })
        expect(gone['payload']).toHaveProperty('not_connected_since')
        expect(performance.now() - cutAt).toBeGreaterThan(4_900)
      }),
    )
  })

  it('[WS-13] and comes back within that time, here or elsewhere, is missed by nobody', async () => {
    await using planes = await Planes.open()
    const bob = await planes.enter('bob', { plane: 1 })
    const [here, there] = [await planes.login('here'), await planes.login('there')]
    for (const person of [here, there]) {
      const socket = await rawly(person)
      socket.send(opcode.text, '{"event":"control/request"}')
      socket.reset()
    }
    await bob.hears('control/host')
    // Longer than the grace in all, with a new start in the middle of it.
    await delay(3_000)
    await here.connect(0)
    await there.connect(1)
    await delay(3_000)
    const news = await bob.news()
    expect(
      news.filter(
        ({ event, payload }) =>
          event === 'session/state' && isGone(payload as never) && (payload as { connected_since?: string }).connected_since,
      ),
    ).toEqual([])
    expect(news.filter(({ event, payload }) => event === 'session/state' && 'not_connected_since' in (payload as object))).toEqual([])
    expect(here.socket.history[0]?.['payload']).toMatchObject({ control_host: { has_host: true, host_id: here.id } })
  })

  it('[WS-14] keeps others out where reconnecting is not merciful, while it is there and in its grace', async () => {
    await using planes = await Planes.open({ env: { SESSION_MERCIFUL_RECONNECT: 'false' } })
    const ann = await planes.enter('ann')
    const words = async (plane: number) => {
      const socket = await ann.knock(plane)
      await socket.closed
      return socket.history
    }
    const already = [{ event: 'system/disconnect', payload: { message: 'already connected' } }]
    expect(await words(1)).toEqual(already)
    expect(names(ann.socket.history)).not.toContain('system/disconnect')
    await ann.socket.close(3000)
    expect(await words(0)).toEqual(already)
    await until(
      async () =>
        await ann.knock(1).then((socket) =>
          socket.event('system/init', { ms: 500 }).then(
            () => true,
            () => false,
          ),
        ),
      {
        ms: 9_000,
        what: 'the end of the grace',
        everyMs: 500,
      },
    )
  })

  it('[WS-15] locks a protected room when its last admin is gone for good, and not sooner', async () => {
    await using planes = await Planes.open({ env: { SESSION_CONTROL_PROTECTION: 'true' } })
    const [first, second] = [await planes.login('first', { password: 'admin' }), await planes.admin('second', 1)]
    const socket = await rawly(first)
    const ann = await planes.enter('ann')
    ann.send('control/request')
    await ann.hears('control/host')
    await second.socket.close()
    await ann.hears('session/state', isGone as never)
    expect(names(await ann.news())).not.toContain('system/settings')
    socket.reset()
    await delay(3_000)
    expect(names(await ann.news())).toEqual([])
    await ann.socket.event('session/state', { ms: 5_000 })
    expect(names(ann.socket.history).slice(-3)).toEqual(['control/host', 'system/settings', 'session/state'])
  })

  it('[WS-16] is told every ten seconds that all is well, without a payload, and pinged', async () => {
    await using planes = await Planes.open({ count: 1 })
    const ann = await planes.login('ann')
    const startedAt = performance.now()
    const socket = await rawly(ann)
    await until(() => socket.frames.some((frame) => frame.opcode === opcode.ping), { ms: 12_000, what: 'a ping' })
    expect(performance.now() - startedAt).toBeGreaterThan(9_500)
    expect(socket.texts.at(-1)).toBe('{"event":"system/heartbeat"}\n')
    expect(socket.frames.at(-1)).toMatchObject({ opcode: opcode.ping, payload: Buffer.alloc(0) })
    expect(socket.texts.every((text) => text.endsWith('}\n'))).toBe(true)
  })

  it('[WS-17] is refused with 400, as upstream does, without the headers of an upgrade and for an origin that may not', async () => {
    await using planes = await Planes.open({ count: 1, env: { SERVER_CORS: 'https://good.example' } })
    const ann = await planes.login('ann')
    await expect(RawSocket.open(ann.address(), { Upgrade: 'h2c' })).rejects.toThrow('400')
    await expect(RawSocket.open(ann.address(), { Origin: 'https://evil.example' })).rejects.toThrow('400')
    await (await RawSocket.open(ann.address(), { Origin: 'https://good.example' })).hears('system/init')
  })
})
