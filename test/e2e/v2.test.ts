import { NekoError, until } from '@neko-edge/kit'
import { decodeVp8, type SocketMessage, v2Input } from '@neko-edge/testing'
import { V2Viewer, V3Viewer } from '@neko-edge/testing/viewer'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { DeskPage, target, textField } from './desk-page.ts'
import { Fleet } from './fleet.ts'

const memberIn = (message: SocketMessage | undefined, name: string) =>
  (message?.['members'] as { id: string; displayname: string; connected?: boolean }[] | undefined)?.find(
    ({ displayname }) => displayname === name,
  )

describe('V2 and V3 in one room, through two control planes', () => {
  let desk: DeskPage
  let fleet: Fleet
  let boss: V2Viewer
  let bossId: string
  let bob: V2Viewer
  let bobId: string
  let vera: V3Viewer

  /** A V2 viewer who sees the room; an old one says his name only in his answer. */
  async function enter(name: string, { password = 'neko', plane = 0, isOld = false } = {}): Promise<{ viewer: V2Viewer; id: string }> {
    const url = fleet.urls[plane] ?? ''
    const viewer = await V2Viewer.open({ url, password, displayname: name, ...(!isOld && { username: name }) })
    const id = String((await viewer.watch())['id'])
    await viewer.event('member/connected', { where: (message) => message['id'] === id })
    return { viewer, id }
  }

  const encoders = async () => {
    const lines = (await fleet.nodeCommands()).filter((line) => line.includes('ximagesrc') && line.includes('vp8enc'))
    return {
      cursor: lines.some((line) => line.includes('show-pointer=true')),
      plain: lines.some((line) => line.includes('show-pointer=false')),
    }
  }
  const waitForEncoders = (cursor: boolean, plain: boolean) =>
    until(
      async () => {
        const running = await encoders()
        return running.cursor === cursor && running.plain === plain
      },
      { ms: 20_000, what: `cursor picture ${cursor}, plain picture ${plain}` },
    )

  beforeAll(async () => {
    desk = await DeskPage.open()
    fleet = await Fleet.open({ appUrl: desk.url })
    await desk.place(0, 0)
  })

  afterAll(async () => {
    await Promise.all([boss, bob, vera].map((viewer) => viewer?.close()))
    await fleet?.[Symbol.asyncDispose]()
    await desk?.[Symbol.asyncDispose]()
  })

  it('[V2-90] greets in the order that the client needs, with picture, sound and a channel that the client opens', async () => {
    ;({ viewer: boss, id: bossId } = await enter('boss', { password: 'admin' }))
    ;({ viewer: bob, id: bobId } = await enter('bob', { plane: 1, isOld: true }))
    const events = (viewer: V2Viewer) => viewer.socket.history.map(({ event }) => event).filter((event) => event !== 'signal/candidate')
    const upToOwn = (viewer: V2Viewer) => events(viewer).slice(0, events(viewer).indexOf('member/connected') + 1)
    expect(upToOwn(boss)).toEqual([
      'signal/provide',
      'system/init',
      'screen/configurations',
      'broadcast/status',
      'member/list',
      'screen/resolution',
      'member/connected',
    ])
    expect(upToOwn(bob)).toEqual(['signal/provide', 'system/init', 'member/list', 'screen/resolution', 'member/connected'])
    await boss.event('member/connected', { where: ({ id }) => id === bobId })
    for (const viewer of [boss, bob]) {
      await until(() => viewer.peer.video.packets > 20 && viewer.peer.audio.packets > 20, { ms: 10_000, what: 'picture and sound' })
      await viewer.peer.channelOpen()
    }
  })

  it('[V2-91] encodes the picture with the pointer for V2 alone, that without it for V3 alone, and neither for nobody', async () => {
    await waitForEncoders(true, false)
    vera = await V3Viewer.open({ url: fleet.urls[1] ?? '', username: 'vera', password: 'neko' })
    await vera.watch()
    await waitForEncoders(true, true)
    await Promise.all([boss.close(), bob.close()])
    await waitForEncoders(false, true)
    await vera.close()
    await waitForEncoders(false, false)
  })

  it('[V2-92] moves the pointer by V2’s channel, and shows it where it is to V2 and not to V3', async () => {
    ;({ viewer: boss, id: bossId } = await enter('boss', { password: 'admin' }))
    ;({ viewer: bob, id: bobId } = await enter('bob', { plane: 1, isOld: true }))
    vera = await V3Viewer.open({ url: fleet.urls[1] ?? '', username: 'vera', password: 'neko' })
    await Promise.all([vera.watch(), bob.peer.channelOpen()])
    bob.send('control/request')
    await boss.event('control/locked', { where: ({ id }) => id === bobId })
    const place = await desk.place(300, 400)
    bob.peer.send(v2Input.move(place.x, place.y))
    const size = 32
    const around = { x: place.x - size / 2, y: place.y - size / 2, width: size, height: size }
    const aside = { ...around, x: around.x + 200 }
    const look = async () => {
      const pictures = await Promise.all([boss, vera].map(({ peer }) => peer.freshFrames({ ms: 10_000 }).then(decodeVp8)))
      const [withPointer, without] = pictures
      if (!withPointer || !without) {
        throw new NekoError('internal', 'no pictures')
      }
      return { withPointer, without }
    }
    // The frame that is on its way may be older than the move.
    await until(
      async () => {
        const { withPointer, without } = await look()
        return withPointer.differing(without, around) > 15 && withPointer.differing(without, aside) === 0
      },
      { ms: 15_000, what: 'the pointer, in one of the pictures, at its place' },
    )
    const { without } = await look()
    // Nothing but the page's grey is there in V3's picture.
    expect(without.at(place.x, place.y).every((value) => Math.abs(value - 128) < 20)).toBe(true)
  })

  it('[V2-93] brings clicks and keys of the host to the desktop; of nobody else, and nothing that is no message', async () => {
    desk.forget()
    await boss.peer.channelOpen()
    const click = await desk.place(target.x, target.y)
    boss.peer.send(v2Input.move(5, 5))
    boss.peer.send(v2Input.down(1))
    boss.peer.send(v2Input.up(1))
    for (const bytes of [[1], [1, 0], [3, 8, 0, 1, 0, 0], [9, 4, 0, 1, 1, 1, 1], [2, 0xff, 0xff], [5, 0, 0]]) {
      bob.peer.send(Uint8Array.from(bytes))
    }
    const text = await desk.place(textField.x, textField.y)
    for (const place of [click, text]) {
      bob.peer.send(v2Input.move(place.x, place.y))
      bob.peer.send(v2Input.down(1))
      bob.peer.send(v2Input.up(1))
      await desk.report('click', ({ x, y }) => Math.abs(x - place.x) < 3 && Math.abs(y - place.y) < 3)
    }
    for (const keysym of [...'Hallo'].map((letter) => letter.charCodeAt(0))) {
      bob.peer.send(v2Input.down(keysym))
      bob.peer.send(v2Input.up(keysym))
    }
    await desk.report('typed', ({ text: typed }) => typed.endsWith('Hallo'))
    expect(desk.reports.filter(({ is }) => is === 'click')).toHaveLength(2)
  })

  it('[V2-1000] turns the wheel, pastes and copies for the host, who alone is told what was copied', async () => {
    const control = 0xffe3
    const withControl = (letter: string) => {
      const keysym = letter.charCodeAt(0)
      for (const bytes of [v2Input.down(control), v2Input.down(keysym), v2Input.up(keysym), v2Input.up(control)]) {
        bob.peer.send(bytes)
      }
    }
    desk.forget()
    bob.peer.send(v2Input.scroll(0, -3))
    await desk.report('turned', ({ y }) => y > 0)
    bob.send('control/keyboard', { layout: 'de' })
    bob.send('control/clipboard', { text: 'aus München' })
    // What one client sends is done in its order: when this comes back the clipboard is set.
    bob.send('chat/message', { content: 'there it is' })
    await bob.event('chat/message')
    withControl('a')
    withControl('v')
    await desk.report('typed', ({ text }) => text === 'aus München')
    const exclamationMark = '!'.charCodeAt(0)
    bob.peer.send(v2Input.down(exclamationMark))
    bob.peer.send(v2Input.up(exclamationMark))
    await desk.report('typed', ({ text }) => text === 'aus München!')
    withControl('a')
    withControl('c')
    await bob.event('control/clipboard', { where: ({ text }) => text === 'aus München!' })
    expect(boss.socket.history.some(({ event }) => event === 'control/clipboard')).toBe(false)
  })

  it('[V2-94] hands the controls from V2 to V3 and back, each at the mouse in turn', async () => {
    vera.send('control/request')
    expect(await vera.event('control/host', { where: (payload) => (payload as { host_id?: string }).host_id === bobId })).toBeDefined()
    await bob.event('control/requesting', { where: ({ id }) => id === vera.session.id })
    bob.send('control/give', { id: vera.session.id })
    await boss.event('control/give', { where: ({ target: to }) => to === vera.session.id })
    boss.send('admin/control')
    await bob.event('admin/control', { where: ({ id, target: from }) => id === bossId && from === vera.session.id })
    boss.send('control/release')
    await bob.event('control/release', { where: ({ id }) => id === bossId })
  })

  it('[V2-95] changes the size of the screen for V2 and V3, in the picture too', async () => {
    boss.send('screen/set', { width: 1024, height: 768, rate: 60 })
    const changed = await bob.event('screen/resolution', { where: ({ id }) => id === bossId })
    expect(changed).toMatchObject({ width: 1024, height: 768 })
    const picture = await decodeVp8(await bob.peer.freshFrames({ ms: 10_000 }))
    expect([picture.width, picture.height]).toEqual([1024, 768])
    await vera.event('screen/updated', { where: (payload) => (payload as { width: number }).width === 1024 })
  })

  it('[V2-96] names the owner of a lock after his page was loaded again, and after his control plane was killed', async () => {
    boss.send('admin/lock', { resource: 'control' })
    await bob.event('admin/lock', { where: ({ id }) => id === bossId })
    await boss.close()
    await bob.event('member/disconnected', { where: ({ id }) => id === bossId })
    ;({ viewer: boss, id: bossId } = await enter('boss', { password: 'admin' }))
    expect(boss.socket.history.find(({ event }) => event === 'system/init')).toMatchObject({ locks: { control: bossId } })

    await fleet.killControlPlane(0)
    // Whoever was at the other control plane hears that he is gone, and goes on.
    await bob.event('member/disconnected', { ms: 25_000, where: ({ id }) => id === bossId })
    const packets = bob.peer.video.packets
    await until(() => bob.peer.video.packets > packets + 20, { ms: 5_000, what: 'a picture that goes on' })
    const { viewer: late } = await enter('late', { plane: 1 })
    const locks = late.socket.history.find(({ event }) => event === 'system/init')?.['locks'] as { control?: string }
    const owner = memberIn(
      late.socket.history.find(({ event }) => event === 'member/list'),
      'boss',
    )
    expect(owner).toMatchObject({ id: locks.control, connected: false })
    await late.close()
    const again = await enter('boss', { password: 'admin', plane: 1, isOld: true })
    expect(again.viewer.socket.history.find(({ event }) => event === 'system/init')).toMatchObject({ locks: { control: again.id } })
    await again.viewer.close()
  })
})
