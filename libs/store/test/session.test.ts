import { describe, expect, it } from 'vitest'
import {
  changeProfile,
  changeSettings,
  connectSession,
  createSession,
  deleteSession,
  disconnectSession,
  findToken,
  type RoomEvent,
  takeControl,
} from '../src/index.ts'
import { admin, enter, openSettings, user, World } from './world.ts'

/** What a process hears while `act` runs, by kind and whom it is about. */
async function heard(world: World, act: () => Promise<unknown>, process = 0): Promise<string[]> {
  const events: RoomEvent[] = []
  const stop = world.room(process).onEvents.add((batch) => events.push(...batch))
  await act()
  stop()
  return events.map((event) => ('id' in event ? `${event.is} ${event.id}` : event.is === 'host' ? `host ${event.host}` : event.is))
}

describe('the life of a session', () => {
  it('[SES-1] tells every process of a login, a connection and an end, in one order', async () => {
    await using world = await World.open({ processes: 2 })
    const events: string[][] = [[], []]
    world.rooms.forEach((room, index) => room.onEvents.add((batch) => events[index]?.push(...batch.map(({ is }) => is))))
    await enter(world.room(0), user('ann'))
    await world.room(1).run(takeControl, ['ann'])
    await world.room(0).run(deleteSession, ['ann', 'session deleted', 'ann'])
    await world.room(1).run(findToken, ['nobody'])
    expect(events[0]).toEqual(['created', 'connected', 'state', 'host', 'host', 'state', 'deleted'])
    expect(events[1]).toEqual(events[0])
  })

  it('[SES-2] lets a script’s caller see what it did, and what others did before, at once', async () => {
    await using world = await World.open({ processes: 2 })
    await world.room(0).run(createSession, ['ann', JSON.stringify(user('ann')), 'hash', '127.0.0.1'])
    expect(world.room(0).view.session('ann')?.profile.name).toBe('ann')
    expect(await world.room(1).run(findToken, ['hash'])).toBe('ann')
    expect(world.room(1).view.session('ann')?.profile.name).toBe('ann')
  })

  it('[SES-3] refuses a login of a member who is connected, and replaces a session that is not', async () => {
    await using world = await World.open()
    const again = () => world.room().run(createSession, ['ann', JSON.stringify(user('ann')), 'second', '127.0.0.1'])
    await enter(world.room(), user('ann'))
    expect(await again()).toBe('connected')
    await world.room().run(disconnectSession, ['ann', '', ''])
    expect(await again()).toBe('created')
    expect(await world.room().run(findToken, ['token of ann'])).toBe('')
    expect(await world.room().run(findToken, ['second'])).toBe('ann')
  })

  it('[SES-4] lets the newest connection win: the end of an older one changes nothing', async () => {
    await using world = await World.open()
    await enter(world.room(), user('ann'))
    const first = world.room().view.session('ann')?.state.epoch ?? 0
    await world.room().run(connectSession, ['ann', 'process.two', '127.0.0.1', 'v3'])
    expect(await world.room().run(disconnectSession, ['ann', first, ''])).toBe('stale')
    expect(world.room().view.session('ann')?.state).toMatchObject({ is_connected: true, instance: 'process.two' })
    expect(world.room().view.connected()).toEqual({ users: 1, admins: 0 })
  })

  it('[SES-5] refuses a second connection where reconnecting is not merciful', async () => {
    await using world = await World.open({ settings: { ...openSettings, merciful_reconnect: false } })
    await enter(world.room(), user('ann'))
    expect(await world.room().run(connectSession, ['ann', 'process.two', '127.0.0.1', 'v3'])).toBe('already')
  })

  it('[SES-6] ends in the order that clients are told: control, state, session', async () => {
    await using world = await World.open()
    await enter(world.room(), user('ann'))
    await world.room().run(takeControl, ['ann'])
    const events = await heard(world, () => world.room().run(deleteSession, ['ann', 'session deleted', 'ann']))
    expect(events).toEqual(['host null', 'state ann', 'deleted ann'])
  })

  it('[SES-7] takes control and connection from a member whose profile allows them no more', async () => {
    await using world = await World.open()
    await enter(world.room(), user('ann'))
    await world.room().run(takeControl, ['ann'])
    const change = (patch: Partial<ReturnType<typeof user>>) => {
      const profile = world.room().view.session('ann')?.profile
      return world.room().run(changeProfile, ['ann', JSON.stringify(profile), JSON.stringify({ ...profile, ...patch }), 'boss'])
    }
    expect(await heard(world, () => change({ can_host: false }))).toEqual(['profile ann', 'host null'])
    expect(await heard(world, () => change({ can_login: false }))).toEqual(['profile ann', 'state ann'])
    expect(world.room().view.session('ann')?.state.is_connected).toBe(false)
  })

  it('[SES-8] changes a profile only from what it is: of two at once, one has to look again', async () => {
    await using world = await World.open({ processes: 2 })
    await enter(world.room(0), user('ann'))
    const from = JSON.stringify(user('ann'))
    const outcomes = await Promise.all(
      ['one', 'two'].map((name, index) => world.room(index).run(changeProfile, ['ann', from, JSON.stringify(user(name)), ''])),
    )
    expect(outcomes.toSorted()).toEqual(['changed', 'conflict'])
  })

  it('[SES-9] locks the controls when the last admin leaves a protected room, and frees them when one comes', async () => {
    await using world = await World.open({ settings: { ...openSettings, control_protection: true } })
    expect(world.room().view.settings.locked_controls).toBe(true)
    await enter(world.room(), user('ann'))
    await enter(world.room(), admin('boss'))
    expect(world.room().view.settings.locked_controls).toBe(false)
    await world.room().run(takeControl, ['ann'])
    const events = await heard(world, () => world.room().run(disconnectSession, ['boss', '', '']))
    expect(events).toEqual(['host null', 'settings', 'state boss'])
    expect(world.room().view.locks.control?.cause).toBe('protection')
  })

  it('[SES-10] keeps a lock that somebody set, with its owner, when admins come and go under protection', async () => {
    await using world = await World.open({ settings: { ...openSettings, control_protection: true } })
    await enter(world.room(), admin('boss'))
    const base = JSON.stringify(world.room().view.base)
    await world.room().run(changeSettings, ['boss', base, base, JSON.stringify({ control: true }), 'Boss', '1'])
    await world.room().run(disconnectSession, ['boss', '', ''])
    await enter(world.room(), admin('second'))
    expect(world.room().view.locks.control).toMatchObject({ cause: 'user', owner: 'boss', name: 'Boss', admin: true })
  })

  it('[SES-11] refuses users while logins are locked, admits admins', async () => {
    await using world = await World.open({ settings: { ...openSettings, locked_logins: true } })
    expect(await world.room().run(createSession, ['ann', JSON.stringify(user('ann')), 'a', '127.0.0.1'])).toBe('locked')
    expect(await world.room().run(createSession, ['boss', JSON.stringify(admin('boss')), 'b', '127.0.0.1'])).toBe('created')
  })

  it('[SES-12] says when the last of a kind left, until one is there again', async () => {
    await using world = await World.open({ processes: 2 })
    await enter(world.room(0), user('ann'))
    expect(world.room(0).view.lastLeftAt).toEqual({})
    await world.room(0).run(disconnectSession, ['ann', '', ''])
    expect(world.room(0).view.lastLeftAt.user).toBeGreaterThan(0)
    const third = await world.join()
    expect(third.view.lastLeftAt).toEqual(world.room(0).view.lastLeftAt)
    await world.room(0).run(connectSession, ['ann', 'process.ann', '127.0.0.1', 'v3'])
    expect(world.room(0).view.lastLeftAt).toEqual({})
  })
})
