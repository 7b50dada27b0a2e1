import { until } from '@neko-edge/kit'
import type { SocketMessage } from '@neko-edge/testing'
import { describe, expect, it } from 'vitest'
import { V2Person } from '../legacy/people.fixture.ts'
import { names, type Person, Planes } from './planes.fixture.ts'
import { RawSocket } from './raw-socket.fixture.ts'

/** Rooms in which the fourth user who connects, and those after him, are only counted. */
const few = { SESSION_LISTED_MAX: '3' }

const idsIn = ({ payload }: SocketMessage): string[] => Object.keys((payload as { sessions: object }).sessions).toSorted()
const idOf = ({ payload }: SocketMessage): string => (payload as { id: string }).id
/** Without the count, which comes when its second is over. */
const aboutPeople = (messages: readonly SocketMessage[]) => messages.filter(({ event }) => event !== 'session/crowd')
const enterAll = async (planes: Planes, people: readonly string[]): Promise<Person[]> => {
  const all: Person[] = []
  for (const [index, name] of people.entries()) {
    all.push(await planes.enter(name, { plane: index }))
  }
  return all
}
const init = (person: Person): SocketMessage => person.socket.history[0] ?? { event: 'none' }

describe('a room of more than can be listed', () => {
  it('[PRES-1700] newcomers beyond the limit are counted: others hear nothing of them, their own list has the listed and themselves', async () => {
    await using planes = await Planes.open({ env: few })
    const listed = await enterAll(planes, ['ann', 'ben', 'cleo'])
    const ids = listed.map(({ id }) => id)
    await Promise.all(listed.map((person) => person.news()))
    const dan = await planes.enter('dan', { plane: 1 })
    const eve = await planes.enter('eve')
    expect(idsIn(init(dan))).toEqual([...ids, dan.id].toSorted())
    expect(idsIn(init(eve))).toEqual([...ids, eve.id].toSorted())
    expect(names(eve.socket.history)).toContain('session/state')
    await eve.socket.close()
    for (const person of [...listed, dan]) {
      // What came of a login, in a room that had place for him, was said before the room was full.
      expect(aboutPeople(await person.news()).filter((message) => idOf(message) !== dan.id)).toEqual([])
    }
    expect(idsIn(init(await planes.enter('fay')))).toHaveLength(4)
  })

  it('[PRES-1701] their number is said once a second at most, and null when all are listed again', async () => {
    await using planes = await Planes.open({ count: 1, env: few })
    const [ann] = await enterAll(planes, ['ann', 'ben', 'cleo'])
    const crowd = await enterAll(planes, ['dan', 'eve', 'fay', 'gus'])
    const counts = () => ann?.socket.history.filter(({ event }) => event === 'session/crowd') ?? []
    await until(() => counts().some(({ payload }) => (payload as { connected: number }).connected === 7), { ms: 3_000, what: 'seven' })
    expect(counts().length).toBeLessThanOrEqual(3)
    await Promise.all(crowd.map((person) => person.socket.close()))
    await until(() => counts().at(-1)?.['payload'] === null, { ms: 3_000, what: 'all are listed' })
  })

  it('[PRES-1702] admins, hosts, those who ask for the controls and those who speak are introduced first', async () => {
    await using planes = await Planes.open({ env: few })
    const [ann] = (await enterAll(planes, ['ann', 'ben', 'cleo'])) as [Person]
    const [dan, eve, fay] = (await enterAll(planes, ['dan', 'eve', 'fay'])) as [Person, Person, Person]
    await ann.news()
    const boss = await planes.admin('boss', 1)
    expect(aboutPeople(await ann.news()).map((message) => [message.event, idOf(message)])).toEqual([
      ['session/created', boss.id],
      ['session/state', boss.id],
    ])
    dan.send('control/request')
    await dan.hears('control/host')
    expect(aboutPeople(await ann.news()).map((message) => message.event)).toEqual(['session/created', 'control/host'])
    eve.send('control/request')
    await dan.hears('control/request')
    expect(aboutPeople(dan.socket.history.slice(-2)).map((message) => [message.event, idOf(message)])).toEqual([
      ['session/created', eve.id],
      ['control/request', eve.id],
    ])
    await ann.news()
    fay.send('chat/message', { text: 'hello' })
    await fay.hears('chat/message')
    expect(aboutPeople(await ann.news()).map((message) => [message.event, idOf(message)])).toEqual([
      ['session/created', fay.id],
      ['chat/message', fay.id],
    ])
  })

  it('[PRES-1703] who leaves is taken off the lists, and nobody is left in them who is only counted when he comes back', async () => {
    await using planes = await Planes.open({ env: few })
    const [ann, ben] = (await enterAll(planes, ['ann', 'ben', 'cleo', 'dan', 'eve'])) as [Person, Person]
    await ann.news()
    await ben.socket.close()
    await ann.hears('session/deleted', ({ id }: { id: string }) => id === ben.id)
    expect(names(aboutPeople(await ann.news()))).toEqual(['session/state'])
    await ben.connect(1)
    expect(aboutPeople(await ann.news())).toEqual([])
    expect(idsIn(init(await planes.enter('fay')))).not.toContain(ben.id)
  })

  it('[PRES-1704] when a fifth of the limit is free again, all are listed', async () => {
    await using planes = await Planes.open({ env: { SESSION_LISTED_MAX: '5' } })
    const people = await enterAll(planes, ['ann', 'ben', 'cleo', 'dan', 'eve', 'fay', 'gus'])
    const [ann, ben, cleo, , , fay, gus] = people as [Person, Person, Person, Person, Person, Person, Person]
    await fay.news()
    await ben.socket.close()
    await cleo.socket.close()
    expect(aboutPeople(await fay.news()).some(({ event }) => event === 'session/created')).toBe(false)
    await ann.socket.close()
    for (const [one, other] of [
      [fay, gus],
      [gus, fay],
    ] as const) {
      await until(() => one.socket.history.some((message) => message.event === 'session/created' && idOf(message) === other.id), {
        ms: 3_000,
        what: 'the introduction',
      })
    }
  })

  it('[PRES-1705] V2: the crowd is not in the list and not announced; who speaks is a member first; all see themselves', async () => {
    await using planes = await Planes.open({ env: few })
    const ann = await V2Person.enter(planes, 'ann')
    await V2Person.enter(planes, 'ben', { plane: 1 })
    await V2Person.enter(planes, 'cleo')
    await ann.news()
    const dan = await V2Person.enter(planes, 'dan', { plane: 1 })
    const eve = await V2Person.enter(planes, 'eve')
    expect(await ann.news()).toEqual([])
    const list = eve.socket.history.find(({ event }) => event === 'member/list')?.['members'] as { id: string }[]
    expect(list).toHaveLength(4)
    expect(list.map(({ id }) => id)).toContain(eve.id)
    expect(list.map(({ id }) => id)).not.toContain(dan.id)
    dan.send('chat/message', { content: 'hello' })
    await ann.hears('chat/message')
    expect(ann.socket.history.slice(-2)).toMatchObject([
      { event: 'member/connected', id: dan.id, displayname: 'dan' },
      { event: 'chat/message', id: dan.id },
    ])
    expect((await dan.news()).map(({ event }) => event)).toEqual(['chat/message'])
    await ann.news()
    await eve.leave()
    await dan.leave()
    await ann.hears('member/disconnected', ({ id }) => id === dan.id)
    expect(await ann.news()).toEqual([])
  })

  it('[PRES-1706] the lists are the same at every plane, also at one that was opened later or saw Redis lose its memory', async () => {
    await using planes = await Planes.open({ env: few })
    const people = await enterAll(planes, ['ann', 'ben', 'cleo', 'dan', 'eve'])
    await planes.redis.restartEmpty()
    await until(async () => (await people[0]?.request('/api/sessions', { method: 'GET' }))?.status === 200, { ms: 5_000, what: 'the room' })
    const fay = await planes.login('fay')
    const [here, there] = [await fay.knock(0), await fay.knock(1)]
    const [first, second] = [await here.event('system/init'), await there.event('system/init')]
    expect(idsIn(first)).toEqual([...people.slice(0, 3).map(({ id }) => id), fay.id].toSorted())
    expect(idsIn(second)).toEqual(idsIn(first))
  })
})

describe('a socket that does not keep up', () => {
  it('[PRES-1708] goes without cursors first, is closed with the reason then, and nobody waits for it', async () => {
    await using planes = await Planes.open({ count: 1, env: { SESSION_INACTIVE_CURSORS: 'true' } })
    const [ann, slow] = (await enterAll(planes, ['ann', 'slow'])) as [Person, Person]
    const raw = await RawSocket.open(slow.address())
    await raw.hears('openinapp/init')
    raw.pause()
    const body = 'x'.repeat(64 * 1024)
    const speaker = await planes.enter('speaker')
    const isSlow = () => planes.metric('neko_edge_sockets_too_slow_total')
    let said = 0
    while ((await isSlow()) === 0) {
      speaker.send('send/broadcast', { subject: 'fill', body })
      const startedAt = performance.now()
      await ann.hears('send/broadcast', ({ sender }: { sender: string }) => sender === speaker.id)
      expect(performance.now() - startedAt).toBeLessThan(2_000)
      said += 1
      expect(said).toBeLessThan(1_000)
      await planes.node.signal({ is: 'cursors', cursors: [{ id: ann.id, cursors: [{ x: said, y: 0 }] }] })
    }
    raw.resume()
    await until(() => raw.closed !== undefined, { ms: 10_000, what: 'the close' })
    expect(raw.closed).toEqual({ code: 1013, reason: 'the connection is too slow for this room' })
    const heard = raw.events
    expect(heard.filter((event) => event === 'send/broadcast').length).toBeGreaterThan(100)
    expect(heard.filter((event) => event === 'session/cursors').length).toBeLessThan(40)
  })
})
