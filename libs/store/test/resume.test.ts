import { until } from '@neko-edge/kit'
import { describe, expect, it } from 'vitest'
import { changeSettings, claimRoom, findToken, renewRoom, requestControl, takeControl } from '../src/index.ts'
import { admin, enter, facts, user, World } from './world.ts'

/** Resolves when every process has read the room anew. */
function resumed(world: World): Promise<unknown> {
  return Promise.all(world.rooms.map((room) => new Promise<void>((resolve) => room.onResumed.add(resolve))))
}

describe('Redis goes away', () => {
  it('[RED-1] fails what needs it at once, and keeps what was known', async () => {
    await using world = await World.open()
    await enter(world.room(), user('ann'))
    await world.redis.kill()
    await until(() => !world.connections[0]?.isUp(), { ms: 5_000, what: 'the loss of Redis' })
    await expect(world.room().run(takeControl, ['ann'])).rejects.toMatchObject({ code: 'unavailable' })
    expect(world.room().view.session('ann')?.state.is_connected).toBe(true)
  })

  it('[RED-2] is found again with what it kept, and goes on', async () => {
    await using world = await World.open({ processes: 2 })
    await enter(world.room(0), user('ann'))
    await world.room(0).run(takeControl, ['ann'])
    const back = resumed(world)
    await world.redis.restart()
    await back
    expect(world.room(1).view.host).toBe('ann')
    expect(await world.room(1).run(findToken, ['token of ann'])).toBe('ann')
  })

  it('[RED-3] comes back empty, and gets its facts back: sessions, tokens, settings, locks, host, and a fence that still grows', async () => {
    await using world = await World.open({ processes: 2 })
    await enter(world.room(0), user('ann'))
    await enter(world.room(0), admin('boss'))
    const base = JSON.stringify(world.room(0).view.base)
    const open = JSON.stringify({ ...world.room(0).view.base, implicit_hosting: true })
    await world.room(0).run(changeSettings, ['boss', base, open, JSON.stringify({ login: true }), 'Boss', '1'])
    await world.room(0).run(claimRoom, ['node', 'run', 60_000, facts])
    await world.room(0).run(takeControl, ['ann'])
    const { fence, epoch } = world.room(0).view
    const back = resumed(world)
    await world.redis.restartEmpty()
    await back
    for (const room of world.rooms) {
      expect(room.view.host).toBe('ann')
      expect(room.view.session('boss')?.profile.is_admin).toBe(true)
      expect(room.view.settings).toMatchObject({ implicit_hosting: true, locked_logins: true })
      expect(room.view.locks.login).toMatchObject({ owner: 'boss', name: 'Boss' })
    }
    expect(await world.room(1).run(findToken, ['token of ann'])).toBe('ann')
    expect(await world.room(0).run(renewRoom, ['run', 60_000])).toBe('lost')
    await world.room(0).run(claimRoom, ['node', 'run', 60_000, facts])
    expect(world.room(0).view.epoch).toBeGreaterThan(epoch)
    await world.room(1).run(requestControl, ['boss', '1'])
    expect(world.room(1).view.fence).toBeGreaterThan(fence)
  })

  it('[RED-4] tells a process what it missed: the room as it is, in events', async () => {
    await using world = await World.open({ processes: 1 })
    await enter(world.room(0), user('ann'))
    const late = await world.join()
    const kinds: string[] = []
    late.onEvents.add((events) => kinds.push(...events.map(({ is }) => is)))
    // A script whose events never arrive: published where nobody listens.
    await world.connections[0]?.commands.hset('neko:{room:default}:room', 'host', 'ann', 'fence', '9', 'seq', String(late.view.seq + 5))
    await late.run(findToken, ['nobody'])
    expect(late.view.host).toBe('ann')
    expect(kinds).toEqual(['host'])
  })
})
