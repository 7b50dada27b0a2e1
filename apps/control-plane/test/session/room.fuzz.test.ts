import { bareEvents, payloadSchemas } from '@neko-edge/protocol'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Person } from './person.fixture.ts'
import { Planes } from './planes.fixture.ts'

const people = [
  { name: 'ann', password: 'neko' },
  { name: 'bob', password: 'neko' },
  { name: 'boss', password: 'admin' },
  { name: 'chief', password: 'admin' },
] as const
const person = fc.nat(people.length - 1)
const plane = fc.nat(1)

const coordinates = fc.record({
  x: fc.integer(),
  y: fc.integer(),
  text: fc.string(),
  code: fc.nat(9),
  keysym: fc.nat(9),
  delta_y: fc.integer(),
})
const flags = fc.constantFrom('is_admin', 'can_login', 'can_connect', 'can_watch', 'can_host', 'can_access_clipboard')
const settings = fc.constantFrom(
  'private_mode',
  'locked_logins',
  'locked_controls',
  'control_protection',
  'implicit_hosting',
  'merciful_reconnect',
)

const step = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      is: fc.constant('event' as const),
      who: person,
      event: fc.constantFrom(...bareEvents, ...Object.keys(payloadSchemas)),
      payload: fc.oneof(coordinates, fc.jsonValue({ maxDepth: 2 })),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      is: fc.constant('control' as const),
      who: person,
      to: person,
      plane,
      what: fc.constantFrom('request', 'release', 'take', 'reset', 'give'),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      is: fc.constant('settings' as const),
      who: person,
      plane,
      key: settings,
      value: fc.oneof(fc.boolean(), fc.constant('bad')),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      is: fc.constant('profile' as const),
      who: person,
      to: person,
      plane,
      key: flags,
      value: fc.oneof(fc.boolean(), fc.constant(7)),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ is: fc.constantFrom('close' as const, 'reconnect' as const, 'logout' as const), who: person, plane }),
  },
)
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never

describe('a room', () => {
  let planes: Planes
  const here: (Person | undefined)[] = []

  beforeAll(async () => {
    planes = await Planes.open({ env: { SESSION_API_TOKEN: token } })
  })
  afterAll(() => planes?.[Symbol.asyncDispose]())

  /** Everybody with the rights of the start, connected, and a room that lets them in. */
  async function assemble(): Promise<void> {
    await asMachine('/api/room/settings', {
      private_mode: false,
      locked_logins: false,
      locked_controls: false,
      control_protection: false,
      implicit_hosting: false,
      merciful_reconnect: true,
    })
    await asMachine('/api/room/control/reset', undefined)
    for (const [index, { name, password }] of people.entries()) {
      const old = here[index]
      if (old) {
        await asMachine(`/api/sessions/${old.id}`, undefined, 'DELETE')
      }
      here[index] = await planes.enter(name, { password, plane: index })
    }
  }

  const asMachine = (path: string, body: unknown, method = 'POST') =>
    fetch(`${planes.url(0)}${path}?token=${token}`, { method, ...(body !== undefined && { body: JSON.stringify(body) }) })

  async function perform(step: Step): Promise<void> {
    const who = here[step.who]
    if (!who) {
      return
    }
    switch (step.is) {
      case 'event':
        return who.send(step.event, step.payload)
      case 'control': {
        const path = step.what === 'give' ? `give/${here[step.to]?.id}` : step.what
        return void (await who.request(`/api/room/control/${path}`, { plane: step.plane }))
      }
      case 'settings':
        return void (await who.request('/api/room/settings', { plane: step.plane, body: { [step.key]: step.value } }))
      case 'profile':
        return void (await who.request(`/api/members/${here[step.to]?.id}`, { plane: step.plane, body: { [step.key]: step.value } }))
      case 'close':
        return who.socket.close()
      case 'reconnect':
        return void (await who.connect(step.plane).catch(() => undefined))
      case 'logout':
        return void (await who.request('/api/logout', { plane: step.plane }))
      default:
        return step satisfies never
    }
  }

  /** What each control plane says of the room; the read comes behind all that was done before it. */
  async function seen(index: number): Promise<Record<string, unknown>> {
    const read = async (path: string) => (await fetch(`${planes.url(index)}${path}?token=${token}`)).json() as Promise<unknown>
    const [sessions, control, settings, stats] = await Promise.all(
      ['/api/sessions', '/api/room/control', '/api/room/settings', '/api/stats'].map(read),
    )
    return { sessions, control, settings, stats }
  }

  it('[WS-70] keeps its invariants whatever four people do at once over two control planes (60 histories)', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 4, maxLength: 20 }), async (steps) => {
        await assemble()
        await Promise.all(steps.map(perform))
        await Promise.allSettled(here.flatMap((one) => (one ? [one.settled()] : [])))
        await checkInvariants()
      }),
      { numRuns: 60, endOnFailure: true },
    )
  }, 60_000)

  async function checkInvariants(): Promise<void> {
    const [first, second] = await Promise.all([seen(0), seen(1)])
    expect(second).toEqual(first)
    const { view } = planes.node.room
    const host = view.host
    if (host !== undefined && host !== 'API') {
      const session = view.session(host)
      expect(session?.profile.can_host).toBe(true)
      expect(view.base.private_mode && !session?.profile.is_admin).toBe(false)
    }
    const { users, admins } = view.connected()
    const counted = await planes.node.connection.commands.hmget('neko:{room:default}:room', 'connected_user', 'connected_admin')
    expect(counted.map((text) => Number(text ?? 0))).toEqual([users, admins])
    expect(first?.['stats']).toMatchObject({ total_users: users, total_admins: admins })
    const tokens = await planes.node.connection.commands.hgetall('neko:{room:default}:tokens')
    expect(Object.values(tokens).toSorted()).toEqual([...view.sessions.keys()].toSorted())
  }
})

const token = 'machine-token-1234'
