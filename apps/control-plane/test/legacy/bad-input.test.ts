import { until } from '@neko-edge/kit'
import { describe, expect, it } from 'vitest'
import { Planes } from '../session/planes.fixture.ts'
import { commonNews, knock, V2Person } from './people.fixture.ts'

const clientEvents = [
  'signal/answer',
  'signal/offer',
  'signal/candidate',
  'control/give',
  'control/clipboard',
  'control/keyboard',
  'chat/message',
  'chat/emote',
  'screen/set',
  'broadcast/create',
  'admin/lock',
  'admin/unlock',
  'admin/give',
  'admin/kick',
  'admin/ban',
  'admin/mute',
  'admin/unmute',
  'openinapp/openlink',
] as const

describe('what a V2 client should not send', () => {
  it('[V2-50] is ignored, whatever it is, and costs nobody the connection', async () => {
    await using planes = await Planes.open()
    const boss = await V2Person.enter(planes, 'boss', { password: 'admin' })
    const ann = await V2Person.enter(planes, 'ann', { plane: 1 })
    await boss.news()
    for (const frame of [
      '',
      'garbage',
      '{',
      '[]',
      'null',
      '"text"',
      '42',
      '{}',
      '{"event":7}',
      '{"event":"no/such"}',
      '{"event":"__proto__"}',
      '{"event":"constructor"}',
    ]) {
      ann.socket.sendRaw(frame)
      boss.socket.sendRaw(frame)
    }
    ann.socket.sendRaw(new Uint8Array([0xff, 0xfe, 0]))
    ann.socket.sendRaw(`{"event":"chat/message","content":${'"'.padEnd(100, '[')}`)
    for (const event of clientEvents) {
      for (const wrong of [null, 7, [], { nested: true }]) {
        for (const person of [ann, boss]) {
          person.send(event, {
            id: wrong,
            emote: wrong,
            content: wrong ?? [],
            resource: wrong,
            width: wrong,
            url: wrong ?? {},
            sdp: wrong ?? [],
            data: wrong ?? {},
            text: wrong ?? {},
            layout: wrong ?? 3,
          })
        }
      }
    }
    await boss.news()
    expect(await commonNews(ann, boss)).toEqual([])
    ann.send('chat/message', { content: 'still here' })
    expect(await commonNews(ann, boss)).toEqual([{ event: 'chat/message', id: ann.id, content: 'still here' }])
  })

  it('[V2-51] is ignored where it names nobody: a ban of an unknown id bans nobody', async () => {
    await using planes = await Planes.open()
    const boss = await V2Person.enter(planes, 'boss', { password: 'admin' })
    for (const id of ['', 'nobody', '../../x', '%00', '__proto__', '<b>']) {
      for (const event of ['admin/ban', 'admin/kick', 'admin/mute', 'admin/unmute', 'admin/give', 'control/give']) {
        boss.send(event, { id })
      }
    }
    expect(await boss.news()).toEqual([])
    expect(await (await fetch(`${planes.url(0)}/stats?pwd=admin`)).json()).toMatchObject({ banned: {} })
  })

  it('[V2-52] a megabyte is a message like any other; one that is too long ends the connection of its sender alone', async () => {
    await using planes = await Planes.open()
    const [ann, bob] = [await V2Person.enter(planes, 'ann'), await V2Person.enter(planes, 'bob', { plane: 1 })]
    ann.send('chat/message', { content: 'x'.repeat(1024 * 1024) })
    expect(String((await bob.hears('chat/message'))['content'])).toHaveLength(1024 * 1024)
    ann.send('chat/message', { content: 'x'.repeat(5 * 1024 * 1024) })
    await ann.socket.closed
    expect(await bob.hears('member/disconnected')).toEqual({ id: ann.id })
    bob.send('chat/message', { content: 'still here' })
    expect(await bob.hears('chat/message')).toMatchObject({ content: 'still here' })
  })

  it('[V2-53] ten thousand chat messages reach everybody, or end their sender; others go on', async () => {
    await using planes = await Planes.open()
    const [ann, bob] = [await V2Person.enter(planes, 'ann'), await V2Person.enter(planes, 'bob', { plane: 1 })]
    let isOver = false
    void ann.socket.closed.then(() => {
      isOver = true
    })
    for (let number = 0; number < 10_000; number++) {
      ann.send('chat/message', { content: `message ${number}` })
    }
    const last = () => isOver || bob.socket.history.at(-1)?.['content'] === 'message 9999'
    await until(last, { ms: 20_000, what: 'the last of the messages, or the end of their sender' })
    bob.send('chat/message', { content: 'still here' })
    expect(await bob.hears('chat/message', ({ content }) => content === 'still here')).toMatchObject({ id: bob.id })
    await V2Person.enter(planes, 'carl')
  })

  it('[V2-54] nothing that is tried at the door lets anybody in', async () => {
    await using planes = await Planes.open({ count: 1 })
    for (const password of ['null', 'undefined', '0', '["neko"]', 'neko\0', ' neko', 'NEKO']) {
      const socket = await knock(planes, { password })
      await socket.closed
      expect(socket.history.map(({ event }) => event)).toEqual(['system/disconnect'])
    }
    expect((await fetch(`${planes.url(0)}/ws?password=neko`)).status).toBe(400)
  })
})
