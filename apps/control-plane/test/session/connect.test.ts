import { JsonSocket, type SocketMessage } from '@neko-edge/testing'
import { describe, expect, it } from 'vitest'
import { names } from './person.fixture.ts'
import { Planes } from './planes.fixture.ts'
import { opcode, RawSocket } from './raw-socket.fixture.ts'

const greeting = ['system/init', 'session/state', 'filetransfer/update', 'chat/init', 'openinapp/init']
const disconnect = (message: string) => ({ event: 'system/disconnect', payload: { message } })

describe('a V3 socket', () => {
  it('[WS-1] is greeted in upstream’s order: init, what admins get, the own state, the plugins', async () => {
    await using planes = await Planes.open()
    const ann = await planes.enter('ann')
    const boss = await planes.admin('boss', 1)
    expect(names(ann.socket.history.slice(0, 5))).toEqual(greeting)
    expect(names(boss.socket.history)).toEqual([greeting[0], 'system/admin', ...greeting.slice(1)])
    expect(boss.socket.history[0]?.['payload']).toMatchObject({
      session_id: boss.id,
      control_host: { id: '', has_host: false },
      screen_size: { width: 1280, height: 720, rate: 30 },
      sessions: { [ann.id]: { id: ann.id, state: { is_connected: true } }, [boss.id]: { state: { is_connected: true } } },
      touch_events: false,
      screencast_enabled: false,
      webrtc: { videos: ['main', 'small'] },
    })
    expect(boss.socket.history[1]?.['payload']).toEqual({
      screen_sizes_list: [{ width: 1280, height: 720, rate: 30 }],
      broadcast_status: { is_active: false },
    })
    expect(names(await ann.news())).toEqual(['session/created', 'session/state'])
  })

  it('[WS-2] frees a protected room’s controls before the state of the admin that comes is told', async () => {
    await using planes = await Planes.open({ env: { SESSION_CONTROL_PROTECTION: 'true' } })
    const ann = await planes.enter('ann')
    const boss = await planes.admin('boss')
    expect(names(boss.socket.history)).toEqual([
      'system/init',
      'system/admin',
      'system/settings',
      'session/state',
      'filetransfer/update',
      'chat/init',
      'openinapp/init',
    ])
    expect(boss.socket.history[2]?.['payload']).toMatchObject({ id: boss.id, locked_controls: false, control_protection: true })
    expect(names(await ann.news())).toEqual(['session/created', 'system/settings', 'session/state'])
  })

  it('[WS-3] tells of every plugin, also where all are off', async () => {
    await using planes = await Planes.open({
      count: 1,
      env: { CHAT_ENABLED: 'false', FILETRANSFER_ENABLED: 'false', OPENINAPP_ENABLED: 'false' },
    })
    const ann = await planes.enter('ann')
    const said = Object.fromEntries(ann.socket.history.map(({ event, ...rest }) => [event, rest['payload']]))
    expect(said['chat/init']).toEqual({ enabled: false })
    expect(said['openinapp/init']).toEqual({ enabled: false })
    expect(said['filetransfer/update']).toMatchObject({ enabled: false, files: null })
  })

  it('[WS-4] is refused with the words that clients know, after the upgrade, and closed', async () => {
    await using planes = await Planes.open({ env: { SESSION_API_TOKEN: 'machine-token-1234' } })
    const ann = await planes.enter('ann')
    const boss = await planes.admin('boss')
    const cases = [
      ['', 'no authentication provided'],
      ['?token=nonsense', 'session not found'],
      ['?token=machine-token-1234', 'connection disabled'],
    ] as const
    for (const [query, message] of cases) {
      expect(await lastWord(`${planes.url(1).replace('http', 'ws')}/api/ws${query}`)).toEqual(disconnect(message))
    }
    await boss.does(`/api/members/${ann.id}`, { body: { can_connect: false } })
    expect(await lastWord(ann.address(1).replace('http', 'ws'))).toEqual(disconnect('connection disabled'))
    await boss.does(`/api/members/${ann.id}`, { body: { can_login: false } })
    expect(await lastWord(ann.address(1).replace('http', 'ws'))).toEqual(disconnect('session login disabled'))
  })

  it('[WS-5] may send before it is greeted: its frames wait their turn', async () => {
    await using planes = await Planes.open()
    const ann = await planes.login('ann')
    const socket = await ann.knock(1)
    socket.send({ event: 'signal/request', payload: {} })
    await socket.event('signal/provide')
    expect(names(socket.history).slice(0, 6)).toEqual([...greeting, 'signal/provide'])
  })

  it('[WS-6] takes its session over from an older one on any instance: that one hears so once, the others see one state', async () => {
    await using planes = await Planes.open()
    const ann = await planes.enter('ann')
    const bob = await planes.enter('bob')
    ann.send('control/request')
    await ann.hears('control/host')
    const old = ann.socket
    await bob.news()
    for (const plane of [1, 0, 0]) {
      await ann.connect(plane)
    }
    await old.closed
    expect(old.history.filter(({ event }) => event === 'system/disconnect')).toEqual([disconnect('connection replaced')])
    expect(await bob.news()).toEqual(
      Array.from({ length: 3 }, () => ({ event: 'session/state', payload: expect.objectContaining({ id: ann.id, is_connected: true }) })),
    )
    expect(ann.socket.history[0]?.['payload']).toMatchObject({ control_host: { has_host: true, host_id: ann.id } })
    expect(await (await bob.request('/api/stats', { method: 'GET' })).json()).toMatchObject({ total_users: 2, total_admins: 0 })
  })

  it('[WS-7] ends at once where the client closes with 1000 or 1001; the host gives the controls back before', async () => {
    await using planes = await Planes.open()
    const bob = await planes.enter('bob', { plane: 1 })
    for (const code of [1000, 1001]) {
      const ann = await planes.login('ann')
      const socket = await RawSocket.open(ann.address())
      await socket.hears('openinapp/init')
      socket.send(opcode.binary, '{"event":"control/request"}')
      await bob.hears('control/host')
      await bob.news()
      socket.close(code)
      await bob.hears('session/state', ({ is_connected }: { is_connected: boolean }) => !is_connected)
      expect(names(bob.socket.history).slice(-2)).toEqual(['control/host', 'session/state'])
      expect(bob.socket.history.at(-2)?.['payload']).toEqual({ id: ann.id, has_host: false })
    }
  })

  it('[WS-8] ends with its session: the others hear control, state and session in this order, the deleted one only why', async () => {
    await using planes = await Planes.open()
    const [ann, bob] = [await planes.enter('ann'), await planes.enter('bob', { plane: 1 })]
    ann.send('control/request')
    await ann.hears('control/host')
    await bob.news()
    await ann.news()
    const { socket } = ann
    await ann.does('/api/logout', { plane: 1 })
    await socket.closed
    expect(names(await bob.news())).toEqual(['control/host', 'session/state', 'session/deleted'])
    expect(socket.history.at(-1)).toEqual(disconnect('session deleted'))
    expect(names(socket.history)).not.toContain('session/deleted')
  })

  it('[WS-9] ends with the right to be here: profile changed; and on demand: session disconnected', async () => {
    await using planes = await Planes.open()
    const boss = await planes.admin('boss')
    const [ann, bob, eve] = [await planes.enter('ann', { plane: 1 }), await planes.enter('bob'), await planes.enter('eve', { plane: 1 })]
    await boss.news()
    await boss.does(`/api/members/${ann.id}`, { body: { can_login: false } })
    await boss.does(`/api/members/${bob.id}`, { body: { can_connect: false } })
    await boss.does(`/api/sessions/${eve.id}/disconnect`)
    const last = await Promise.all([ann, bob, eve].map(({ socket }) => socket.closed.then(() => socket.history.at(-1))))
    expect(last).toEqual([disconnect('profile changed'), disconnect('profile changed'), disconnect('session disconnected')])
    expect(names(await boss.news())).toEqual(['session/profile', 'session/state', 'session/profile', 'session/state', 'session/state'])
  })

  it('[WS-10] hears that the server stops, where no other one runs to go to', async () => {
    await using planes = await Planes.open()
    const [ann, bob] = [await planes.enter('ann', { plane: 1 }), await planes.enter('bob', { plane: 0 })]
    await planes.planes[1]?.[Symbol.asyncDispose]()
    expect((await ann.socket.closed).code).toBe(1012)
    await planes.planes[0]?.[Symbol.asyncDispose]()
    await bob.socket.closed
    expect(bob.socket.history.at(-1)).toEqual(disconnect('connection shutdown'))
  })

  it('[WS-11] serves a session whose requests go to one instance after the other', async () => {
    await using planes = await Planes.open()
    const ann = await planes.login('ann')
    for (const plane of [0, 1, 0, 1]) {
      expect(await (await ann.request('/api/whoami', { method: 'GET', plane })).json()).toMatchObject({ id: ann.id })
    }
    await ann.does('/api/profile', { body: { name: 'Ann of two' } })
    const socket = await ann.connect(1)
    expect(socket.history[0]?.['payload']).toMatchObject({ sessions: { [ann.id]: { profile: { name: 'Ann of two' } } } })
    await ann.does('/api/profile', { body: { name: 'Ann again' } })
    expect(await ann.hears('session/profile')).toMatchObject({ id: ann.id, name: 'Ann again' })
  })
})

/** The one thing that a socket is told before it is closed. */
async function lastWord(url: string): Promise<SocketMessage | undefined> {
  const socket = await JsonSocket.open(url, () => undefined)
  await socket.closed
  expect(socket.history).toHaveLength(1)
  return socket.history[0]
}
