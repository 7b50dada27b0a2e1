import { execFileSync } from 'node:child_process'
import { until } from '@neko-edge/kit'
import { TcpRelay, v3Input } from '@neko-edge/testing'
import { TestBrowser } from '@neko-edge/testing/chromium'
import { V2Viewer, V3Viewer } from '@neko-edge/testing/viewer'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Fleet } from './fleet.ts'
import { RoomPage } from './room-page.ts'

const token = 'the-token-of-the-whole-fleet'
/** Users that no other test has at the same time. */
const firstUid = 200_000 + 100 * (process.pid % 1_000)
const passwords = { user_password: 'u', admin_password: 'a' }

interface RoomReply {
  readonly id: string
  readonly state: string
  readonly node?: string
}

describe('rooms over two nodes', () => {
  let fleet: Fleet
  /** In front of both control planes, which answer in turns. */
  let proxy: TcpRelay

  beforeAll(async () => {
    const env = {
      NEKO_ROOMS_API_TOKEN: token,
      NEKO_DESKTOP_APP: 'sleep infinity',
      NEKO_NODE_MAX_ROOMS: '10',
      NEKO_NODE_MAX_LOAD: '100',
      NEKO_NODE_ADDRESS: '127.0.0.1',
      NEKO_SFU_WORKERS: '2',
    }
    const ports = (index: number) => ({ NEKO_WEBRTC_EPR: `${44_000 + 200 * index}-${44_199 + 200 * index}`, NEKO_WEBRTC_UDPMUX: '0' })
    const capture = [0, 1].map((index) => ({ NEKO_DESKTOP_UID_BASE: String(firstUid + 20 * index), ...ports(index) }))
    fleet = await Fleet.open({ env, nodes: [...capture, { NEKO_NODE_ROLES: 'relay', ...ports(2) }] })
    proxy = await TcpRelay.open(...fleet.urls.map((url) => ({ host: '127.0.0.1', port: Number(new URL(url).port) })))
  })
  afterAll(async () => {
    await proxy?.[Symbol.asyncDispose]()
    await fleet?.[Symbol.asyncDispose]()
  })

  async function ask(method: string, path: string, body?: object): Promise<{ status: number; room: RoomReply }> {
    const response = await fetch(`${fleet.urls[method === 'GET' ? 0 : 1]}${path}`, {
      method,
      headers: { authorization: `Bearer ${token}` },
      ...(body && { body: JSON.stringify(body) }),
    })
    // The API answers with a room.
    return { status: response.status, room: (await response.json()) as RoomReply }
  }

  async function post(url: string, body: object): Promise<{ status: number; message?: string }> {
    const response = await fetch(`${url}/api/rooms`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}` },
      body: JSON.stringify(body),
    })
    const { message } = (await response.json()) as { message?: string }
    return { status: response.status, ...(message !== undefined && { message }) }
  }

  const room = async (id: string) => (await ask('GET', `/api/rooms/${id}`)).room
  const runs = (id: string, ms = 30_000) =>
    until(
      async () => {
        const found = await room(id)
        return found.state === 'running' ? found : undefined
      },
      { ms, what: `${id} runs` },
    )
  const address = (id: string, plane = 0) => `${fleet.urls[plane]}/room/${id}`
  const nodeOf = async (id: string) => Number((await room(id)).node?.slice(-1))

  async function watch(id: string, plane = 0, username = `ann-${plane}`): Promise<V3Viewer> {
    const viewer = await V3Viewer.open({ url: address(id, plane), username, password: 'a' })
    await viewer.watch()
    await until(() => viewer.peer.video.packets > 5, { ms: 10_000, what: 'a picture' })
    return viewer
  }

  it('[FLEET-1670] three rooms made at once by two control planes are spread over the nodes, and all run', async () => {
    const made = await Promise.all(['one', 'two', 'three'].map((id) => ask('POST', '/api/rooms', { id, ...passwords })))
    expect(made.map(({ status }) => status)).toEqual([201, 201, 201])
    const all = [await runs('one'), await runs('two'), await runs('three'), await runs('default')]
    const on = (node: string) => all.filter((one) => one.node === node).length
    expect(on('node-0') + on('node-1')).toBe(4)
    if (process.getuid?.() === 0) {
      // Each has users of its own: the room default the first one of its node, the others the next.
      const users = new Set(execFileSync('ps', ['-eo', 'uid='], { encoding: 'utf8' }).split('\n').map(Number))
      const mine = [...users].filter((uid) => uid >= firstUid && uid < firstUid + 40)
      expect(mine).toHaveLength(4)
    }
  })

  it('[FLEET-1671] V3 and V2 viewers of different rooms, on either control plane, each see their own', async () => {
    await using ann = await watch('one', 0)
    await using bob = await watch('two', 1)
    await using old = await V2Viewer.open({ url: address('one', 1), password: 'u', username: 'old', displayname: 'old' })
    await old.watch()
    await until(() => old.peer.video.packets > 5, { ms: 10_000, what: 'a picture for V2' })
    const names = async (viewer: V3Viewer) => {
      const response = await fetch(`${viewer.session.url}/api/sessions`, { headers: { authorization: `Bearer ${viewer.session.token}` } })
      return ((await response.json()) as { profile: { name: string } }[]).map(({ profile }) => profile.name).toSorted()
    }
    expect([await names(ann), await names(bob)]).toEqual([['ann-0', 'old'], ['ann-1']])
    ann.send('control/request')
    expect(await ann.event('control/host', { where: (payload) => JSON.stringify(payload).includes(ann.session.id) })).toBeTruthy()
    expect(bob.socket.history.filter(({ event }) => event === 'control/host')).toEqual([])
  })

  it('[MOV-1980] as many rooms as the nodes have places for are spread evenly and all run; V3 and V2 viewers come in through a proxy; one more is refused', async () => {
    const ids = Array.from({ length: 16 }, (_, index) => `class-${index}`)
    const made = await Promise.all(ids.map((id) => post(proxy.url, { id, screen: '640x360@25', ...passwords })))
    expect(made.map(({ status }) => status)).toEqual(ids.map(() => 201))
    const all = async () => {
      const response = await fetch(`${proxy.url}/api/rooms?state=running`, { headers: { authorization: `Bearer ${token}` } })
      return ((await response.json()) as { rooms: RoomReply[] }).rooms
    }
    await until(async () => (await all()).length === 20, { ms: 40_000, what: 'twenty rooms', everyMs: 100 })
    const on = (node: string, rooms: readonly RoomReply[]) => rooms.filter((one) => one.node === node).length
    expect([on('node-0', await all()), on('node-1', await all())]).toEqual([10, 10])
    const full = await post(proxy.url, { id: 'one-more' })
    expect(full).toEqual({ status: 503, message: 'no capture node has a place: node-0 has 10 of 10 rooms, node-1 has 10 of 10 rooms' })
    const viewers = await Promise.all(
      [0, 5, 10, 15].flatMap((index) => [
        V3Viewer.open({ url: `${proxy.url}/room/class-${index}`, username: `v3-${index}`, password: 'u' }),
        V2Viewer.open({ url: `${proxy.url}/room/class-${index}`, password: 'u', username: 'v2', displayname: `v2-${index}` }),
      ]),
    )
    await Promise.all(viewers.map((viewer) => viewer.watch()))
    await Promise.all(viewers.map((viewer) => until(() => viewer.peer.video.packets > 5, { ms: 10_000, what: 'a picture' })))
    await Promise.all(viewers.map((viewer) => viewer.close()))
    await Promise.all(ids.map((id) => ask('DELETE', `/api/rooms/${id}`)))
    await until(async () => (await all()).length === 4, { ms: 20_000, what: 'the end of the others', everyMs: 100 })
  })

  it('[FLEET-1672] a restart of the application, and after a change of the whole room, goes on for those who watch', async () => {
    await using ann = await watch('two')
    const commands = async () => (await fleet.nodeCommands(await nodeOf('two'))).join('\n')
    expect((await ask('POST', '/api/rooms/two/restart')).room).toEqual({ restarted: 'application' })
    await ask('PATCH', '/api/rooms/two', { app: 'sleep 98765' })
    expect((await ask('POST', '/api/rooms/two/restart')).room).toEqual({ restarted: 'room' })
    await ann.event('signal/provide', { ms: 20_000 })
    await until(async () => (await commands()).includes('sleep 98765'), { ms: 10_000, what: 'the new application' })
  })

  it('[MOV-1974] a room that moves, and one whose node is emptied: sockets stay, V3 gets a new picture, V2 comes back, nothing is left behind', async () => {
    const from = await nodeOf('one')
    const to = 1 - from
    await using ann = await watch('one')
    await using old = await V2Viewer.open({ url: address('one', 1), password: 'u', username: 'old', displayname: 'old' })
    await old.watch()
    ann.send('control/request')
    await ann.event('control/host')
    const before = (await fleet.nodeCommands(from)).length
    const startedAt = performance.now()
    expect(await ask('POST', '/api/rooms/one/move')).toMatchObject({ status: 202, room: { node: `node-${to}`, state: 'starting' } })
    await ann.watchAgain({ ms: 15_000 })
    await until(() => ann.peer.video.packets > 5, { ms: 5_000, what: 'a picture of the other node' })
    console.log(JSON.stringify({ moved: 'a room', pictureMs: Math.round(performance.now() - startedAt) }))
    expect(await old.socket.closed).toMatchObject({ code: 1000, reason: 'the desktop was started again' })
    expect(await runs('one')).toMatchObject({ node: `node-${to}` })
    await until(async () => (await fleet.nodeCommands(from)).length < before, { ms: 10_000, what: 'the end of the desktop there' })
    // Emptied: what the node has goes back, the room default with it.
    const drained = await ask('PATCH', `/api/nodes/node-${to}`, { draining: true, rooms: 'move' })
    expect(drained).toMatchObject({ status: 200, room: { id: `node-${to}`, rooms: 0 } })
    await ann.watchAgain({ ms: 15_000 })
    await until(() => ann.peer.video.packets > 5, { ms: 5_000, what: 'a picture of the first node' })
    expect(await runs('one')).toMatchObject({ node: `node-${from}` })
    await ask('PATCH', `/api/nodes/node-${to}`, { draining: false })
    expect(ann.socket.history.filter(({ event }) => event === 'system/disconnect')).toEqual([])
    const hosts = ann.socket.history.filter(({ event }) => event === 'control/host').map(({ payload }) => payload)
    expect(hosts.at(-1)).toMatchObject({ has_host: true, host_id: ann.session.id })
  })

  it('[MOV-1978] SIGSTOP of a node, and another takes over: when it wakes, it moves no pointer and shows no picture for who is still with it, and gives the rooms up', async () => {
    const victim = await nodeOf('one')
    const ann = await watch('one')
    const eve = await watch('one', 1, 'eve')
    await ann.takeControl()
    await Promise.all([ann, eve].map(({ peer }) => peer.channelOpen()))
    const isAt = (x: number) => (message: { kind: string; x?: number }) => message.kind === 'position' && message.x === x
    ann.peer.send(v3Input.move(100, 50))
    await eve.peer.messages.take(isAt(100), { ms: 5_000, what: 'the pointer' })
    const before = (await fleet.nodeCommands(victim)).length
    const stoppedAt = performance.now()
    fleet.pauseNode(victim)
    await until(async () => (await room('one')).node === `node-${1 - victim}`, { ms: 6_000, what: 'another node', everyMs: 50 })
    console.log(JSON.stringify({ stopped: 'a capture node', noticedMs: Math.round(performance.now() - stoppedAt) }))
    // They stay with the old node; what she does there waits for it to wake up.
    ann.peer.send(v3Input.move(200, 50))
    await runs('one')
    const seen = eve.peer.video.packets
    fleet.resumeNode(victim)
    await until(async () => (await fleet.nodeCommands(victim)).length < before, { ms: 10_000, what: 'the end of its rooms' })
    expect(eve.peer.video.packets).toBe(seen)
    await expect(eve.peer.messages.take(isAt(200), { ms: 1, what: 'a pointer that was moved' })).rejects.toThrow()
    expect(await room('one')).toMatchObject({ node: `node-${1 - victim}`, state: 'running' })
    // The other one has had their new pictures ready meanwhile, and the controls are still hers.
    for (const viewer of [ann, eve]) {
      await viewer.watchAgain({ ms: 1_000 })
      await viewer.peer.channelOpen()
    }
    ann.peer.send(v3Input.move(300, 50))
    await eve.peer.messages.take(isAt(300), { ms: 5_000, what: 'the pointer there' })
    await Promise.all([ann.close(), eve.close()])
  })

  it('[FLEET-1673] kill -9 of a node: its rooms run on the other, and viewers whose sockets stayed open get a new picture', async () => {
    const victim = await nodeOf('one')
    await using ann = await watch('one')
    await using late = await watch('one', 1)
    await using old = await V2Viewer.open({ url: address('one', 1), password: 'u', username: 'old', displayname: 'old' })
    await old.watch()
    const killedAt = performance.now()
    await fleet.killNode(victim)
    const since = () => Math.round(performance.now() - killedAt)
    await until(async () => (await room('one')).node !== `node-${victim}`, { ms: 6_000, what: 'another node', everyMs: 50 })
    const noticedMs = since()
    await Promise.all([ann, late].map((viewer) => viewer.event('signal/provide', { ms: 20_000 })))
    const providedMs = since()
    console.log(JSON.stringify({ killed: 'a capture node', noticedMs, providedMs }))
    expect(noticedMs).toBeLessThan(3_500)
    expect(providedMs).toBeLessThan(8_000)
    // V2 knows no second offer: its clients are told to come back, and do.
    expect(await old.socket.closed).toMatchObject({ code: 1000, reason: 'the desktop was started again' })
    await using back = await V2Viewer.open({ url: address('one'), password: 'u', username: 'old', displayname: 'old' })
    await back.watch()
    await until(() => back.peer.video.packets > 5, { ms: 10_000, what: 'a picture for V2 of the other node' })
    await runs('one')
    await ann.watch()
    await until(() => ann.peer.video.packets > 5, { ms: 10_000, what: 'a picture of the other node' })
    expect(ann.socket.history.filter(({ event }) => event === 'system/disconnect')).toEqual([])
  })

  it('[FLEET-1674] a room that ends leaves nothing on its node, and its people hear it', async () => {
    const ann = await watch('two')
    const node = await nodeOf('two')
    const before = (await fleet.nodeCommands(node)).length
    expect((await ask('DELETE', '/api/rooms/two')).status).toBe(202)
    expect(await ann.event('system/disconnect', { ms: 15_000 })).toMatchObject({ message: 'room ended' })
    await until(async () => (await room('two')).state === 'ended', { ms: 15_000, what: 'the end' })
    const left = await fleet.nodeCommands(node)
    expect(left.length).toBeLessThan(before)
    expect(left.filter((line) => line.includes('98765'))).toEqual([])
    await ann.close()
  })

  it('[FLEET-1675] a join link opens its room’s page, which comes in by it and takes it off the address', async () => {
    await using browser = await TestBrowser.open()
    const response = await fetch(`${fleet.url}/api/rooms/one/links`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}` },
      body: JSON.stringify({ role: 'user', name: 'Guest', uses: 'once' }),
    })
    const { path } = (await response.json()) as { path: string }
    const page = await browser.newPage()
    await page.goto(`${fleet.url}${path}`)
    await new RoomPage(page).sees(2)
    expect(page.url()).toBe(`${address('one')}/`)
    const again = await browser.newPage()
    await again.goto(`${fleet.url}${path}`)
    await again.locator('[data-trouble="bad-link"]').waitFor({ timeout: 5_000 })
  })

  it('[FLEET-1676] SIGTERM of the last node: its rooms wait for one, sockets stay, and who comes is told so', async () => {
    const viewer = await watch('one', 1)
    await fleet.stopNode(await nodeOf('one'))
    expect(await room('one')).toMatchObject({ state: 'created' })
    expect((await ask('POST', '/api/rooms', { id: 'more' })).status).toBe(503)
    expect(viewer.socket.history.filter(({ event }) => event === 'system/disconnect')).toEqual([])
    await viewer.close()
  })
})
