import { describe, expect, it } from 'vitest'
import { names } from './person.fixture.ts'
import { Planes } from './planes.fixture.ts'

const chat = (id: string, text: string) => ({ event: 'chat/message', payload: { id, created: expect.any(String), content: { text } } })

describe('messages between sessions', () => {
  it('[WS-30] go to one: whoever is meant, if he is there; the sender is who it is', async () => {
    await using planes = await Planes.open()
    const [ann, bob, away] = [await planes.enter('ann'), await planes.enter('bob', { plane: 1 }), await planes.login('away')]
    await bob.news()
    for (const receiver of ['nobody', away.id, bob.id]) {
      ann.send('send/unicast', { receiver, sender: 'forged', subject: 's', body: { x: [1, null] } })
    }
    expect(await bob.hears('send/unicast')).toEqual({ sender: ann.id, receiver: bob.id, subject: 's', body: { x: [1, null] } })
    ann.send('send/unicast', { receiver: ann.id, subject: 'me' })
    expect(await ann.hears('send/unicast')).toEqual({ sender: ann.id, receiver: ann.id, subject: 'me', body: null })
  })

  it('[WS-31] or to all but the sender', async () => {
    await using planes = await Planes.open()
    const [ann, bob, eve] = [await planes.enter('ann'), await planes.enter('bob', { plane: 1 }), await planes.enter('eve')]
    ann.send('send/broadcast', { sender: 'forged', subject: 's', body: 'b' })
    for (const other of [bob, eve]) {
      expect(await other.hears('send/broadcast')).toEqual({ sender: ann.id, subject: 's', body: 'b' })
    }
    expect(names(await ann.news())).not.toContain('send/broadcast')
  })

  it('[WS-32] chat reaches the writer too; a setting that is no boolean keeps everybody but admins silent, a profile also them', async () => {
    await using planes = await Planes.open()
    const [ann, bob, boss] = [await planes.enter('ann'), await planes.enter('bob', { plane: 1 }), await planes.admin('boss')]
    for (const person of [ann, bob, boss]) {
      await person.news()
    }
    ann.send('chat/message', { text: '' })
    expect([await ann.hears('chat/message'), await bob.hears('chat/message')]).toEqual([chat(ann.id, '').payload, chat(ann.id, '').payload])
    await boss.does('/api/room/settings', { body: { plugins: { 'chat.can_send': 'false' } } })
    ann.send('chat/message', { text: 'unheard' })
    await ann.settled()
    boss.send('chat/message', { text: 'heard' })
    expect(await bob.hears('chat/message')).toEqual(chat(boss.id, 'heard').payload)
    await boss.does(`/api/members/${boss.id}`, { body: { plugins: { 'chat.can_send': false } } })
    boss.send('chat/message', { text: 'unheard' })
    await boss.settled()
    await boss.does('/api/room/settings', { body: { plugins: { 'chat.can_send': true } } })
    await boss.does(`/api/members/${bob.id}`, { body: { plugins: { 'chat.can_receive': false } } })
    ann.send('chat/message', { text: 'not for bob' })
    expect(await ann.hears('chat/message', ({ content }: { content: { text: string } }) => content.text.startsWith('not'))).toBeDefined()
    expect(names(await bob.news())).not.toContain('chat/message')
  })

  it('[WS-33] the file list is looked at anew for whoever asks: told to all where it changed, else to him', async () => {
    await using planes = await Planes.open({ env: { FILETRANSFER_ENABLED: 'true' } })
    const [ann, bob] = [await planes.enter('ann'), await planes.enter('bob', { plane: 1 })]
    await ann.news()
    ann.send('filetransfer/update')
    expect(await ann.hears('filetransfer/update')).toMatchObject({ enabled: true, files: [] })
    expect(names(await bob.news())).not.toContain('filetransfer/update')
    planes.node.answers['files.refresh'] = async () => {
      await planes.node.tell('files', { files: [{ name: 'a', type: 'file', size: 3 }] })
      return null
    }
    ann.send('filetransfer/update')
    await ann.settled()
    for (const person of [ann, bob]) {
      const lists = (await person.news()).filter(({ event }) => event === 'filetransfer/update')
      expect(lists).toMatchObject([{ payload: { files: [{ name: 'a', type: 'file', size: 3 }] } }])
    }
  })

  it('[WS-34] what the node tells goes to whom it concerns', async () => {
    await using planes = await Planes.open()
    const [ann, boss] = [await planes.enter('ann'), await planes.admin('boss', 1)]
    boss.send('control/request')
    await ann.hears('control/host')
    await ann.news()
    await boss.news()
    await planes.node.tell('screen', { screen: { width: 800, height: 600, rate: 30 } }, boss.id)
    await planes.node.tell('broadcast', { broadcast: { is_active: true, url: 'rtmp://x' } }, boss.id)
    await planes.node.tell('dialog', { dialog: boss.id })
    await planes.node.tell('dialog', { dialog: null })
    await planes.node.signal({ is: 'clipboard', text: 'copied' })
    await planes.node.signal({ is: 'cursors', cursors: [{ id: ann.id, cursors: [{ x: 1, y: 2 }] }] })
    const common = [
      { event: 'screen/updated', payload: { id: boss.id, width: 800, height: 600, rate: 30 } },
      { event: 'file_chooser_dialog/opened', payload: { id: boss.id } },
      { event: 'file_chooser_dialog/closed', payload: { id: '' } },
    ]
    const [screen, opened, closed] = common
    expect(await ann.news()).toEqual(common)
    expect(await boss.news()).toEqual([
      screen,
      { event: 'broadcast/status', payload: { is_active: true, url: 'rtmp://x' } },
      opened,
      closed,
      { event: 'clipboard/updated', payload: { text: 'copied' } },
      { event: 'session/cursors', payload: [{ id: ann.id, cursors: [{ x: 1, y: 2 }] }] },
    ])
  })
})
