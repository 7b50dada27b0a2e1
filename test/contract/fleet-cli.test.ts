import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { fleetToken, RoomWorld, StandInFleetNode } from '../../apps/control-plane/test/rooms/fleet.fixture.ts'

const main = fileURLToPath(new URL('../../apps/neko/src/main.ts', import.meta.url))

describe('neko fleet', () => {
  let world: RoomWorld

  beforeAll(async () => {
    world = await RoomWorld.open({ count: 1 })
  })
  afterAll(() => world?.[Symbol.asyncDispose]())

  /** Runs the command; its exit code, and what it printed. */
  const fleet = (args: string, { token = fleetToken, url = world.planes.url(0) } = {}): Promise<{ code: number; text: string }> =>
    new Promise((resolve) => {
      const env = { ...process.env, NEKO_ROOMS_API_TOKEN: token, NEKO_FLEET_URL: url }
      const child = execFile(process.execPath, [main, 'fleet', ...args.split(' ').filter(Boolean)], { env }, (_error, stdout, stderr) =>
        resolve({ code: child.exitCode ?? -1, text: stdout + stderr }),
      )
    })

  it('[CLI-1900] makes rooms, lists them with their nodes, makes links into them, and ends them', async () => {
    const made = await fleet('create lesson --label Maths desktop.screen=800x600@25')
    expect(made).toEqual({ code: 0, text: expect.stringMatching(/^room lesson is \w+.*: http:\/\/127\.0\.0\.1:\d+\/room\/lesson\/\n$/) })
    expect((await fleet('rooms')).text).toMatch(/^ROOM +STATE +NODE +PATH +LABEL\n(.*\n)*lesson +\w+ +stand-in +\/room\/lesson\/ +Maths\n/)
    expect(JSON.parse((await fleet('rooms --json --node stand-in')).text)).toMatchObject([
      { id: 'lesson', label: 'Maths', revision: expect.any(Number) },
    ])
    expect((await fleet('link lesson --name Ann --once')).text).toMatch(/^http:.*\/room\/lesson\/#link=\S+\nuntil \S+, once\n$/)
    expect((await fleet('end lesson')).text).toMatch(/^room lesson is (draining|ended)\n$/)
  })

  it('[CLI-1901] shows nodes, and lets one take no new room', async () => {
    expect((await fleet('nodes')).text).toMatch(/^NODE +STATE +ROOMS +VIEWERS +LOAD\nstand-in +up +\d+\/50 +0 +0 % of 8\n$/)
    expect((await fleet('drain stand-in')).text).toMatch(/^node stand-in takes no new room; it has \d+\n$/)
    expect((await fleet('create')).text).toMatch(/^503: .*; try again in \d+ s\n$/)
    expect((await fleet('undrain stand-in')).code).toBe(0)
  })

  it('[MOV-1973] moves a room to a node, and empties one', async () => {
    await fleet('create wander')
    expect((await fleet('move wander')).text).toBe('503: no other capture node is up; try again in 2 s\n')
    await using _ = await StandInFleetNode.open(world.planes.redis.url, { id: 'other', maxRooms: 50 })
    expect(await fleet('move wander --to other')).toEqual({ code: 0, text: 'room wander starts anew on other\n' })
    expect((await fleet('drain other --rooms move')).text).toBe('node other takes no new room; it has 0\n')
    expect((await fleet('rooms --node stand-in')).text).toMatch(/^wander /m)
    expect((await fleet('drain other --rooms sell')).text).toMatch(/^400: rooms: /)
    expect((await fleet('--help')).text).toMatch(/move ID .*\n.*starts anew \(what runs in it can not be carried over\)/)
  })

  it('[CLI-1902] says what is wrong in a line: no token, a wrong one, no server, no such room, a bad option, an unknown action', async () => {
    expect(await fleet('rooms', { token: '' })).toMatchObject({ code: 1, text: expect.stringContaining('set NEKO_ROOMS_API_TOKEN') })
    expect((await fleet('rooms', { token: 'another-token-of-a-fleet' })).text).toMatch(/^401: /)
    expect((await fleet('rooms', { url: 'http://127.0.0.1:1' })).text).toMatch(/^http:\/\/127\.0\.0\.1:1\/ does not answer: /)
    expect((await fleet('end nothing')).text).toBe('404: there is no such room\n')
    expect((await fleet('create x desktop.screen=big')).text).toMatch(/^400: screen: /)
    expect(await fleet('--help')).toMatchObject({ code: 0, text: expect.stringContaining('neko fleet drain NODE') })
    const unknown = await fleet('destroy')
    expect([unknown.code, unknown.text.split('\n')[0]]).toEqual([1, 'there is no neko fleet destroy'])
  })
})
