import { type RoomId, silentLog } from '@neko-edge/kit'
import { baseProfile } from '@neko-edge/protocol'
import { connect, connectSession, createSession, disconnectSession, Room } from '@neko-edge/store'
import { FakeClock, TempRedis } from '@neko-edge/testing'
import { describe, expect, it } from 'vitest'
import { RoomTimeouts } from '../../src/node/room-timeouts.ts'

describe('time-outs of a room', () => {
  it('[FLEET-1650] end it when it stands empty or nothing happens, each told once before', async () => {
    await using owned = new AsyncDisposableStack()
    const redis = owned.use(await TempRedis.open())
    const connection = owned.use(await connect({ url: redis.url, log: silentLog }))
    const room = owned.use(await Room.open('one' as RoomId, { connection, log: silentLog, defaults: { settings, locks: [] } }))
    const clock = new FakeClock()
    const said: string[] = []
    const fleet = {
      end: async (_: string, reason: string) => {
        said.push(reason)
        return 'gone' as const
      },
      warn: async (_: string, { timeout, endsAt }: { timeout: string; endsAt: number }) =>
        void said.push(`${timeout} in ${endsAt - clock.now()}`),
    }
    const limits = { emptyMs: 60_000, inactiveMs: 0, absoluteMs: 0, warningMs: 10_000 }
    let timeouts = limits
    using looked = new RoomTimeouts({ room, fleet, timeouts: () => timeouts, clock, log: silentLog })
    clock.advance(49_000)
    expect(said).toEqual([])
    clock.advance(2_000)
    expect(said).toEqual(['empty in 10000'])
    await room.run(createSession, ['ann', JSON.stringify(baseProfile({ granted: true, name: 'ann' })), 'hash', '127.0.0.1'])
    await room.run(connectSession, ['ann', 'process.ann', '127.0.0.1', 'v3'])
    clock.advance(300_000)
    expect(said).toEqual(['empty in 10000'])
    timeouts = { ...limits, inactiveMs: 400_000 }
    looked.noteActivity()
    clock.advance(399_000)
    expect(said.slice(1)).toEqual(['inactive in 10000'])
    looked.noteActivity()
    clock.advance(2_000)
    expect(said.slice(2)).toEqual([])
    clock.advance(398_000)
    expect(said.slice(2)).toEqual(['inactive in 10000', 'inactive timeout'])
    timeouts = limits
    said.length = 0
    await room.run(disconnectSession, ['ann', '', ''])
    clock.advance(60_000)
    expect(said).toEqual(['empty in 10000', 'empty timeout'])
  })
})

const settings = {
  ...{ private_mode: false, locked_logins: false, locked_controls: false, control_protection: false, implicit_hosting: false },
  ...{ inactive_cursors: false, merciful_reconnect: true, heartbeat_interval: 10, plugins: null },
}
