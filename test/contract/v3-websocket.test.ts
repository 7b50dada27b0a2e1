import { readFileSync } from 'node:fs'
import { delay, until } from '@neko-edge/kit'
import { type SocketMessage, v3Input } from '@neko-edge/testing'
import { loginV3, V3Viewer } from '@neko-edge/testing/viewer'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Person } from '../../apps/control-plane/test/session/person.fixture.ts'
import { Fleet } from '../e2e/fleet.ts'

interface Step {
  readonly step: string
  readonly admin: readonly SocketMessage[]
  readonly user: readonly SocketMessage[]
}

/** What upstream's own server told an admin and a user, step by step. */
const golden = JSON.parse(readFileSync(new URL('../golden/v3-scenario.json', import.meta.url), 'utf8')) as readonly Step[]

/** Texts that differ from run to run, under one name each: ids, times, names, sizes on offer. */
function normalise(message: unknown, ids: Readonly<Record<string, string>>): unknown {
  const text = JSON.stringify(message, (key, value: unknown) => {
    switch (key) {
      case 'sdp':
      case 'root_dir':
      case 'name':
        return key
      case 'iceservers':
      case 'screen_sizes_list':
      case 'files':
        return Array.isArray(value) || value === null ? key : value
      // What the desktop can, and what the configuration of the two runs says.
      case 'touch_events':
      case 'screencast_enabled':
        return typeof value
      default:
        return typeof value === 'string' && /^\d{4}-\d\d-\d\dT[\d:.]+Z$/.test(value) ? 'TIME' : value
    }
  })
  return JSON.parse(Object.entries(ids).reduce((named, [id, name]) => named.replaceAll(id, name), text))
}

/** Events that come side by side, in the order of their names. */
const sideBySide = new Set(['signal/provide', 'signal/audio', 'signal/video', 'filetransfer/update', 'chat/init', 'openinapp/init'])
function ordered(messages: readonly unknown[]): unknown[] {
  const list = messages as readonly SocketMessage[]
  return list.toSorted((a, b) => (sideBySide.has(a.event) && sideBySide.has(b.event) ? (a.event < b.event ? -1 : 1) : 0))
}

const goldenIds = { 'golden-admin-0vIk4': 'ADMIN', 'golden-user-Y8c-U': 'USER' }

describe('a V3 room, as upstream told it', () => {
  let fleet: Fleet
  beforeAll(async () => {
    fleet = await Fleet.open({
      env: {
        NEKO_DESKTOP_APP: 'sleep 100000',
        NEKO_CHAT_ENABLED: 'true',
        NEKO_FILETRANSFER_ENABLED: 'true',
        NEKO_FILETRANSFER_USER_DOWNLOAD: 'false',
        NEKO_FILETRANSFER_USER_UPLOAD: 'false',
        NEKO_FILETRANSFER_USER_DELETE: 'false',
      },
    })
  }, 60_000)
  afterAll(() => fleet?.[Symbol.asyncDispose]())

  it('[WS-80] is told alike, in order and word for word, on two control planes', async () => {
    const site = { url: (plane: number) => fleet.urls[plane % fleet.urls.length] ?? '' }
    const sessions = {
      admin: await loginV3({ url: site.url(0), username: 'boss', password: 'admin' }),
      user: await loginV3({ url: site.url(1), username: 'ann', password: 'neko' }),
    }
    const ids = { [sessions.admin.id]: 'ADMIN', [sessions.user.id]: 'USER' }
    const rest = { admin: new Person(site, sessions.admin), user: new Person(site, sessions.user) }
    const viewers: { admin?: V3Viewer; user?: V3Viewer } = {}
    await using stack = new AsyncDisposableStack()
    const open = async (who: 'admin' | 'user') => {
      const viewer = stack.use(await V3Viewer.connect(sessions[who], { frames: false }))
      viewers[who] = viewer
    }
    const admin = () => viewers.admin as V3Viewer
    const user = () => viewers.user as V3Viewer
    const settings = (patch: object) => rest.admin.does('/api/room/settings', { body: patch })

    const steps: Readonly<Record<string, () => Promise<unknown> | unknown>> = {
      'V3 admin connects': () => open('admin'),
      'V3 user connects': () => open('user'),
      'V3 user asks for media': () => user().watch({ video: {}, audio: {} }),
      'user requests control': () => user().send('control/request'),
      'user, host, moves by channel: MOVE 100,100': async () => {
        await user().peer.channelOpen()
        user().peer.send(v3Input.move(100, 100))
      },
      'admin requests control while user hosts': () => admin().send('control/request'),
      'user: bad payloads': () => {
        user().socket.sendRaw('not json')
        user().send('nonsense', {})
        user().send('control/move', { x: 'a' })
        user().send('control/move')
      },
      'user releases': () => user().send('control/release'),
      'admin takes over HTTP': () => rest.admin.does('/api/room/control/take'),
      'admin gives to user over HTTP': () => rest.admin.does(`/api/room/control/give/${sessions.user.id}`),
      'admin locks controls': () => settings({ locked_controls: true }),
      'admin unlocks controls': () => settings({ locked_controls: false }),
      'chat from user': () => user().send('chat/message', { text: 'hello' }),
      'broadcast message': () => user().send('send/broadcast', { subject: 's', body: { x: 1 } }),
      'unicast message': () => user().send('send/unicast', { receiver: sessions.admin.id, subject: 's', body: { x: 1 } }),
      'screen set': async () => {
        admin().send('screen/set', { width: 1024, height: 576, rate: 30 })
        await mark(admin())
        admin().send('screen/set', { width: 1280, height: 720, rate: 30 })
      },
      'signal/video disabled, then back': () => {
        user().send('signal/video', { disabled: true })
        user().send('signal/video', { disabled: false })
      },
      'signal/restart': () => user().send('signal/restart'),
      'profile of the user: can_host taken away': () => rest.admin.does(`/api/members/${sessions.user.id}`, { body: { can_host: false } }),
    }

    const seen = { admin: 0, user: 0 }
    for (const { step, ...expected } of golden) {
      await steps[step]?.()
      for (const who of ['admin', 'user'] as const) {
        const viewer = viewers[who]
        if (!viewer) {
          continue
        }
        const wanted = ordered(expected[who].map((message) => normalise(message, goldenIds)))
        await reached(viewer, { from: seen[who], count: wanted.length })
        const said = news(viewer).slice(seen[who])
        seen[who] += said.length
        expect({ step, who, said: ordered(said.map((message) => normalise(message, ids))) }).toEqual({ step, who, said: wanted })
      }
    }
  })

  /** Somebody of this test alone, who watches. */
  async function watcher(name: string, plane: number): Promise<V3Viewer> {
    const viewer = await V3Viewer.open({ url: fleet.urls[plane] ?? '', username: name, password: 'neko', frames: false })
    await viewer.watch()
    return viewer
  }
  const states = (viewer: V3Viewer, id: string) =>
    viewer.socket.history
      .filter(({ event, payload }) => event === 'session/state' && (payload as { id: string }).id === id)
      .map(({ payload }) => (payload as { is_watching: boolean }).is_watching)
  const machine = async (path: string, body: unknown) => {
    const boss = await loginV3({ url: fleet.url, username: 'machine', password: 'admin' })
    await new Person({ url: () => fleet.url }, boss).does(path, { body })
  }

  it('[WS-81] a second request replaces the peer without a word of it; an unknown stream opens none', async () => {
    await using ann = await watcher('ann', 0)
    await until(() => states(ann, ann.session.id).includes(true), { ms: 5_000, what: 'watching' })
    await ann.watch()
    ann.send('signal/request', { video: { selector: { id: 'nope' } } })
    await mark(ann)
    ann.send('signal/restart')
    await ann.event('signal/restart')
    const { history } = ann.socket
    expect(history.filter(({ event }) => event === 'signal/provide')).toHaveLength(2)
    expect(history.some(({ event }) => event === 'signal/close')).toBe(false)
    expect(states(ann, ann.session.id).slice(1)).not.toContain(false)
  })

  it('[WS-82] who may watch no more loses his picture about a second later, and keeps his socket', async () => {
    await using ann = await watcher('ann', 1)
    await until(() => states(ann, ann.session.id).includes(true), { ms: 5_000, what: 'watching' })
    const startedAt = performance.now()
    await machine(`/api/members/${ann.session.id}`, { can_watch: false })
    await ann.event('signal/close')
    expect(performance.now() - startedAt).toBeGreaterThan(900)
    expect(states(ann, ann.session.id).at(-1)).toBe(false)
    await mark(ann)
  })

  it('[WS-83] who is kicked hears why, and his peer goes after him', async () => {
    await using bob = await watcher('bob', 0)
    await using ann = await watcher('ann', 1)
    await until(() => states(bob, ann.session.id).includes(true), { ms: 5_000, what: 'watching' })
    await machine(`/api/members/${ann.session.id}`, { can_login: false })
    await ann.socket.closed
    expect(ann.socket.history.at(-1)).toEqual({ event: 'system/disconnect', payload: { message: 'profile changed' } })
    await until(() => states(bob, ann.session.id).at(-1) === false, { ms: 5_000, what: 'the end of his peer' })
  })

  it('[WS-84] private mode stops the picture of users, whatever their signalling says, and gives it back', async () => {
    await using ann = await watcher('ann', 0)
    const grows = async () => {
      const { packets } = ann.peer.audio
      await delay(400)
      return ann.peer.audio.packets > packets
    }
    await until(grows, { ms: 5_000, what: 'sound' })
    await machine('/api/room/settings', { private_mode: true })
    await until(async () => !(await grows()), { ms: 5_000, what: 'silence' })
    expect(states(ann, ann.session.id).at(-1)).toBe(true)
    await machine('/api/room/settings', { private_mode: false })
    await until(grows, { ms: 5_000, what: 'sound again' })
  })
})

/** What is not part of the record: what comes by the clock, marks, and candidates, which we write into the offer. */
const beside = new Set(['system/heartbeat', 'session/cursors', 'signal/candidate'])
const news = (viewer: V3Viewer) => viewer.socket.history.filter(({ event, payload }) => !beside.has(event) && !isMark(payload))

const isMark = (payload: unknown) => (payload as { subject?: string } | undefined)?.subject === 'mark'

/** Waits for so many messages, and then until nothing is under way any more. */
async function reached(viewer: V3Viewer, { from, count }: { from: number; count: number }): Promise<void> {
  await expect
    .poll(() => news(viewer).length >= from + count, { timeout: 10_000, interval: 10 })
    .toBe(true)
    .catch(() => undefined)
  await mark(viewer)
}

/** A message to oneself comes behind all that was asked for before it. */
async function mark(viewer: V3Viewer): Promise<void> {
  viewer.send('send/unicast', { receiver: viewer.session.id, subject: 'mark', body: null })
  await viewer.event('send/unicast', { ms: 15_000, where: isMark })
}
