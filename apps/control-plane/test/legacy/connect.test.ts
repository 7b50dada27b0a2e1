import type { SocketMessage } from '@neko-edge/testing'
import { describe, expect, it } from 'vitest'
import { names, Planes } from '../session/planes.fixture.ts'
import { commonNews, knock, V2Person } from './people.fixture.ts'

const options = {
  FILE_TRANSFER_ENABLED: 'true',
  FILE_TRANSFER_PATH: '/files',
  ICESERVERS: '[{"urls":["turn:t.example"],"username":"u","credential":"c"}]',
}
const membersIn = ({ members }: SocketMessage) => (members as { displayname: string }[]).map(({ displayname }) => displayname)

describe('a V2 socket', () => {
  it('[V2-1] hears the offer with its own id first, then the room, and who is there once the picture has come', async () => {
    await using planes = await Planes.open({ env: options })
    const ann = await V2Person.enter(planes, 'ann', { password: 'admin' })
    const [provide, init] = ann.socket.history
    expect(names(ann.socket.history)).toEqual([
      'signal/provide',
      'system/init',
      'screen/configurations',
      'broadcast/status',
      'filetransfer/list',
      'member/list',
      'screen/resolution',
      'member/connected',
    ])
    expect(provide).toMatchObject({
      id: ann.id,
      lite: false,
      sdp: 'offer 1',
      ice: [{ urls: ['turn:t.example'], username: 'u', credential: 'c', credentialType: 'password' }],
    })
    expect(init).toEqual({ event: 'system/init', implicit_hosting: false, locks: {}, file_transfer: true, heartbeat_interval: 10 })
    expect(ann.socket.history.at(-1)).toEqual({ event: 'member/connected', id: ann.id, displayname: 'ann', admin: true, muted: false })
    expect(membersIn(ann.socket.history[5] as SocketMessage)).toEqual(['ann'])
  })

  it('[V2-2] takes the name of an older client from its answer, and tells the others of it once', async () => {
    await using planes = await Planes.open()
    const ann = await V2Person.enter(planes, 'ann')
    const old = await V2Person.enter(planes, 'Old / 100% ?#', { isOld: true, plane: 1 })
    expect(names(old.socket.history)).toEqual(['signal/provide', 'system/init', 'member/list', 'screen/resolution', 'member/connected'])
    expect(membersIn(old.socket.history[2] as SocketMessage)).toEqual(['ann', 'Old / 100% ?#'])
    expect(await ann.news()).toEqual([{ event: 'member/connected', id: old.id, displayname: 'Old / 100% ?#', admin: false, muted: false }])
  })

  it.each([
    ['a wrong password', { password: 'wrong', username: 'x' }, 'invalid_password'],
    ['an empty password', { password: '', username: 'x' }, 'invalid_password'],
    ['no password', {}, 'invalid_password'],
  ])('[V2-3] is refused in words after the upgrade: %s', async (_, query, message) => {
    await using planes = await Planes.open({ count: 1 })
    const socket = await knock(planes, query)
    await socket.closed
    expect(socket.history).toEqual([{ event: 'system/disconnect', title: '', message }])
  })

  it('[V2-4] takes name and password under the names of either generation, reserved characters included', async () => {
    await using planes = await Planes.open({ count: 1, env: { PASSWORD: 'a+b&c%d/ä', PASSWORD_ADMIN: 'boss' } })
    for (const query of [{ password: 'a+b&c%d/ä' }, { pwd: 'a+b&c%d/ä', usr: 'ann' }, { username: 'ann', password: 'boss' }]) {
      const socket = await knock(planes, query)
      expect(await socket.event('signal/provide')).toMatchObject({
        id: expect.stringMatching('username' in query || 'usr' in query ? /^ann-/ : /^-/),
      })
      await socket.close()
    }
  })

  it('[V2-5] finds a locked room shut, except admins, and a banned address always', async () => {
    await using planes = await Planes.open()
    const boss = await V2Person.enter(planes, 'boss', { password: 'admin' })
    const ann = await V2Person.enter(planes, 'ann')
    boss.send('admin/lock', { resource: 'login' })
    await ann.hears('admin/lock')
    const late = await knock(planes, { password: 'neko' }, 1)
    await late.closed
    expect(late.history).toEqual([{ event: 'system/disconnect', title: '', message: 'locked' }])
    await V2Person.enter(planes, 'second', { password: 'admin', plane: 1 })
    boss.send('admin/ban', { id: ann.id })
    expect(await ann.hears('system/disconnect')).toEqual({ title: '', message: 'banned' })
    const again = await knock(planes, { password: 'admin' }, 1)
    await again.closed
    expect(again.history).toEqual([{ event: 'system/disconnect', title: '', message: 'banned' }])
  })

  it('[V2-6] ends its session with itself: nobody is left behind, whoever ended it', async () => {
    await using planes = await Planes.open()
    const vera = await planes.admin('vera')
    const ids = async () =>
      ((await (await vera.request('/api/sessions', { method: 'GET' })).json()) as { id: string }[]).map(({ id }) => id)
    const boss = await V2Person.enter(planes, 'boss', { password: 'admin' })
    for (let count = 0; count < 10; count++) {
      const ann = await V2Person.enter(planes, 'ann', { plane: count })
      boss.send('admin/kick', { id: ann.id })
      await ann.hears('system/disconnect')
    }
    const bob = await V2Person.enter(planes, 'bob')
    await bob.leave()
    await boss.hears('member/disconnected', ({ id }) => id === bob.id)
    expect(await ids()).toEqual([vera.id, boss.id])
  })

  it('[V2-7] says server_shutdown to everybody when the server stops', async () => {
    await using planes = await Planes.open()
    const [ann, bob] = [await V2Person.enter(planes, 'ann'), await V2Person.enter(planes, 'bob', { plane: 1 })]
    await Promise.all(planes.planes.map((plane) => plane[Symbol.asyncDispose]()))
    for (const person of [ann, bob]) {
      expect(await person.hears('system/disconnect')).toEqual({ title: '', message: 'server_shutdown' })
    }
  })

  it('[V2-8] sends a viewer who lost his picture away, since he comes back by himself', async () => {
    await using planes = await Planes.open()
    const [ann, bob] = [await V2Person.enter(planes, 'ann'), await V2Person.enter(planes, 'bob', { plane: 1 })]
    ann.send('control/request')
    await bob.hears('control/locked')
    await planes.node.news(ann.id, 'peer-1', { is: 'closed' })
    expect(await ann.hears('system/disconnect')).toEqual({ title: '', message: 'connection lost' })
    expect(names(await bob.news())).toEqual(['control/release', 'member/disconnected'])
  })

  it('[V2-1954] is told how often to give a sign of life, which nobody hears and nothing answers', async () => {
    await using planes = await Planes.open({ env: { SESSION_HEARTBEAT_INTERVAL: '77' } })
    const [ann, bob] = [await V2Person.enter(planes, 'ann'), await V2Person.enter(planes, 'bob', { plane: 1 })]
    expect(ann.socket.history.find(({ event }) => event === 'system/init')).toMatchObject({ heartbeat_interval: 77 })
    await ann.news()
    ann.send('client/heartbeat')
    ann.socket.sendRaw('{"event":"client/heartbeat","payload":{}}')
    expect(await commonNews(ann, bob)).toEqual([])
  })

  it('[V2-9] is not there without legacy mode', async () => {
    await using planes = await Planes.open({ count: 1, env: { LEGACY: 'false' } })
    await expect(knock(planes, { password: 'neko' })).rejects.toThrow('no WebSocket')
    for (const path of ['/ws', '/stats?pwd=admin', '/screenshot.jpg?pwd=admin', '/file?pwd=admin&filename=x']) {
      expect((await fetch(`${planes.url(0)}${path}`)).status).toBe(404)
    }
    expect(await (await fetch(`${planes.url(0)}/health`)).text()).toBe('true')
  })
})

describe('names of locks', () => {
  it('[V2-11] stay right when the owner, another admin and a user come again, in every process', async () => {
    await using planes = await Planes.open()
    const anna = await V2Person.enter(planes, 'anna', { password: 'admin' })
    const bob = await V2Person.enter(planes, 'bob', { plane: 1 })
    anna.send('admin/lock', { resource: 'control' })
    expect(await bob.hears('admin/lock')).toEqual({ resource: 'control', id: anna.id })
    await anna.leave()
    await bob.hears('member/disconnected')

    // The owner is away: named, and not among those who are there.
    const late = await V2Person.enter(planes, 'late', { plane: 1, isOld: true })
    expect(late.socket.history.find(({ event }) => event === 'system/init')).toMatchObject({ locks: { control: anna.id } })
    const list = late.socket.history.find(({ event }) => event === 'member/list')
    expect(list?.['members']).toContainEqual({ id: anna.id, displayname: 'anna', admin: true, muted: false, connected: false })

    // He comes again, under another id, by a client of either generation.
    for (const isOld of [false, true]) {
      const again = await V2Person.enter(planes, 'anna', { password: 'admin', plane: 1, isOld })
      expect(again.socket.history.find(({ event }) => event === 'system/init')).toMatchObject({ locks: { control: again.id } })
      await again.leave()
    }

    // Another admin sees the same, and so does a user of the same name, who is not he.
    const second = await V2Person.enter(planes, 'second', { password: 'admin' })
    expect(second.socket.history.find(({ event }) => event === 'system/init')).toMatchObject({ locks: { control: anna.id } })
    const members = second.socket.history.find(({ event }) => event === 'member/list')?.['members']
    expect(members).toContainEqual({ id: anna.id, displayname: 'anna', admin: true, muted: false, connected: false })
    const other = await V2Person.enter(planes, 'anna', { plane: 0 })
    expect(other.socket.history.find(({ event }) => event === 'system/init')).toMatchObject({ locks: { control: anna.id } })
  })

  it('[V2-12] say nobody where the configuration or the protection locked', async () => {
    await using planes = await Planes.open({ count: 1, env: { LOCKS: 'login file_transfer', CONTROL_PROTECTION: 'true' } })
    const boss = await V2Person.enter(planes, 'boss', { password: 'admin' })
    // The protection's lock opens for him, that of the configuration does not.
    expect(boss.socket.history.find(({ event }) => event === 'system/init')).toMatchObject({ locks: { login: '', file_transfer: '' } })
    boss.send('admin/unlock', { resource: 'login' })
    expect(await boss.hears('admin/unlock')).toEqual({ resource: 'login', id: boss.id })
    const bob = await V2Person.enter(planes, 'bob')
    await bob.news()
    await boss.leave()
    await bob.hears('member/disconnected')
    expect(bob.socket.history.slice(-2)).toEqual([
      { event: 'admin/lock', resource: 'control', id: boss.id },
      { event: 'member/disconnected', id: boss.id },
    ])
    const stats = await (await fetch(`${planes.url(0)}/stats?pwd=admin`)).json()
    expect(stats).toMatchObject({
      locked: { control: 'by_control_protection', file_transfer: '' },
      control_protection: true,
      last_user_left_at: null,
    })
  })
})
