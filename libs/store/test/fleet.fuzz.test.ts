import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type BeatingNode, FleetWorld } from './fleet-world.ts'

const nodeNames = ['a', 'b', 'c'] as const
const roomNames = ['one', 'two', 'three', 'four', 'five'] as const
const node = fc.constantFrom(...nodeNames)
const room = fc.constantFrom(...roomNames)
const operation = fc.oneof(
  { weight: 4, arbitrary: fc.record({ is: fc.constant('create' as const), room, process: fc.nat(1) }) },
  { weight: 2, arbitrary: fc.record({ is: fc.constant('end' as const), room, process: fc.nat(1) }) },
  { weight: 4, arbitrary: fc.record({ is: fc.constantFrom('beat' as const, 'restart' as const, 'leave' as const), node }) },
  { weight: 3, arbitrary: fc.record({ is: fc.constantFrom('running' as const, 'failed' as const, 'stopped' as const), node }) },
  {
    weight: 2,
    arbitrary: fc.record({ is: fc.constant('move' as const), room, to: fc.constantFrom('', ...nodeNames), process: fc.nat(1) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      is: fc.constant('drain' as const),
      node,
      on: fc.boolean(),
      rooms: fc.constantFrom('stay' as const, 'move' as const),
    }),
  },
)
type Operation = typeof operation extends fc.Arbitrary<infer T> ? T : never

/** Each node takes two rooms at most. */
const quota = 2

async function perform(world: FleetWorld, nodes: Record<string, BeatingNode>, step: Operation): Promise<unknown> {
  const actor = 'node' in step ? nodes[step.node] : undefined
  switch (step.is) {
    case 'create':
      return world.create(step.room, {}, step.process)
    case 'end':
      return world.fleet(step.process).end(step.room, 'asked')
    case 'restart':
      actor?.restart()
      return actor?.beat()
    case 'drain':
      return world.fleet().drainNode(step.node, step.on, step.rooms)
    case 'move':
      return world.fleet(step.process).move(step.room, step.to)
    case 'beat':
      return actor?.beat()
    case 'leave':
      return actor?.leave()
    default:
      return Promise.all(((await actor?.rooms()) ?? []).map(async (record) => actor?.note(record, step.is)))
  }
}

describe('placement under races', () => {
  it('[FLEET-1614] no room has two nodes, no node more rooms than its quota, no claim falls (300 histories, two control planes)', async () => {
    await using world = await FleetWorld.open({ processes: 2 })
    const nodes: Record<string, BeatingNode> = {}
    for (const name of nodeNames) {
      nodes[name] = await world.node(name, { maxRooms: quota })
    }
    const claims = new Map<string, number>()
    const seen: string[] = []
    world.fleet(1).onRoom.add(({ id, claim }) => {
      if (claim < (claims.get(id) ?? 0)) {
        seen.push(`claim of ${id} fell`)
      }
      claims.set(id, claim)
    })
    await fc.assert(
      fc.asyncProperty(fc.array(operation, { minLength: 4, maxLength: 24 }), async (steps) => {
        await Promise.all(steps.map((step) => perform(world, nodes, step)))
        const owned = await Promise.all(Object.values(nodes).map(async (one) => ({ one, rooms: await one.rooms() })))
        const ids = owned.flatMap(({ rooms }) => rooms.map(({ id }) => id))
        expect(new Set(ids).size).toBe(ids.length)
        for (const { one, rooms } of owned) {
          expect(rooms.length).toBeLessThanOrEqual(quota)
          expect(rooms.every((record) => record.node === one.id && record.state !== 'ended')).toBe(true)
        }
        const all = (await world.fleet().list({ limit: 100 })).rooms.map(({ record }) => record)
        for (const record of all) {
          expect(ids.includes(record.id)).toBe(record.node !== undefined)
          expect(['created', 'ended'].includes(record.state)).toBe(record.node === undefined)
        }
        expect(seen).toEqual([])
      }),
      { numRuns: 300 },
    )
  }, 60_000)
})
