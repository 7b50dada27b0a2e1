import { createLog } from '@neko-edge/kit'
import { FakeClock } from '@neko-edge/testing'
import { expect, it } from 'vitest'
import { UplinkCare } from './uplink-care.ts'

/** A room with one relay or none, looked after twice a second for `seconds`. */
function world() {
  const clock = new FakeClock()
  const state = { relay: undefined as string | undefined, isOpen: false, takes: '' }
  const seen = { grows: 0, givenUp: [] as string[], uplinks: [] as (string | null)[], warnings: [] as string[] }
  const care = new UplinkCare({
    uplinks: { isOpen: () => state.isOpen },
    direct: () => (state.relay === undefined ? [] : [state.relay]),
    hasRelay: () => state.relay !== undefined,
    grow: async () => {
      seen.grows += 1
      state.relay = state.takes === '' ? undefined : state.takes
      return state.relay !== undefined
    },
    giveUp: (relay) => {
      seen.givenUp.push(relay)
      state.relay = undefined
    },
    onUplink: (relay) => seen.uplinks.push(relay),
    clock,
    log: createLog((level, _, message) => (level === 'warn' ? seen.warnings.push(message) : undefined)),
  })
  const pass = async (seconds: number) => {
    for (let index = 0; index < 2 * seconds; index++) {
      care.look()
      // What was asked for is answered before the next look.
      await new Promise(setImmediate)
      clock.advance(500)
    }
  }
  return { care, state, seen, pass }
}

it('[NAT-1969] while no relay takes the room one is looked for, less and less often up to every five seconds, and that is said once', async () => {
  const { state, seen, pass } = world()
  await pass(30)
  expect(seen.grows).toBeGreaterThan(6)
  expect(seen.grows).toBeLessThan(12)
  expect(seen.warnings.filter((line) => line.startsWith('no relay takes the room'))).toHaveLength(1)
  expect(seen.uplinks).toEqual([null])
  state.takes = 'a'
  state.isOpen = true
  await pass(6)
  expect(seen.uplinks).toEqual([null, 'a'])
})

it('[NAT-1969] a relay to which the uplink stays down is given up after eight seconds, and comes last for a minute', async () => {
  const { care, state, seen, pass } = world()
  state.takes = 'a'
  await pass(8)
  expect(seen.givenUp).toEqual([])
  expect(care.distrust('a')).toBe(0)
  await pass(2)
  expect(seen.givenUp).toEqual(['a'])
  expect([care.distrust('a'), care.distrust('b')]).toEqual([1, 0])
  state.isOpen = true
  await pass(61)
  expect(care.distrust('a')).toBe(0)
  expect(seen.givenUp).toEqual(['a'])
})
