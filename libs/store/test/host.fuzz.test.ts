import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { releaseControl } from '../src/index.ts'
import { ControlLedger } from './control-ledger.ts'
import { operation, people, perform } from './control-operation.ts'
import { admin, enter, user, World } from './world.ts'

describe('the controls', () => {
  it('[CTL-4] are in one hand at most, whatever two control planes do at once (1000 histories)', async () => {
    await using world = await World.open({ processes: 2 })
    for (const name of people) {
      await enter(world.room(0), name === 'boss' ? admin(name) : user(name))
    }
    const ledgers = world.rooms.map((room) => new ControlLedger(room))
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(fc.nat(1), operation), { minLength: 1, maxLength: 12 }), async (steps) => {
        await Promise.all(steps.map(([process, step]) => perform(world, process, step)))
        await Promise.all(world.rooms.map((room) => room.run(releaseControl, ['nobody'])))
        const [first, second] = ledgers
        expect(first?.turns()).toEqual(second?.turns())
        first?.check()
        expect(world.room(0).view.host).toBe(world.room(1).view.host)
      }),
      { numRuns: 1000 },
    )
  })
})
