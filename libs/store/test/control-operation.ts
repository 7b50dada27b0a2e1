import fc from 'fast-check'
import {
  changeProfile,
  changeSettings,
  claimRoom,
  deleteSession,
  disconnectSession,
  giveControl,
  releaseControl,
  requestControl,
  resetControl,
  takeControl,
} from '../src/index.ts'
import { admin, enter, facts, user, type World } from './world.ts'

/** Who is in the room: two users and an admin. */
export const people = ['ann', 'bob', 'boss'] as const
const person = fc.constantFrom(...people)
/** Anything that decides who may control. */
export const operation = fc.oneof(
  fc.record({ is: fc.constant('request' as const), who: person, implicit: fc.boolean() }),
  fc.record({ is: fc.constantFrom('release' as const, 'take' as const, 'reset' as const, 'kick' as const, 'leave' as const), who: person }),
  fc.record({ is: fc.constant('give' as const), who: person, to: person }),
  fc.record({ is: fc.constant('may-host' as const), who: person, yes: fc.boolean() }),
  fc.record({ is: fc.constant('lock' as const), who: fc.constant('boss' as const), yes: fc.boolean() }),
  fc.record({ is: fc.constant('private' as const), who: fc.constant('boss' as const), yes: fc.boolean() }),
  fc.record({ is: fc.constant('failover' as const), who: person }),
)
export type Operation = typeof operation extends fc.Arbitrary<infer T> ? T : never

/** Does it, in one of the processes. Fails as the script does. */
export function perform(world: World, process: number, step: Operation): Promise<unknown> {
  const room = world.room(process)
  const profile = room.view.session(step.who)?.profile
  const base = JSON.stringify(room.view.base)
  switch (step.is) {
    case 'request':
      return room.run(requestControl, [step.who, step.implicit ? '1' : '0'])
    case 'release':
      return room.run(releaseControl, [step.who])
    case 'take':
      return room.run(takeControl, [step.who])
    case 'reset':
      return room.run(resetControl, [step.who])
    case 'give':
      return room.run(giveControl, [step.who, step.to])
    case 'kick':
      return room
        .run(deleteSession, [step.who, 'kicked', 'boss'])
        .then(() => enter(room, step.who === 'boss' ? admin('boss') : user(step.who)))
    case 'leave':
      return room.run(disconnectSession, [step.who, '', ''])
    case 'may-host':
      return profile
        ? room.run(changeProfile, [step.who, JSON.stringify(profile), JSON.stringify({ ...profile, can_host: step.yes }), 'boss'])
        : Promise.resolve()
    case 'lock':
      return room.run(changeSettings, ['boss', base, base, JSON.stringify({ control: step.yes }), 'Boss', '1'])
    case 'private':
      return room.run(changeSettings, ['boss', base, JSON.stringify({ ...room.view.base, private_mode: step.yes }), '{}', 'Boss', '1'])
    case 'failover':
      return room.run(claimRoom, [`node ${step.who}`, `run ${step.who}`, 1, facts])
    default:
      return step satisfies never
  }
}
