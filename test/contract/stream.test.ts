import { silentLog, until } from '@neko-edge/kit'
import { type Connection, connect } from '@neko-edge/store'
import { decodeDataMessage, decodeVp8, type ThinFrame, ThinViewer } from '@neko-edge/testing'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { Person } from '../../apps/control-plane/test/session/person.fixture.ts'
import { Fleet } from '../e2e/fleet.ts'

describe('the thin line', () => {
  let fleet: Fleet
  let redis: Connection
  let ann: Person
  let bob: Person
  const lines: ThinViewer[] = []
  const site = { url: (plane: number) => fleet.urls[plane % fleet.urls.length] ?? '' }

  beforeAll(async () => {
    fleet = await Fleet.open({ env: { NEKO_DESKTOP_APP: 'sleep 100000' } })
    redis = await connect({ url: fleet.redisUrl, log: silentLog })
    ann = await enter('ann', 'admin')
    bob = await enter('bob')
  }, 60_000)

  afterEach(async () => {
    await Promise.all(lines.splice(0).map((line) => line.close()))
    await feeds(0)
  })

  afterAll(async () => {
    await redis?.[Symbol.asyncDispose]()
    await fleet?.[Symbol.asyncDispose]()
  })

  async function enter(name: string, password = 'neko'): Promise<Person> {
    const person = await Person.login(site, { name, password, plane: 0 })
    await person.connect(0)
    return person
  }

  async function open(person: Person, plane = 1): Promise<ThinViewer> {
    const line = await ThinViewer.open({ url: site.url(plane), token: person.token })
    lines.push(line)
    return line
  }

  /** Waits until the node feeds so many sources to planes, each under a channel of its own. */
  const feeds = (count: number) =>
    until(async () => ((await redis.commands.pubsub('CHANNELS', 'neko:feed:*')) as string[]).length === count, {
      ms: 5_000,
      what: `${count} feeds`,
    })

  const watchers = async (name: string) => {
    const sessions = (await (await ann.request('/api/sessions', { method: 'GET' })).json()) as {
      profile: { name: string }
      state: { is_watching: boolean }
    }[]
    return sessions.find(({ profile }) => profile.name.startsWith(name))?.state.is_watching
  }

  async function frames(line: ThinViewer, count: number): Promise<ThinFrame[]> {
    const all: ThinFrame[] = []
    while (all.length < count) {
      all.push(await line.next('vp8'))
    }
    return all
  }

  it('[STR-1300] the picture comes as whole frames from a key frame on, and its viewer counts as watching', async () => {
    const line = await open(bob)
    const askedAt = performance.now()
    line.watch({ picture: 'video' })
    const all = await frames(line, 10)
    console.info(`first frame after ${Math.round((all[0]?.at ?? 0) - askedAt)} ms`)
    expect(all[0]?.isKey).toBe(true)
    const picture = await decodeVp8(all.map(({ bytes, isKey, time, at }) => ({ bytes, keyFrame: isKey, timestamp: time, at })))
    expect({ width: picture.width, height: picture.height }).toEqual({ width: 1280, height: 720 })
    const steps = all.slice(1).map(({ time }, index) => time - (all[index]?.time ?? 0))
    expect(Math.min(...steps)).toBeGreaterThan(0)
    await until(() => watchers('bob'), { ms: 5_000, what: 'bob watches' })
    await line.close()
    await until(async () => (await watchers('bob')) === false, { ms: 5_000, what: 'bob watches no more' })
  })

  it('[STR-1301] sound comes as Opus packets of 20 ms, only where it is wished for', async () => {
    const line = await open(bob)
    line.watch({ picture: 'none', sound: true })
    const times: number[] = []
    while (times.length < 20) {
      times.push((await line.next('opus')).time)
    }
    // The encoder's first packet may be a part of one.
    expect(times.slice(2).map((time, index) => time - (times[index + 1] ?? 0))).toEqual(Array(18).fill(960))
    expect(line.frames.peek().every(({ format }) => format === 'opus')).toBe(true)
    line.watch({ picture: 'none' })
    await feeds(0)
  })

  it('[STR-1302] the pointer comes beside the picture: its image and place at once, and what others do to it', async () => {
    const [line, hosts] = [await open(bob), await open(ann)]
    line.watch({ picture: 'video' })
    hosts.watch({ picture: 'video' })
    const message = async (viewer: ThinViewer) => decodeDataMessage((await viewer.next('channel')).bytes)
    expect(await message(line)).toMatchObject({ kind: 'image' })
    expect(await message(line)).toMatchObject({ kind: 'position' })
    expect([(await message(hosts))?.kind, (await message(hosts))?.kind]).toEqual(['image', 'position'])
    ann.send('control/request')
    await ann.hears('control/host')
    ann.send('control/move', { x: 321, y: 123 })
    expect(await message(line)).toMatchObject({ kind: 'position', x: 321, y: 123 })
    // A pong comes behind all that was sent to this viewer before.
    hosts.say({ is: 'ping', time: 1_234 })
    expect(await message(hosts)).toMatchObject({ kind: 'pong', clientMs: 1_234 })
    ann.send('control/release')
  })

  it('[STR-1303] still pictures come as fast as they are shown, and no faster', async () => {
    const line = await open(bob)
    line.isTelling = false
    line.watch({ picture: 'jpeg' })
    const first = await line.next('jpeg')
    expect([...first.bytes.subarray(0, 3)]).toEqual([0xff, 0xd8, 0xff])
    expect([...first.bytes.subarray(-2)]).toEqual([0xff, 0xd9])
    const second = await line.next('jpeg')
    // So many more are made meanwhile.
    await until(async () => (await metric('neko_edge_stream_frames_total{format="jpeg",outcome="dropped"}')) >= 5, {
      ms: 10_000,
      what: 'pictures left out',
    })
    expect(line.frames.peek()).toEqual([])
    line.tell()
    expect((await line.next('jpeg')).time).toBeGreaterThan(second.time + 3)
  })

  it('[STR-1304] a line that does not keep up is sent nothing more, then goes on with a key frame; the others wait for nobody', async () => {
    const [slow, quick] = [await open(bob), await open(ann)]
    slow.isTelling = false
    slow.watch({ picture: 'video' })
    quick.watch({ picture: 'video' })
    await frames(slow, 1)
    await frames(quick, 75)
    const got = slow.frames.peek().filter(({ format }) => format === 'vp8').length
    // As much as comes in a second, and not the three that the other one got.
    expect(got).toBeLessThan(45)
    slow.frames.drain()
    slow.tell()
    expect(await slow.next('vp8')).toMatchObject({ isKey: true })
    expect(await slow.next('vp8')).toMatchObject({ isKey: false })
  })

  it('[STR-1305] there is one copy for each control plane, whatever its audience, and none without one', async () => {
    const more = await Promise.all(['cat', 'dan'].map((name) => enter(name)))
    for (const person of [ann, bob, ...more]) {
      const line = await open(person, 1)
      line.watch({ picture: 'video', sound: true })
      await line.next('vp8')
      await line.next('opus')
    }
    // Picture, pointer and sound.
    await feeds(3)
    const line = await open(await enter('eve'), 0)
    line.watch({ picture: 'video' })
    await line.next('vp8')
    await feeds(5)
    expect(await metric('neko_edge_room_stream_viewers{room="default",picture="video"}', 1)).toBe(4)
  })

  it('[STR-1306] a session has one line: a newer one, also at another control plane, ends the one before', async () => {
    const first = await open(bob, 0)
    first.watch({ picture: 'video' })
    await first.next('vp8')
    await until(() => watchers('bob'), { ms: 5_000, what: 'bob watches' })
    const second = await open(bob, 1)
    second.watch({ picture: 'video' })
    await second.next('vp8')
    expect(await first.closed).toEqual({ code: 1008, reason: 'replaced by a newer one' })
    const third = await open(bob, 1)
    expect((await second.closed).code).toBe(1008)
    third.watch({ picture: 'video' })
    await third.next('vp8')
    expect(await watchers('bob')).toBe(true)
  })

  it('[STR-1307] private mode keeps pictures and sound from users, not from admins', async () => {
    const [user, admin] = [await open(bob), await open(ann)]
    for (const line of [user, admin]) {
      line.watch({ picture: 'video', sound: true })
      await line.next('vp8')
      await line.next('opus')
    }
    await ann.does('/api/room/settings', { body: { private_mode: true } })
    await bob.hears('system/settings')
    // What was under way has come by the time that this comes back.
    const pong = async () => {
      user.say({ is: 'ping', time: 1 })
      await user.next('channel', { where: ({ bytes }) => bytes[0] === 3 })
    }
    await pong()
    user.frames.drain()
    admin.frames.drain()
    await frames(admin, 25)
    await pong()
    expect(user.frames.peek().filter(({ format }) => format !== 'channel')).toEqual([])
    await ann.does('/api/room/settings', { body: { private_mode: false } })
    expect(await user.next('vp8')).toMatchObject({ isKey: true })
    await user.next('opus')
  })

  it('[STR-1308] only who is in the room and may watch is let in, and who may not any more is shown out', async () => {
    const closing = async (token: string) => (await (await ThinViewer.open({ url: site.url(1), token })).closed).reason
    expect(await closing('nonsense')).toBe('session not found')
    const guest = await Person.login(site, { name: 'guest', password: 'neko', plane: 0 })
    expect(await closing(guest.token)).toBe('this session may not watch')
    // Both sockets at once: the one waits for the other.
    const line = await open(guest)
    line.watch({ picture: 'video' })
    await guest.connect(0)
    await line.next('vp8')
    await ann.does(`/api/members/${guest.id}`, { body: { can_watch: false } })
    expect(await line.closed).toEqual({ code: 1008, reason: 'this session may not watch' })
    expect(await closing(guest.token)).toBe('this session may not watch')
    await ann.does(`/api/members/${guest.id}`, { body: { can_watch: true } })
    const again = await open(guest)
    again.watch({ picture: 'video' })
    await again.next('vp8')
    await ann.does(`/api/sessions/${guest.id}`, { method: 'DELETE' })
    expect(await again.closed).toEqual({ code: 1008, reason: 'the session has ended' })
  })

  it('[STR-1309] a page of another origin is refused, and what is no word of a viewer costs nothing', async () => {
    const headers = {
      upgrade: 'websocket',
      connection: 'upgrade',
      origin: 'https://evil.example',
      'sec-websocket-version': '13',
      'sec-websocket-key': 'AAAAAAAAAAAAAAAAAAAAAA==',
    }
    expect((await rawGet(`${site.url(1)}/api/stream?token=${bob.token}`, headers)).startsWith('HTTP/1.1 400')).toBe(true)
    const line = await open(bob)
    for (const word of ['', 'x', '{}', '{"is":"wish"}', '{"is":"seen","pictures":-1}', `{"is":"${'x'.repeat(2_000)}"}`, '[]', 'null']) {
      line.say(word)
    }
    line.watch({ picture: 'video', id: 'no such' })
    await until(() => line.texts.length > 0, { ms: 5_000, what: 'a refusal' })
    expect(JSON.parse(line.texts[0] ?? '')).toEqual({ is: 'refused', what: 'video', reason: 'there is no video "no such"' })
    line.watch({ picture: 'video' })
    await line.next('vp8')
    for (let count = 0; count < 700; count++) {
      line.say({ is: 'key' })
    }
    expect(await line.closed).toEqual({ code: 1008, reason: 'too many words' })
  })

  async function metric(name: string, plane = 1): Promise<number> {
    const text = await (await fetch(`${site.url(plane)}/metrics`)).text()
    return Number(
      text
        .split('\n')
        .find((line) => line.startsWith(name))
        ?.split(' ')
        .at(-1) ?? 0,
    )
  }
})

/** An answer to a request with headers that `fetch` does not let anybody set. */
async function rawGet(url: string, headers: Record<string, string>): Promise<string> {
  const { request } = await import('node:http')
  return new Promise((resolve, reject) => {
    const asked = request(url, { headers })
    asked.on('response', (response) => {
      response.resume()
      resolve(`HTTP/1.1 ${response.statusCode}`)
    })
    asked.on('upgrade', (response, socket) => {
      socket.destroy()
      resolve(`HTTP/1.1 ${response.statusCode}`)
    })
    asked.on('error', reject)
    asked.end()
  })
}
