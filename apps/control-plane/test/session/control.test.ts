import { describe, expect, it } from 'vitest'
import { names, type Person } from './person.fixture.ts'
import { Planes } from './planes.fixture.ts'

/** Waits until the input that was sent before is at the node, and gives all that is. */
async function inputs(planes: Planes, person: Person): Promise<unknown[]> {
  await person.settled()
  return planes.node.asked('input').map(({ input }) => input)
}

const hosts = (id: string) => ({ event: 'control/host', payload: { id, has_host: true, host_id: id } })

describe('control over the socket', () => {
  it('[WS-20] gives the controls to the first input where nobody has them, and does what it says', async () => {
    await using planes = await Planes.open()
    const [ann, bob] = [await planes.enter('ann'), await planes.enter('bob', { plane: 1 })]
    await ann.news()
    ann.send('control/move', { x: 5, y: 6 })
    expect(await bob.hears('control/host')).toEqual(hosts(ann.id).payload)
    expect(await inputs(planes, ann)).toEqual([{ is: 'move', x: 5, y: 6 }])
    expect(planes.node.asked('input')[0]).toMatchObject({ session: ann.id, fence: planes.node.room.view.fence })
    expect(await ann.news()).toEqual([hosts(ann.id)])
  })

  it('[WS-21] asks the host for every input of somebody else, and lets none of it through', async () => {
    await using planes = await Planes.open()
    const [ann, bob] = [await planes.enter('ann'), await planes.enter('bob', { plane: 1 })]
    ann.send('control/request')
    await bob.hears('control/host')
    await ann.news()
    bob.send('control/move', { x: 1, y: 1 })
    bob.send('control/keydown', { keysym: 97 })
    bob.send('control/request')
    await bob.settled()
    expect(await ann.news()).toEqual(Array.from({ length: 3 }, () => ({ event: 'control/request', payload: { id: bob.id } })))
    expect(await bob.news()).toEqual([])
    expect(await inputs(planes, bob)).toEqual([])
  })

  it('[WS-22] keeps users out of locked controls, also under implicit hosting, where an admin takes over', async () => {
    await using planes = await Planes.open({ env: { SESSION_IMPLICIT_HOSTING: 'true', SESSION_LOCKED_CONTROLS: 'true' } })
    const [ann, boss, chief] = [await planes.enter('ann'), await planes.admin('boss', 1), await planes.admin('chief')]
    ann.send('control/move', { x: 1, y: 1 })
    ann.send('control/request')
    expect(await inputs(planes, ann)).toEqual([])
    boss.send('control/move', { x: 2, y: 2 })
    await ann.hears('control/host')
    chief.send('control/buttondown', { code: 1 })
    expect(await ann.hears('control/host')).toEqual(hosts(chief.id).payload)
    expect(await inputs(planes, chief)).toEqual([
      { is: 'move', x: 2, y: 2 },
      { is: 'button', code: 1, down: true },
    ])
  })

  it('[WS-23] shuts users out in private mode, and takes the controls from one who has them', async () => {
    await using planes = await Planes.open()
    const [ann, boss] = [await planes.enter('ann'), await planes.admin('boss', 1)]
    ann.send('control/request')
    await ann.hears('control/host')
    await ann.news()
    await boss.does('/api/room/settings', { body: { private_mode: true } })
    expect((await ann.news()).slice(0, 2)).toMatchObject([
      { event: 'control/host', payload: { id: boss.id, has_host: false } },
      { event: 'system/settings', payload: { id: boss.id, private_mode: true } },
    ])
    ann.send('control/request')
    ann.send('control/move', { x: 1, y: 1 })
    expect(await inputs(planes, ann)).toEqual([])
    expect(await ann.news()).toEqual([])
    boss.send('control/request')
    await boss.hears('control/host', ({ has_host }: { has_host: boolean }) => has_host)
    await boss.does('/api/room/settings', { body: { private_mode: false } })
    expect(planes.node.room.view.host).toBe(boss.id)
  })

  it('[WS-24] takes whole numbers only; a place of which one half is missing has 0 there', async () => {
    await using planes = await Planes.open({ count: 1 })
    const ann = await planes.enter('ann')
    ann.send('control/move', { x: 1.5, y: 2 })
    ann.send('control/touchbegin', { touch_id: 1 })
    ann.send('control/touchbegin', { touch_id: 7, x: -1, y: 50, pressure: 255 })
    ann.send('control/move', { x: 5 })
    ann.send('control/buttonpress', { code: 1, y: 9 })
    ann.send('control/keypress', { keysym: 0xff0d })
    ann.send('control/scroll', { delta_x: 0, delta_y: -3, control_key: true })
    ann.send('control/scroll', { x: 2, y: 1 })
    expect(await inputs(planes, ann)).toEqual([
      { is: 'touch', phase: 'begin', id: 7, x: -1, y: 50, pressure: 255 },
      { is: 'move', x: 5, y: 0 },
      { is: 'press-button', code: 1, at: { x: 0, y: 9 } },
      { is: 'press-keys', keysyms: [0xff0d] },
      { is: 'scroll', deltaX: 0, deltaY: -3, control: true },
      { is: 'scroll', deltaX: 2, deltaY: 1, control: false },
    ])
  })

  it('[WS-25] pastes: with a text only where it may be put on the clipboard; without a payload not at all', async () => {
    await using planes = await Planes.open()
    const [ann, boss] = [await planes.enter('ann'), await planes.admin('boss')]
    const paste = { is: 'press-keys', keysyms: [0xffe3, 'v'.charCodeAt(0)] }
    ann.send('control/request')
    ann.send('control/paste')
    expect(await inputs(planes, ann)).toEqual([])
    ann.send('control/paste', null)
    ann.send('control/paste', { text: 'hello' })
    expect(await inputs(planes, ann)).toEqual([paste, paste])
    expect(planes.node.asked('clipboard.set')).toEqual([{ text: 'hello' }])
    await boss.does(`/api/members/${ann.id}`, { body: { can_access_clipboard: false } })
    ann.send('control/paste', { text: 'secret' })
    ann.send('clipboard/set', { text: 'secret' })
    ann.send('control/cut')
    expect((await inputs(planes, ann)).slice(2)).toEqual([{ is: 'press-keys', keysyms: [0xffe3, 'x'.charCodeAt(0)] }])
    expect(planes.node.asked('clipboard.set')).toHaveLength(1)
  })

  it('[WS-26] lets only the host set keyboard and clipboard, and only admins the screen', async () => {
    await using planes = await Planes.open()
    const [ann, bob, boss] = [await planes.enter('ann'), await planes.enter('bob', { plane: 1 }), await planes.admin('boss')]
    ann.send('control/request')
    await bob.hears('control/host')
    for (const person of [bob, ann]) {
      person.send('keyboard/map', { layout: person.id, variant: '' })
      person.send('keyboard/modifiers', { capslock: true, numlock: null })
      person.send('clipboard/set', { text: person.id })
      person.send('screen/set', { width: 800, height: 600, rate: 30 })
      await person.settled()
    }
    expect(planes.node.asked('keyboard.map.set')).toEqual([{ layout: ann.id, variant: '' }])
    expect(planes.node.asked('keyboard.modifiers.set')).toEqual([{ modifiers: { capslock: true } }])
    expect(planes.node.asked('clipboard.set')).toEqual([{ text: ann.id }])
    boss.send('screen/set', { width: 800, height: 600, rate: 30 })
    await boss.settled()
    expect(planes.node.asked('screen.set')).toEqual([{ actor: boss.id, size: { width: 800, height: 600, rate: 30 } }])
  })

  it('[WS-27] is released by the host only', async () => {
    await using planes = await Planes.open()
    const [ann, bob] = [await planes.enter('ann'), await planes.enter('bob', { plane: 1 })]
    ann.send('control/request')
    await bob.hears('control/host')
    await ann.news()
    bob.send('control/release')
    await bob.settled()
    expect(await ann.news()).toEqual([])
    ann.send('control/release')
    expect(await bob.hears('control/host')).toEqual({ id: ann.id, has_host: false })
  })

  it('[WS-28] turns protection on with nobody to protect: locked at once, and a user loses the controls', async () => {
    await using planes = await Planes.open({ env: { SESSION_API_TOKEN: 'machine-token-1234' } })
    const ann = await planes.enter('ann')
    ann.send('control/request')
    await ann.hears('control/host')
    await ann.news()
    const response = await fetch(`${planes.url(1)}/api/room/settings?token=machine-token-1234`, {
      method: 'POST',
      body: '{"control_protection":true}',
    })
    expect(response.status).toBe(204)
    const news = await ann.news()
    expect(names(news)).toEqual(['control/host', 'system/settings'])
    expect(news[1]?.['payload']).toMatchObject({ id: 'API', control_protection: true, locked_controls: true })
  })

  it('[WS-29] takes the controls with the right to have them, and gives them with `give` also to somebody who is away', async () => {
    await using planes = await Planes.open()
    const [ann, boss, away] = [await planes.enter('ann'), await planes.admin('boss', 1), await planes.login('away')]
    ann.send('control/request')
    await ann.hears('control/host')
    await boss.does(`/api/members/${ann.id}`, { body: { can_host: false } })
    expect(await ann.hears('control/host')).toEqual({ id: ann.id, has_host: false })
    await ann.news()
    ann.send('control/request')
    expect(await ann.news()).toEqual([])
    await boss.does(`/api/room/control/give/${away.id}`)
    expect(await ann.hears('control/host')).toEqual({ id: boss.id, has_host: true, host_id: away.id })
    await boss.does('/api/room/control/take')
    expect(await ann.hears('control/host')).toEqual(hosts(boss.id).payload)
  })
})
