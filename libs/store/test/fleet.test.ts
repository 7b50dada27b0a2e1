import { delay, until } from '@neko-edge/kit'
import { describe, expect, it } from 'vitest'
import { nodeLeaseMs } from '../src/index.ts'
import { FleetWorld } from './fleet-world.ts'

describe('placement', () => {
  it('[FLEET-1600] a room goes to the least loaded live node with a place; a node that drains, is full, too busy or a relay gets none', async () => {
    await using world = await FleetWorld.open()
    await world.node('busy', { load: 60 })
    const calm = await world.node('calm', { load: 10, maxRooms: 1 })
    await world.node('drained', { isDrained: true })
    await world.node('relay', { isCapture: false })
    await world.node('hot', { load: 95, maxLoad: 90 })
    expect(await world.create('one')).toMatchObject({ is: 'created', record: { node: 'calm', state: 'starting' } })
    expect(await world.create('two')).toMatchObject({ record: { node: 'busy' } })
    expect((await calm.rooms()).map(({ id }) => id)).toEqual(['one'])
    await world.fleet().drainNode('busy', true)
    expect(await world.create('three')).toEqual({
      is: 'full',
      why: 'no capture node has a place: busy is being drained, calm has 1 of 1 rooms, drained is being drained, hot is at 95 % of its processors',
    })
    await world.fleet().drainNode('busy', false)
    expect(await world.create('three')).toMatchObject({ record: { node: 'busy' } })
  })

  it('[FLEET-1601] rooms that have just come count before their load is measured', async () => {
    await using world = await FleetWorld.open()
    await world.node('a', { cores: 2, load: 0 })
    await world.node('b', { cores: 2, load: 30 })
    const nodes = []
    for (const id of ['one', 'two', 'three', 'four']) {
      const created = await world.create(id)
      nodes.push('record' in created ? created.record.node : created.is)
    }
    expect(nodes).toEqual(['a', 'a', 'b', 'a'])
  })

  it('[FLEET-1602] where nothing is up, and for an id that is taken, no room is made', async () => {
    await using world = await FleetWorld.open()
    expect(await world.create('one')).toEqual({ is: 'full', why: 'no capture node is up' })
    await world.node('a')
    expect((await world.create('one')).is).toBe('created')
    expect(await world.create('one')).toEqual({ is: 'exists' })
  })

  it('[FLEET-1603] a room that never ends waits for its node, and can not be ended', async () => {
    await using world = await FleetWorld.open()
    expect(await world.create('default', { isPermanent: true })).toMatchObject({ record: { state: 'created' } })
    const a = await world.node('a')
    expect(await a.rooms()).toMatchObject([{ id: 'default', state: 'starting' }])
    expect(await world.fleet().end('default', 'asked')).toBe('permanent')
  })

  it('[FLEET-1604] the same request makes one room, another one under the same key is refused', async () => {
    await using world = await FleetWorld.open({ processes: 2 })
    await world.node('a')
    const request = { key: 'k', mark: 'all that was asked' }
    const outcomes = await Promise.all([0, 1, 0, 1].map((process) => world.create(`room-${process}`, { request }, process)))
    expect(outcomes.filter(({ is }) => is === 'created')).toHaveLength(1)
    expect(new Set(outcomes.map((one) => ('record' in one ? one.record.id : one.is))).size).toBe(1)
    expect(await world.create('other', { request: { key: 'k', mark: 'something else' } })).toEqual({ is: 'other-request' })
  })
})

describe('the life of a room', () => {
  it('[FLEET-1605] created → starting → running → draining → ended, each told once', async () => {
    await using world = await FleetWorld.open()
    const a = await world.node('a')
    const seen: string[] = []
    world.fleet().onRoom.add(({ state }) => void seen.push(state))
    await world.create('one')
    const [record] = await a.rooms()
    await a.note(record!, 'running')
    await a.note(record!, 'running')
    expect((await world.fleet().find('one'))?.record).toMatchObject({ state: 'running', startedAt: expect.any(Number) })
    expect(await world.fleet().end('one', 'asked')).toMatchObject({ state: 'draining' })
    expect(await a.rooms()).toMatchObject([{ state: 'draining' }])
    await a.note(record!, 'stopped')
    expect((await world.fleet().find('one'))?.record).toMatchObject({ state: 'ended', reason: 'asked', endedAt: expect.any(Number) })
    expect(await a.rooms()).toEqual([])
    expect(await world.fleet().end('one', 'asked')).toBe('gone')
    await until(() => seen.at(-1) === 'ended', { ms: 1_000, what: 'the news' })
    expect(seen).toEqual(['starting', 'running', 'draining', 'ended'])
    expect((await world.told()).map(({ type }) => type)).toEqual(['room.started', 'room.ended'])
    expect((await world.create('one')).is).toBe('created')
  })

  it('[FLEET-1606] a run that fails is tried elsewhere, and at last given up with its reason', async () => {
    await using world = await FleetWorld.open()
    const nodes = { a: await world.node('a'), b: await world.node('b') }
    const created = await world.create('one')
    let record = 'record' in created ? created.record : undefined
    const tried: string[] = []
    for (let attempt = 0; attempt < 3; attempt++) {
      const node = nodes[record?.node as 'a' | 'b']
      tried.push(node.id)
      await node.note(record!, 'failed', 'xeyes is not there')
      if (attempt < 2) {
        record = await until(
          async () => {
            await Promise.all([nodes.a.beat(), nodes.b.beat()])
            const now = (await world.fleet().find('one'))?.record
            return now?.state === 'starting' ? now : undefined
          },
          { ms: 6_000, what: 'another try' },
        )
      }
    }
    expect(tried.slice(0, 2).toSorted()).toEqual(['a', 'b'])
    expect((await world.fleet().find('one'))?.record).toMatchObject({ state: 'ended', reason: 'xeyes is not there' })
  }, 20_000)

  it('[FLEET-1607] the absolute time-out is warned of, and then ends the room', async () => {
    await using world = await FleetWorld.open()
    const a = await world.node('a')
    await world.create('one', { endsInMs: 400, warningMs: 300 })
    const [record] = await a.rooms()
    await a.note(record!, 'running')
    await until(async () => (await a.rooms())[0]?.state === 'draining', { ms: 3_000, what: 'the end' })
    expect((await world.told()).map(({ type }) => type)).toEqual(['room.started', 'room.timeout_warning'])
    expect((await world.fleet().find('one'))?.record.reason).toBe('absolute timeout')
  })

  it('[FLEET-1608] a change counts against what it was made from, and moves the end', async () => {
    await using world = await FleetWorld.open()
    await world.node('a')
    await world.create('one', { endsInMs: 60_000 })
    const change = { spec: { label: 'kitchen', config: { 'desktop.app': 'xterm' } }, endsInMs: 0, warningMs: 0 }
    expect(await world.fleet().update('one', { rev: 1, ...change })).toMatchObject({ rev: 2 })
    expect(await world.fleet().update('one', { rev: 1, ...change })).toBe('conflict')
    expect(await world.fleet().update('two', { rev: 1, ...change })).toBe('gone')
    const found = await world.fleet().find('one')
    expect(found?.spec).toEqual(change.spec)
    expect(found?.record.endsAt).toBeUndefined()
  })

  it('[FLEET-1609] rooms are listed in pages, by state and by node', async () => {
    await using world = await FleetWorld.open()
    await world.node('a', { maxRooms: 3 })
    await world.node('b', { maxRooms: 2 })
    for (const id of ['e', 'd', 'c', 'b', 'a']) {
      await world.create(id)
    }
    const fleet = world.fleet()
    const pages: string[][] = []
    let after: string | undefined = ''
    while (after !== undefined) {
      const page: Awaited<ReturnType<typeof fleet.list>> = await fleet.list({ after, limit: 2 })
      pages.push(page.rooms.map(({ record }) => record.id))
      after = page.next
    }
    expect(pages).toEqual([['a', 'b'], ['c', 'd'], ['e']])
    expect((await fleet.list({ limit: 10, node: 'b' })).rooms).toHaveLength(2)
    expect((await fleet.list({ limit: 10, state: 'running' })).rooms).toEqual([])
    expect(await fleet.counts()).toEqual({ starting: 5 })
  })
})

describe('nodes that die', () => {
  it('[FLEET-1610] a death is noticed within 3 s; its rooms go to another node under a newer claim, and wait where there is none', async () => {
    await using world = await FleetWorld.open()
    const a = await world.node('a')
    const created = await world.create('one')
    const [record] = await a.rooms()
    await a.note(record!, 'running')
    const b = await world.node('b', { maxRooms: 1 })
    const diedAt = performance.now()
    const beating = setInterval(() => void b.beat(), 500)
    const found = async () => {
      const room = await world.fleet().find('one')
      return room?.record.node === 'b' ? room : undefined
    }
    const moved = await until(found, {
      ms: 6_000,
      what: 'the room on another node',
      everyMs: 20,
    })
    clearInterval(beating)
    expect(performance.now() - diedAt).toBeLessThan(3_000)
    expect(moved?.record.claim).toBeGreaterThan('record' in created ? created.record.claim : 0)
    await a.note(record!, 'stopped', 'late')
    expect((await world.fleet().find('one'))?.record).toMatchObject({ node: 'b', state: 'starting' })
    expect((await world.told()).map(({ type }) => type)).toEqual(['room.started', 'room.node_lost'])
  }, 20_000)

  it('[FLEET-1611] a node that is started anew has its rooms at once; the earlier run is told that it is replaced', async () => {
    await using world = await FleetWorld.open()
    const a = await world.node('a')
    await world.create('one')
    const [before] = await a.rooms()
    const old = a.instance
    a.restart()
    const [after] = await a.rooms()
    expect(after).toMatchObject({ id: 'one', node: 'a', state: 'starting' })
    expect(after!.claim).toBeGreaterThan(before!.claim)
    a.instance = old
    expect(await a.beat()).toEqual({ is: 'replaced' })
  })

  it('[FLEET-1612] a node that stops hands its rooms on, or ends them', async () => {
    await using world = await FleetWorld.open()
    const a = await world.node('a', { cores: 8 })
    await world.create('one')
    await world.create('default', { isPermanent: true })
    const b = await world.node('b', { maxRooms: 5 })
    await a.leave()
    expect((await b.rooms()).map(({ id }) => id)).toEqual(['default', 'one'])
    await b.leave(true)
    expect((await world.fleet().find('one'))?.record).toMatchObject({ state: 'ended', reason: 'node stopped' })
    expect((await world.fleet().find('default'))?.record).toMatchObject({ state: 'created' })
    expect(await world.fleet().nodes()).toEqual([])
  })

  it('[MOV-1970] a room moves under a newer claim, to the node that is named or the least loaded other one, and stays where none can have it', async () => {
    await using world = await FleetWorld.open()
    const fleet = world.fleet()
    const a = await world.node('a')
    await world.create('one')
    const [before] = await a.rooms()
    expect(await fleet.move('one')).toEqual({ is: 'waiting' })
    await a.note(before!, 'running')
    expect(await fleet.move('one')).toEqual({ is: 'full', why: 'no other capture node is up' })
    const b = await world.node('b', { maxRooms: 1 })
    await world.node('busy', { load: 50 })
    await world.node('relay', { isCapture: false, roles: ['relay'] })
    expect(await fleet.move('two')).toEqual({ is: 'gone' })
    expect(await fleet.move('one', 'a')).toEqual({ is: 'there' })
    expect(await fleet.move('one', 'nobody')).toEqual({ is: 'unknown' })
    expect(await fleet.move('one', 'relay')).toEqual({ is: 'no-capture' })
    const moved = await fleet.move('one')
    expect(moved).toMatchObject({ is: 'moving', record: { node: 'b', state: 'starting', startedAt: expect.any(Number) } })
    const [after] = await b.rooms()
    expect(after!.claim).toBeGreaterThan(before!.claim)
    expect(await a.rooms()).toEqual([])
    await a.note(before!, 'failed', 'late')
    await b.note(after!, 'running')
    expect((await fleet.find('one'))?.record).toMatchObject({ node: 'b', state: 'running' })
    await world.create('two')
    const [two] = await a.rooms()
    await a.note(two!, 'running')
    expect(await fleet.move('two', 'b')).toEqual({ is: 'full', why: 'b has 1 of 1 rooms' })
    await fleet.drainNode('busy', true)
    expect(await fleet.move('two', 'busy')).toEqual({ is: 'full', why: 'busy is being drained' })
    await fleet.end('two', 'asked')
    expect(await fleet.move('two')).toEqual({ is: 'ending' })
    expect((await world.told()).map(({ type, room }) => `${type} ${room}`)).toEqual(['room.started one', 'room.started two'])
  })

  it('[MOV-1971] a node that drains keeps its rooms, gives away those that find a place, or ends all but the room default', async () => {
    await using world = await FleetWorld.open()
    const fleet = world.fleet()
    const a = await world.node('a')
    await world.create('one')
    await world.create('two')
    await world.create('default', { isPermanent: true })
    const b = await world.node('b', { maxRooms: 1 })
    await fleet.drainNode('a', true)
    expect((await a.rooms()).map(({ id }) => id)).toEqual(['default', 'one', 'two'])
    await fleet.drainNode('a', true, 'move')
    expect([(await a.rooms()).map(({ id }) => id), (await b.rooms()).map(({ id }) => id)]).toEqual([['one', 'two'], ['default']])
    await fleet.drainNode('a', true, 'end')
    expect(await a.rooms()).toMatchObject([
      { id: 'one', state: 'draining', reason: 'node drained' },
      { id: 'two', state: 'draining' },
    ])
    await fleet.drainNode('b', true, 'end')
    expect(await b.rooms()).toMatchObject([{ id: 'default', state: 'starting' }])
  })

  it('[FLEET-1615] a Redis that was away declares nobody dead who comes back', async () => {
    await using world = await FleetWorld.open()
    const a = await world.node('a')
    const b = await world.node('b')
    await world.create('one')
    await world.create('two')
    const before = [await a.rooms(), await b.rooms()]
    await delay(nodeLeaseMs + 100)
    await a.beat()
    await b.beat()
    await delay(300)
    expect([await a.rooms(), await b.rooms()]).toEqual(before)
  }, 10_000)

  it('[FLEET-1613] after Redis was emptied each node says what it has, and nothing is placed a second time meanwhile', async () => {
    await using world = await FleetWorld.open()
    const a = await world.node('a')
    const b = await world.node('b')
    await world.create('one')
    const kept = await a.beat()
    const mine = kept.is === 'kept' && kept.rooms.length > 0 ? a : b
    const other = mine === a ? b : a
    const [room] = await mine.rooms()
    const whole = await world.fleet().find('one')
    await world.connections[0]?.commands.flushall()
    await other.beat()
    await world.create('default', { isPermanent: true })
    expect(await other.rooms()).toEqual([])
    expect(await mine.beat(['one'])).toMatchObject({ is: 'kept', unknown: ['one'] })
    await world.fleet().restore(mine.id, [whole!])
    expect(await mine.rooms()).toMatchObject([{ id: 'one', claim: room!.claim }])
    const isPlaced = async () => {
      await Promise.all([mine.beat(), other.beat()])
      return (await world.fleet().find('default'))?.record.state === 'starting'
    }
    await until(isPlaced, { ms: 2 * nodeLeaseMs, what: 'the room that waited', everyMs: 200 })
    expect((await world.fleet().find('one'))?.record.claim).toBe(room!.claim)
  }, 15_000)
})
