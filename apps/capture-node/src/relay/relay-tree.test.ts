import { expect, it } from 'vitest'
import { Held } from '../sfu/held.ts'
import { childrenOf, parentFor, type Relay } from './relay-tree.ts'

const rest = { held: new Held(), viewers: 0, isFull: false, isLeaving: false, failures: 0, isAsked: false, ids: [] }
const relay = (node: string, parent: Relay | undefined): Relay => ({ ...rest, node, parent, sessions: new Map() })

it('[NAT-1968] relays are fed level by level: by pipes as many from the origin as from each other, by an uplink one alone', () => {
  const grown = (widths: { ofOrigin: number; ofRelay: number }, count: number) => {
    const relays: Relay[] = []
    for (let index = 0; index < count; index++) {
      relays.push(relay(`${index}`, parentFor(relays, { not: undefined, widths })))
    }
    return relays
  }
  const parents = (relays: readonly Relay[]) => relays.map(({ parent }) => parent?.node ?? 'origin')
  expect(parents(grown({ ofOrigin: 2, ofRelay: 2 }, 5))).toEqual(['origin', 'origin', '0', '0', '1'])
  const uplinked = grown({ ofOrigin: 1, ofRelay: 2 }, 5)
  expect(parents(uplinked)).toEqual(['origin', '0', '0', '1', '1'])
  // The one that has the uplink goes: another one takes it over, and not one of those behind itself.
  const [first] = uplinked
  const left = uplinked.filter((each) => each !== first)
  const [child] = childrenOf(left, first)
  expect(parentFor(left, { not: child, widths: { ofOrigin: 1, ofRelay: 2 } })).toBeUndefined()
})
