import { NekoError } from '@neko-edge/kit'
import { describe, expect, it } from 'vitest'
import { Planes } from '../session/planes.fixture.ts'
import { commonNews, V2Person } from './people.fixture.ts'

/** An admin and two users of V2, of both generations, on both control planes, and somebody of V3. */
async function company(planes: Planes) {
  const boss = await V2Person.enter(planes, 'boss', { password: 'admin' })
  const ann = await V2Person.enter(planes, 'ann', { plane: 1 })
  const bob = await V2Person.enter(planes, 'bob', { isOld: true, plane: 1 })
  const vera = await planes.enter('vera')
  await Promise.all([boss.news(), ann.news(), bob.news()])
  return { boss, ann, bob, vera }
}

describe('the controls in V2', () => {
  it('[V2-20] are asked for, refused in words to both, given, released', async () => {
    await using planes = await Planes.open()
    const { boss, ann, bob } = await company(planes)
    const all = [boss, ann, bob]
    ann.send('control/request')
    expect(await commonNews(ann, boss, bob)).toEqual([{ event: 'control/locked', id: ann.id }])
    bob.send('control/request')
    expect(await bob.hears('control/request')).toEqual({ id: ann.id })
    expect(await ann.hears('control/requesting')).toEqual({ id: bob.id })
    ann.send('control/give', { id: bob.id })
    expect(await commonNews(ann, boss, bob)).toEqual([{ event: 'control/give', id: ann.id, target: bob.id }])
    // Somebody who came after the give hears of a release what all others hear.
    const late = await V2Person.enter(planes, 'late')
    expect(late.socket.history.at(-2)).toEqual({ event: 'control/locked', id: bob.id })
    await Promise.all(all.map((person) => person.news()))
    bob.send('control/release')
    expect(await commonNews(bob, boss, ann, late)).toEqual([{ event: 'control/release', id: bob.id }])
  })

  it('[V2-21] are taken, released and given by admins with the name of whom they are taken from', async () => {
    await using planes = await Planes.open()
    const { boss, ann, bob } = await company(planes)
    boss.send('admin/control')
    expect(await commonNews(boss, ann, bob)).toEqual([{ event: 'admin/control', id: boss.id }])
    boss.send('admin/give', { id: ann.id })
    expect(await commonNews(boss, ann, bob)).toEqual([{ event: 'control/give', id: boss.id, target: ann.id }])
    boss.send('admin/control')
    expect(await commonNews(boss, ann, bob)).toEqual([{ event: 'admin/control', id: boss.id, target: ann.id }])
    boss.send('admin/give', { id: bob.id })
    await commonNews(boss, ann, bob)
    boss.send('admin/release')
    expect(await commonNews(boss, ann, bob)).toEqual([{ event: 'admin/release', id: boss.id, target: bob.id }])
  })

  it('[V2-22] are given by nobody who has not got them, to nobody who is not there, nor past a lock', async () => {
    await using planes = await Planes.open()
    const { boss, ann, bob } = await company(planes)
    bob.send('control/give', { id: bob.id })
    bob.send('control/release')
    ann.send('control/request')
    await commonNews(ann, boss, bob)
    ann.send('control/give', { id: 'nobody' })
    bob.send('control/give', { id: bob.id })
    bob.send('control/release')
    expect(await commonNews(ann, bob, boss)).toEqual([])
    boss.send('admin/lock', { resource: 'control' })
    // One policy for both protocols: the lock takes the controls from a user.
    expect(await commonNews(boss, ann, bob)).toEqual([
      { event: 'admin/release', id: boss.id, target: ann.id },
      { event: 'admin/lock', resource: 'control', id: boss.id },
    ])
    ann.send('control/request')
    ann.send('control/give', { id: bob.id })
    expect(await commonNews(ann, bob, boss)).toEqual([])
  })

  it('[V2-23] pass between V2 and V3 and back, each hearing it in its own words', async () => {
    await using planes = await Planes.open()
    const { boss, ann, vera } = await company(planes)
    vera.send('control/request')
    expect(await ann.hears('control/locked')).toEqual({ id: vera.id })
    ann.send('control/request')
    expect(await ann.hears('control/request')).toEqual({ id: vera.id })
    expect(await vera.hears('control/request')).toEqual({ id: ann.id })
    await vera.does(`/api/room/control/give/${encodeURIComponent(ann.id)}`)
    expect(await boss.hears('control/give')).toEqual({ id: vera.id, target: ann.id })
    ann.send('control/give', { id: vera.id })
    expect(await vera.hears('control/host', (host: { id: string }) => host.id === ann.id && 'host_id' in host)).toMatchObject({
      host_id: vera.id,
    })
    await vera.does('/api/room/control/release')
    expect(await boss.hears('control/release')).toEqual({ id: vera.id })
  })

  it('[V2-24] are left by whoever goes, before he goes', async () => {
    await using planes = await Planes.open()
    const { boss, ann, bob } = await company(planes)
    ann.send('control/request')
    await commonNews(ann, boss, bob)
    await ann.leave()
    await boss.hears('member/disconnected')
    await bob.hears('member/disconnected')
    expect(boss.socket.history.slice(-2)).toEqual([
      { event: 'control/release', id: ann.id },
      { event: 'member/disconnected', id: ann.id },
    ])
  })

  it('[V2-25] under implicit hosting need no asking for clipboard and keyboard, and change hands by asking', async () => {
    await using planes = await Planes.open({ env: { IMPLICIT_CONTROL: 'true' } })
    const { boss, ann, bob } = await company(planes)
    ann.send('control/clipboard', { text: 'copied' })
    ann.send('control/keyboard', { layout: 'de', capsLock: true, numLock: false, scrollLock: true })
    await ann.news()
    expect(planes.node.asked('clipboard.set')).toEqual([{ text: 'copied' }])
    expect(planes.node.asked('keyboard.map.set')).toEqual([{ layout: 'de', variant: '' }])
    expect(planes.node.asked('keyboard.modifiers.set')).toEqual([{ modifiers: { capslock: true, numlock: false } }])
    ann.send('control/request')
    await commonNews(ann, bob, boss)
    bob.send('control/request')
    expect(await commonNews(bob, ann, boss)).toEqual([{ event: 'control/locked', id: bob.id }])
    boss.send('admin/lock', { resource: 'control' })
    await commonNews(boss, ann, bob)
    ann.send('control/clipboard', { text: 'no more' })
    await ann.news()
    expect(planes.node.asked('clipboard.set')).toHaveLength(1)
  })

  it('[V2-26] without implicit hosting, clipboard and keyboard are the host’s alone; he alone hears of the desktop’s', async () => {
    await using planes = await Planes.open()
    const { ann, bob } = await company(planes)
    ann.send('control/request')
    await bob.hears('control/locked')
    bob.send('control/clipboard', { text: 'no' })
    bob.send('control/keyboard', { layout: 'de' })
    await bob.news()
    expect(planes.node.asked('clipboard.set')).toEqual([])
    expect(planes.node.asked('keyboard.map.set')).toEqual([])
    await planes.node.signal({ is: 'clipboard', text: 'copied there' })
    expect(await ann.news()).toContainEqual({ event: 'control/clipboard', text: 'copied there' })
    expect(await bob.news()).toEqual([])
  })
})

describe('V2’s admins', () => {
  it('[V2-30] lock and unlock each resource once, named in both protocols', async () => {
    await using planes = await Planes.open({ env: { FILE_TRANSFER_ENABLED: 'true' } })
    const { boss, ann, bob, vera } = await company(planes)
    for (const resource of ['login', 'control', 'file_transfer']) {
      boss.send('admin/lock', { resource })
      boss.send('admin/lock', { resource })
      expect(await commonNews(boss, ann, bob)).toEqual([{ event: 'admin/lock', resource, id: boss.id }])
    }
    const settings = await vera.hears('system/settings', ({ plugins }: { plugins: object | null }) => plugins !== null)
    expect(settings).toMatchObject({ id: boss.id, locked_logins: true, locked_controls: true, plugins: { 'filetransfer.enabled': false } })
    const { locked } = (await (await fetch(`${planes.url(1)}/stats?pwd=admin`)).json()) as { locked: object }
    expect(locked).toEqual({ login: boss.id, control: boss.id, file_transfer: boss.id })
    for (const resource of ['login', 'control', 'file_transfer']) {
      boss.send('admin/unlock', { resource })
      boss.send('admin/unlock', { resource })
      const unlocked = (await commonNews(boss, ann, bob)).filter(({ event }) => event !== 'filetransfer/list')
      expect(unlocked).toEqual([{ event: 'admin/unlock', resource, id: boss.id }])
    }
  })

  it('[V2-31] mute and unmute users by name, once; who comes later just sees it', async () => {
    await using planes = await Planes.open()
    const { boss, ann, bob } = await company(planes)
    boss.send('admin/mute', { id: ann.id })
    boss.send('admin/mute', { id: ann.id })
    expect(await commonNews(boss, ann, bob)).toEqual([{ event: 'admin/mute', id: boss.id, target: ann.id }])
    ann.send('chat/message', { content: 'not heard' })
    ann.send('chat/emote', { emote: 'clap' })
    expect(await commonNews(ann, boss, bob)).toEqual([])
    const late = await V2Person.enter(planes, 'late')
    const list = late.socket.history.find(({ event }) => event === 'member/list')
    expect(list?.['members']).toContainEqual({ id: ann.id, displayname: 'ann', admin: false, muted: true })
    expect(late.socket.history.some(({ event }) => event === 'admin/mute')).toBe(false)
    await Promise.all([boss, ann, bob].map((person) => person.news()))
    boss.send('admin/unmute', { id: ann.id })
    expect(await commonNews(boss, ann, bob, late)).toEqual([{ event: 'admin/unmute', id: boss.id, target: ann.id }])
  })

  it('[V2-32] kick in words for everybody: who is kicked comes in again, with what he was', async () => {
    await using planes = await Planes.open()
    const { boss, ann, bob } = await company(planes)
    boss.send('admin/kick', { id: ann.id })
    expect(await ann.hears('system/disconnect')).toEqual({ title: '', message: 'kicked' })
    expect(await commonNews(boss, bob)).toEqual([
      { event: 'admin/kick', id: boss.id, target: ann.id },
      { event: 'member/disconnected', id: ann.id },
    ])
    await V2Person.enter(planes, 'ann')
  })

  it.each(['a/b', '100%', 'x?y#z', '..', '%2F', '<b>', 'ü 😀'])('[V2-36] do all of it to members of any name: %s', async (name) => {
    await using planes = await Planes.open()
    const boss = await V2Person.enter(planes, 'boss', { password: 'admin' })
    const odd = await V2Person.enter(planes, name, { plane: 1 })
    const { id } = odd
    boss.send('admin/give', { id })
    expect(await odd.hears('control/give')).toEqual({ id: boss.id, target: id })
    boss.send('admin/mute', { id })
    expect(await odd.hears('admin/mute')).toEqual({ id: boss.id, target: id })
    boss.send('admin/kick', { id })
    expect(await odd.hears('system/disconnect')).toEqual({ title: '', message: 'kicked' })
    expect(await boss.hears('member/disconnected')).toEqual({ id })
  })

  it('[V2-33] ban an address, also that of a V3 client, until the ban is lifted', async () => {
    await using planes = await Planes.open({ env: { SESSION_API_TOKEN: 'machine' } })
    const { boss, bob, vera } = await company(planes)
    boss.send('admin/ban', { id: vera.id })
    expect(await vera.hears('system/disconnect')).toEqual({ message: 'banned' })
    expect(await commonNews(boss, bob)).toContainEqual({ event: 'admin/ban', id: boss.id, target: vera.id })
    await expect(planes.enter('vera')).rejects.toThrow('403')
    expect((await fetch(`${planes.url(1)}/stats?pwd=admin`)).status).toBe(403)
    const asMachine = { headers: { authorization: 'Bearer machine' } }
    expect(await (await fetch(`${planes.url(1)}/api/bans`, asMachine)).json()).toEqual([
      { ip: '127.0.0.1', banned_by: boss.id, name: 'boss', since: expect.stringMatching(/Z$/) },
    ])
    const lift = () => fetch(`${planes.url(1)}/api/bans/127.0.0.1`, { ...asMachine, method: 'DELETE' })
    expect([(await lift()).status, (await lift()).status]).toEqual([204, 404])
    await planes.enter('vera', { plane: 1 })
  })

  it('[V3-1456] a ban over HTTP is the same ban; nobody bans an administrator, nor somebody who is not there', async () => {
    await using planes = await Planes.open({ env: { SESSION_API_TOKEN: 'machine' } })
    const { boss, bob, vera } = await company(planes)
    const ban = async (id: string) => {
      const headers = { authorization: 'Bearer machine', 'content-type': 'application/json' }
      return (await fetch(`${planes.url(1)}/api/bans`, { method: 'POST', headers, body: JSON.stringify({ id }) })).status
    }
    expect([await ban(boss.id), await ban('nobody')]).toEqual([403, 404])
    expect(await ban(vera.id)).toBe(204)
    expect(await vera.hears('system/disconnect')).toEqual({ message: 'banned' })
    expect(await commonNews(boss, bob)).toContainEqual({ event: 'admin/ban', id: expect.any(String), target: vera.id })
    await expect(planes.enter('vera')).rejects.toThrow('403')
  })

  it('[V2-34] do nothing to admins nor to themselves, and users nothing at all', async () => {
    await using planes = await Planes.open()
    const { boss, ann, bob } = await company(planes)
    const second = await V2Person.enter(planes, 'second', { password: 'admin' })
    await Promise.all([boss, ann, bob, second].map((person) => person.news()))
    for (const id of [second.id, boss.id, 'nobody', '']) {
      for (const event of ['admin/kick', 'admin/ban', 'admin/mute']) {
        boss.send(event, { id })
      }
    }
    for (const event of ['admin/kick', 'admin/ban', 'admin/mute', 'admin/unmute', 'admin/give', 'control/give']) {
      ann.send(event, { id: bob.id })
    }
    for (const event of ['admin/lock', 'admin/unlock']) {
      ann.send(event, { resource: 'control' })
    }
    for (const event of ['admin/control', 'admin/release', 'screen/configurations', 'broadcast/destroy']) {
      ann.send(event)
    }
    ann.send('screen/set', { width: 800, height: 600, rate: 60 })
    ann.send('broadcast/create', { url: 'rtmp://host/x' })
    expect(await commonNews(ann, boss, bob, second)).toEqual([])
    expect(planes.node.calls.filter(({ name }) => /^(screen|broadcast)\./.test(name))).toEqual([])
    expect(await (await fetch(`${planes.url(0)}/stats?pwd=admin`)).json()).toMatchObject({ banned: {}, locked: {} })
  })

  it('[V2-35] change the size of the screen, and see and start the broadcast', async () => {
    await using planes = await Planes.open()
    const { boss, ann, bob } = await company(planes)
    boss.send('screen/configurations')
    expect(await boss.hears('screen/configurations')).toEqual({ configurations: { 0: { width: 1280, height: 720, rates: { 0: 30 } } } })
    boss.send('screen/set', { width: 800, height: 600, rate: 60 })
    await boss.news()
    expect(planes.node.asked('screen.set')).toEqual([{ actor: boss.id, size: { width: 800, height: 600, rate: 60 } }])
    await planes.node.tell('screen', { screen: { width: 800, height: 600, rate: 60 } }, boss.id)
    expect(await commonNews(boss, ann, bob)).toEqual([{ event: 'screen/resolution', id: boss.id, width: 800, height: 600, rate: 60 }])

    const title = 'Error while starting broadcast'
    boss.send('broadcast/create', { url: '' })
    expect(await boss.hears('system/error')).toEqual({ title, message: 'missing broadcast URL' })
    boss.send('broadcast/destroy')
    expect(await boss.hears('system/error')).toEqual({ title: 'Error while stopping broadcast', message: 'server is not broadcasting' })
    planes.node.answers['broadcast.start'] = () => {
      throw new NekoError('unprocessable', 'the RTMP server does not answer')
    }
    boss.send('broadcast/create', { url: 'rtmp://host/x' })
    expect(await boss.hears('system/error')).toEqual({ title, message: 'the RTMP server does not answer' })
    await planes.node.tell('broadcast', { broadcast: { is_active: true, url: 'rtmp://host/x' } })
    expect(await boss.news()).toContainEqual({ event: 'broadcast/status', url: 'rtmp://host/x', isActive: true })
    boss.send('broadcast/create', { url: 'rtmp://host/y' })
    expect(await boss.hears('system/error')).toEqual({ title, message: 'server is already broadcasting' })
    expect(await ann.news()).toEqual([])
  })
})

describe('a V2 room', () => {
  it('[V2-40] chats and waves with V3', async () => {
    await using planes = await Planes.open()
    const { boss, ann, bob, vera } = await company(planes)
    ann.send('chat/message', { content: 'hello' })
    expect(await commonNews(ann, boss, bob)).toEqual([{ event: 'chat/message', id: ann.id, content: 'hello' }])
    expect(await vera.hears('chat/message')).toMatchObject({ id: ann.id, content: { text: 'hello' } })
    vera.send('chat/message', { text: 'hi' })
    expect(await ann.hears('chat/message')).toEqual({ id: vera.id, content: 'hi' })
    ann.send('chat/emote', { emote: 'clap' })
    expect(await ann.hears('chat/emote')).toEqual({ id: ann.id, emote: 'clap' })
    expect(await vera.hears('send/broadcast', ({ sender }: { sender: string }) => sender === ann.id)).toEqual({
      sender: ann.id,
      subject: 'emote',
      body: 'clap',
    })
    vera.send('send/broadcast', { subject: 'emote', body: { not: 'a string' } })
    vera.send('send/broadcast', { subject: 'emote', body: 'wave' })
    expect(await ann.hears('chat/emote')).toEqual({ id: vera.id, emote: 'wave' })
  })

  it('[V2-41] hears of a V3 client each time it comes, and of a new name', async () => {
    await using planes = await Planes.open()
    const { boss, ann, vera } = await company(planes)
    await vera.socket.close()
    expect(await ann.hears('member/disconnected')).toEqual({ id: vera.id })
    await vera.connect(1)
    expect(await ann.hears('member/connected')).toMatchObject({ id: vera.id, displayname: 'vera' })
    await vera.does('/api/profile', { body: { name: 'Vera II' } })
    expect(await boss.hears('member/connected', ({ displayname }) => displayname === 'Vera II')).toMatchObject({ id: vera.id })
  })

  it('[V2-42] shows the files to who may use them: admins always, others while they are not locked', async () => {
    await using planes = await Planes.open({ env: { FILE_TRANSFER_ENABLED: 'true', FILE_TRANSFER_PATH: '/files' } })
    const { boss, ann, bob } = await company(planes)
    const list = {
      event: 'filetransfer/list',
      cwd: '/files',
      files: [{ name: 'a.txt', type: 'file', size: 3 }],
      user_download: true,
      user_upload: true,
      user_delete: false,
    }
    await planes.node.tell('files', { files: [{ name: 'a.txt', type: 'file', size: 3 }] })
    expect(await commonNews(boss, ann, bob)).toEqual([list])
    boss.send('admin/lock', { resource: 'file_transfer' })
    await commonNews(boss, ann, bob)
    await planes.node.tell('files', { files: [] })
    expect(await boss.hears('filetransfer/list')).toMatchObject({ files: [] })
    ann.send('filetransfer/refresh')
    expect(await ann.news()).toEqual([])
    boss.send('admin/unlock', { resource: 'file_transfer' })
    expect(await ann.hears('filetransfer/list')).toMatchObject({ files: [] })
    expect(await bob.hears('filetransfer/list')).toMatchObject({ files: [] })
  })

  it('[V2-43] tells users that have no right to files, or to the controls, that there are none', async () => {
    await using planes = await Planes.open({ env: { FILETRANSFER_ENABLED: 'true', MEMBER_MULTIUSER_USER_PROFILE: '{"can_host":false}' } })
    const { boss, ann } = await company(planes)
    expect(boss.socket.history[1]).toMatchObject({ file_transfer: true, locks: {} })
    expect(ann.socket.history[1]).toMatchObject({ file_transfer: false, locks: { control: '' } })
    expect(ann.socket.history.some(({ event }) => event === 'filetransfer/list')).toBe(false)
  })

  it('[V2-44] follows what V3 knows and V2 does not: private mode, and the right to the controls', async () => {
    await using planes = await Planes.open()
    const { boss, ann, bob } = await company(planes)
    const admin = await planes.admin('root')
    await Promise.all([boss, ann, bob].map((person) => person.news()))
    await admin.does('/api/room/settings', { body: { private_mode: true } })
    expect(await ann.hears('system/error')).toMatchObject({ title: 'Private mode' })
    expect(await boss.news()).toEqual([])
    await admin.does('/api/room/settings', { body: { private_mode: false } })
    await admin.does(`/api/members/${encodeURIComponent(ann.id)}`, { body: { can_host: false } })
    expect(await ann.hears('admin/lock')).toEqual({ resource: 'control', id: admin.id })
    await admin.does(`/api/members/${encodeURIComponent(ann.id)}`, { body: { can_host: true } })
    expect(await ann.hears('admin/unlock')).toEqual({ resource: 'control', id: admin.id })
    expect((await bob.news()).filter(({ event }) => event.startsWith('admin/'))).toEqual([])
  })

  it('[V2-45] opens links for the host alone', async () => {
    await using planes = await Planes.open({ env: { OPENINAPP_ENABLED: 'true' } })
    const { ann, bob } = await company(planes)
    expect(ann.socket.history).toContainEqual({ event: 'openinapp/init', enabled: true })
    ann.send('control/request')
    await bob.hears('control/locked')
    bob.send('openinapp/openlink', { text: 'https://no.example' })
    await bob.news()
    ann.send('openinapp/openlink', { text: 'https://yes.example' })
    await ann.news()
    expect(planes.node.asked('link.open')).toEqual([{ url: 'https://yes.example' }])
  })

  it('[V2-46] answers a client’s own offer, and passes candidates both ways as JSON in JSON', async () => {
    await using planes = await Planes.open({ count: 1 })
    const ann = await V2Person.enter(planes, 'ann')
    ann.send('signal/offer', { sdp: 'microphone' })
    expect(await ann.hears('signal/answer')).toEqual({ sdp: 'answer' })
    const candidate = { candidate: 'candidate:1 1 udp 1 "quoted" 9 typ host', sdpMid: '', sdpMLineIndex: 0, usernameFragment: null }
    ann.send('signal/candidate', { data: JSON.stringify(candidate) })
    await ann.news()
    expect(planes.node.asked('peer.candidate')).toEqual([{ session: ann.id, peer: 'peer-1', candidate: candidate.candidate }])
    await planes.node.news(ann.id, 'peer-1', { is: 'candidate', candidate })
    expect(JSON.parse(String((await ann.hears('signal/candidate'))['data']))).toEqual(candidate)
  })
})
