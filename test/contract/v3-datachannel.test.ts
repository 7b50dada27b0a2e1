import { newInstanceId, type RoomId, silentLog, until } from '@neko-edge/kit'
import { Bus, connect, nodeChannel, Room } from '@neko-edge/store'
import { type DataMessage, v3Input } from '@neko-edge/testing'
import { loginV3, V3Viewer } from '@neko-edge/testing/viewer'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Person } from '../../apps/control-plane/test/session/person.fixture.ts'
import { Fleet } from '../e2e/fleet.ts'

const capsLock = 0xffe5
/** Where the pointer moves; each place once, so that what is heard of it is not of another. */
let places = 100
const place = () => {
  places += 1
  return { x: places, y: 50 }
}

describe('the data channel of a V3 viewer', () => {
  let fleet: Fleet
  let ann: V3Viewer
  let bob: V3Viewer
  let boss: Person
  const site = { url: (plane: number) => fleet.urls[plane % fleet.urls.length] ?? '' }

  beforeAll(async () => {
    fleet = await Fleet.open({ env: { NEKO_DESKTOP_APP: 'sleep 100000' } })
    const enter = async (username: string, plane: number, password = 'neko') =>
      V3Viewer.connect(await loginV3({ url: site.url(plane), username, password }), { frames: false })
    ann = await enter('ann', 0)
    bob = await enter('bob', 1, 'admin')
    boss = new Person(site, await loginV3({ url: site.url(0), username: 'boss', password: 'admin' }))
    await watch(ann)
    await watch(bob)
  }, 60_000)

  afterAll(async () => {
    await ann?.close()
    await bob?.close()
    await fleet?.[Symbol.asyncDispose]()
  })

  /** A new peer with its channel open; gives the first messages on it. */
  async function watch(viewer: V3Viewer): Promise<void> {
    await viewer.watch({ video: { disabled: true } })
    await viewer.peer.channelOpen()
  }

  async function host(viewer: V3Viewer): Promise<void> {
    await boss.does('/api/room/control/reset')
    // Earlier turns of the same viewer must not be taken for this one.
    viewer.socket.inbox.drain()
    viewer.send('control/request')
    await viewer.event('control/host', { where: (payload) => (payload as { host_id?: string }).host_id === viewer.session.id })
  }

  const settings = (body: object) => boss.does('/api/room/settings', { body })

  const isAt =
    ({ x, y }: { x: number; y: number }) =>
    (message: DataMessage) =>
      message.kind === 'position' && message.x === x && message.y === y

  const sees = (viewer: V3Viewer, at: { x: number; y: number }) => viewer.peer.messages.take(isAt(at), { ms: 5_000, what: 'the position' })

  /** A ping comes back behind all that was sent to this viewer before. */
  async function settled(viewer: V3Viewer): Promise<void> {
    viewer.peer.send(v3Input.ping(Date.now()))
    await viewer.peer.messages.take(({ kind }) => kind === 'pong', { ms: 5_000, what: 'a pong' })
  }

  const isCapsLocked = async () => {
    const response = await boss.request('/api/room/keyboard/modifiers', { method: 'GET' })
    return ((await response.json()) as { capslock: boolean }).capslock
  }

  function tap(viewer: V3Viewer): void {
    viewer.peer.send(v3Input.keyDown(capsLock))
    viewer.peer.send(v3Input.keyUp(capsLock))
  }

  it('[CH-1] is opened by the server as `data`; a viewer hears of the cursor first: its image, then its place; the host the image only', async () => {
    await boss.does('/api/room/control/reset')
    await watch(bob)
    expect(bob.peer.channel).toMatchObject({ label: 'data' })
    await until(() => bob.peer.messages.peek().length >= 2, { ms: 5_000, what: 'image and position' })
    expect(bob.peer.messages.peek().map(({ kind }) => kind)).toEqual(['image', 'position'])
    const [image] = bob.peer.messages.peek()
    if (image?.kind !== 'image') {
      throw new Error('an image was expected')
    }
    expect(image.length).toBe(11 + image.png.length)
    expect([...image.png.subarray(1, 4)].map((code) => String.fromCharCode(code)).join('')).toBe('PNG')
    await host(bob)
    await watch(bob)
    await until(() => bob.peer.messages.peek().length > 0, { ms: 5_000, what: 'the image' })
    await settled(bob)
    expect(bob.peer.messages.drain().map(({ kind }) => kind)).toEqual(['image'])
  })

  it('[CH-2] answers a ping with its time and ours', async () => {
    const sentAt = Date.now()
    ann.peer.send(v3Input.ping(1_700_000_000_000))
    const pong = await ann.peer.messages.take(({ kind }) => kind === 'pong', { ms: 5_000, what: 'a pong' })
    expect(pong).toMatchObject({ clientMs: 1_700_000_000_000, length: 19 })
    expect(pong.kind === 'pong' && Math.abs(pong.serverMs - sentAt)).toBeLessThan(5_000)
  })

  it('[CH-3] shows where the host moves to all but the host; whoever takes over is shown no more, and the other is', async () => {
    await host(ann)
    const [first, second] = [place(), place()]
    ann.peer.send(v3Input.move(first.x, first.y))
    await sees(bob, first)
    await settled(ann)
    expect(ann.peer.messages.drain().some(isAt(first))).toBe(false)
    await host(bob)
    bob.peer.send(v3Input.move(second.x, second.y))
    await sees(ann, second)
    await settled(bob)
    expect(bob.peer.messages.drain().some(isAt(second))).toBe(false)
  })

  it('[CH-4] shows places that came over the socket, with a button too', async () => {
    await host(ann)
    const [first, second] = [place(), place()]
    ann.send('control/move', first)
    await sees(bob, first)
    ann.send('control/buttondown', { code: 1, ...second })
    await sees(bob, second)
    ann.send('control/buttonup', { code: 1 })
  })

  it('[CH-5] does nothing for who is not host, also under implicit hosting, until he has asked over the socket', async () => {
    await host(bob)
    await settings({ implicit_hosting: true })
    tap(ann)
    await settled(ann)
    expect(await isCapsLocked()).toBe(false)
    ann.send('control/request')
    await bob.event('control/host', { where: (payload) => (payload as { host_id?: string }).host_id === ann.session.id })
    await settings({ implicit_hosting: false })
    tap(ann)
    await until(isCapsLocked, { ms: 3_000, what: 'caps lock' })
    // A second down of a held key, an up of one that is not, and what is no key or button change nothing.
    for (const input of [
      v3Input.keyUp(capsLock),
      v3Input.keyDown(0),
      v3Input.keyUp(0),
      v3Input.buttonDown(0),
      v3Input.buttonUp(9),
      v3Input.scroll(0, 0, true),
    ]) {
      ann.peer.send(input)
    }
    await settled(ann)
    expect(await isCapsLocked()).toBe(true)
    tap(ann)
    await until(async () => !(await isCapsLocked()), { ms: 3_000, what: 'caps lock is off' })
  })

  it('[CH-11] lets go of what the host held when his turn ends', async () => {
    await host(ann)
    ann.peer.send(v3Input.keyDown(capsLock))
    await until(isCapsLocked, { ms: 3_000, what: 'caps lock' })
    await host(bob)
    // Were the key still down, another down of it would change nothing.
    tap(bob)
    await until(async () => !(await isCapsLocked()), { ms: 3_000, what: 'caps lock is off' })
  })

  it('[CH-6] survives what is no message, and reads a text like bytes', async () => {
    await host(ann)
    const touch = (opcode: number) => Uint8Array.from([opcode, 0, 13, 0, 0, 0, 7, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 50, 255])
    // An empty one werift can not send: it writes a chunk without data, which SCTP answers with an abort.
    const odd = [[1], [1, 0], [0, 0, 0], [0x0b, 0, 4, 0, 0, 0, 0], [0xff], [2, 0, 5, 0, 0, 0, 3], [3, 0, 4, 0, 0]].map((bytes) =>
      Uint8Array.from(bytes),
    )
    for (const message of [...odd, touch(9), touch(8), touch(8), touch(10), touch(10)]) {
      ann.peer.send(message)
    }
    ann.peer.send(String.fromCharCode(1, 0, 4, 0, 100, 0, 60))
    await sees(bob, { x: 100, y: 60 })
    ann.peer.send(v3Input.move(65_535, 65_535))
    await sees(bob, { x: 65_535, y: 65_535 })
    await settled(ann)
  })

  it('[CH-7] collects the places of those who are not host where the room and their profile say so, and shows them every 750 ms', async () => {
    await host(bob)
    const cursors = () => bob.socket.history.filter(({ event }) => event === 'session/cursors').map(({ payload }) => payload)
    const before = cursors().length
    ann.peer.send(v3Input.move(1, 2))
    await settled(ann)
    await settings({ inactive_cursors: true })
    ann.peer.send(v3Input.move(3, 4))
    ann.peer.send(v3Input.move(5, 6))
    await until(() => cursors().length >= before + 2, { ms: 5_000, what: 'places, and then none' })
    const expected = [
      {
        id: ann.session.id,
        cursors: [
          { x: 3, y: 4 },
          { x: 5, y: 6 },
        ],
      },
    ]
    expect(cursors().slice(before)).toEqual([expected, []])
    await boss.does(`/api/members/${ann.session.id}`, { body: { sends_inactive_cursor: false } })
    ann.peer.send(v3Input.move(7, 8))
    await settled(ann)
    await settings({ inactive_cursors: false })
    // Longer than it takes to show them: silence.
    await expect.poll(() => cursors().length, { timeout: 1_600, interval: 800 }).toBe(before + 2)
    // Users do not see them as a rule.
    expect(ann.socket.history.some(({ event }) => event === 'session/cursors')).toBe(false)
  })

  it('[CH-12] counts what was no message: on the channel, and an SDP answer that is none', async () => {
    const counted = async (plane: number, name: RegExp) =>
      Number(name.exec(await (await fetch(`${site.url(plane)}/metrics`)).text())?.[1] ?? 0)
    const onChannel = () => counted(0, /^neko_edge_channel_messages_ignored_total (\d+)/m)
    const refused = () => counted(0, /^neko_edge_messages_ignored_total\{reason="refused"\} (\d+)/m)
    const before = { channel: await onChannel(), refused: await refused() }
    ann.peer.send(new Uint8Array([1, 0, 4]))
    ann.peer.send(new Uint8Array([99, 0, 0]))
    await settled(ann)
    expect(await onChannel()).toBe(before.channel + 2)
    ann.send('signal/request', {})
    await ann.event('signal/provide')
    ann.send('signal/answer', { sdp: 'not an answer' })
    await until(async () => (await refused()) === before.refused + 1, { ms: 5_000, what: 'the refused answer is counted' })
    await watch(ann)
    await settled(ann)
  })

  it('[CTL-10] the capture node refuses input of a turn that is over, however it comes', async () => {
    await using connection = await connect({ url: fleet.redisUrl, log: silentLog })
    await using bus = await Bus.open(connection, { instance: newInstanceId(), log: silentLog })
    await using room = await Room.open('default' as RoomId, { connection, log: silentLog })
    const press = async (session: string, fence: number) => {
      for (const down of [true, false]) {
        await bus.call(nodeChannel('default'), 'input', { args: { session, fence, input: { is: 'key', keysym: capsLock, down } } })
      }
    }
    await host(ann)
    const turn = room.view.fence
    await host(bob)
    const isLocked = await isCapsLocked()
    await press(ann.session.id, turn)
    await press(ann.session.id, room.view.fence)
    expect(await isCapsLocked()).toBe(isLocked)
    await press(bob.session.id, room.view.fence)
    await until(async () => (await isCapsLocked()) !== isLocked, { ms: 3_000, what: 'the host of this turn presses a key' })
  })
})
