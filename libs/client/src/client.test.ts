import type { ServerMessage } from '@neko-edge/protocol'
import { FakeClock } from '@neko-edge/testing'
import { describe, expect, it } from 'vitest'
import { NekoClient } from './client.ts'
import type { SocketLike } from './link.ts'
import type { PeerEvents } from './peer.ts'
import { someRoom } from './room.fixture.ts'
import type { ThinOptions } from './thin/thin-line.ts'

/** A server in plain objects: it answers logins, and says over the socket what a test makes it say. */
function setUp({ webrtc = true } = {}) {
  const clock = new FakeClock()
  const sockets: SocketLike[] = []
  const urls: string[] = []
  const heard: { event: string }[] = []
  const peers: PeerEvents[] = []
  const answers: (() => Response)[] = []
  const thin: ThinOptions[] = []
  const client = new NekoClient({
    base: 'http://room/',
    webrtc,
    platform: {
      clock,
      random: () => 0,
      fetch: async () => (answers.shift() ?? (() => loggedIn('token')))(),
      openSocket: (url) => {
        const socket = {
          onopen: null,
          onmessage: null,
          onclose: null,
          send: (data: unknown) => void heard.push(JSON.parse(String(data))),
          close: () => {},
        } as SocketLike
        urls.push(url)
        sockets.push(socket)
        return socket
      },
      openThin: async (options) => {
        thin.push(options)
        return { wish: options.wish, point: () => true, statistics: () => ({ path: 'websocket' }) as never, close: () => {} }
      },
      openPeer: (_, events) => {
        peers.push(events)
        return {
          accept: () => {},
          answered: () => {},
          publish: () => {},
          tried: () => '',
          addCandidate: () => {},
          send: () => true,
          stats: async () => undefined,
          close: () => {},
        }
      },
    },
  })
  // The link reads nothing of `this`, and of an event only its data.
  const socket = () =>
    sockets.at(-1) as SocketLike & {
      onmessage: ((event: unknown) => void) | null
      onopen: (() => void) | null
      onclose: (() => void) | null
    }
  const says = (message: ServerMessage) => socket().onmessage?.({ data: JSON.stringify(message) })
  const letsIn = () => {
    socket().onopen?.()
    says(init)
  }
  const sees = () => {
    says(provide)
    peers.at(-1)?.onUp()
  }
  return { answers, client, clock, heard, letsIn, thin, peers, says, sees, socket, sockets, urls, is: () => client.connection.value.is }
}

const loggedIn = (token: string) => Response.json({ id: 'me', token, profile: someRoom().sessions.get('me')?.profile, state: {} })
const refused = (status: number, message: string) => () => Response.json({ code: status, message }, { status })

const { settings, screen, sessions } = someRoom()
const init: ServerMessage = {
  event: 'system/init',
  payload: {
    session_id: 'me',
    control_host: { id: '', has_host: false },
    screen_size: screen,
    sessions: Object.fromEntries(sessions),
    settings,
    touch_events: false,
    screencast_enabled: false,
    webrtc: { videos: ['main'] },
  },
}
const provide: ServerMessage = {
  event: 'signal/provide',
  payload: { sdp: 'offer', iceservers: [], video: { disabled: false, id: 'main', video: 'main', auto: false }, audio: { disabled: false } },
}
const farewell = (message: string): ServerMessage => ({ event: 'system/disconnect', payload: { message } })

async function live() {
  const all = setUp()
  await all.client.login('Anna', 'neko')
  all.letsIn()
  all.sees()
  return all
}

describe('NekoClient', () => {
  it('[WEB-110] signs in, joins, asks for the picture at once, and is live', async () => {
    const { client, heard, is, letsIn, sees, socket, urls } = setUp()
    expect(is()).toBe('signed-out')
    const login = client.login('Anna', 'neko')
    expect(is()).toBe('signing-in')
    await login
    expect(is()).toBe('joining')
    socket().onopen?.()
    expect(heard.map(({ event }) => event)).toEqual(['signal/request'])
    expect(is()).toBe('joining')
    letsIn()
    expect(is()).toBe('loading')
    sees()
    expect(is()).toBe('live')
    expect(client.token.value).toBe('token')
    expect(urls).toEqual(['ws://room/api/ws?token=token'])
  })

  it('[WEB-111] a refused login says why', async () => {
    const { answers, client } = setUp()
    answers.push(refused(401, 'Unauthorized'))
    await client.login('Anna', 'wrong')
    expect(client.connection.value).toEqual({ is: 'signed-out', trouble: { code: 'wrong-password', detail: 'Unauthorized' } })
  })

  it('[WEB-112] a cut socket comes back by itself; the picture that still flows is not asked for again', async () => {
    const { clock, heard, is, letsIn, socket } = await live()
    socket().onclose?.()
    expect(is()).toBe('reconnecting')
    clock.advance(250)
    letsIn()
    expect(is()).toBe('live')
    expect(heard.filter(({ event }) => event === 'signal/request')).toHaveLength(1)
  })

  it('[WEB-113] a server that forgot its sessions is signed in to anew, with new media', async () => {
    const { answers, client, clock, heard, is, letsIn, says, sees, socket, sockets, urls } = await live()
    socket().onclose?.()
    clock.advance(250)
    answers.push(refused(503, 'starting'), () => loggedIn('second'))
    socket().onopen?.()
    says(farewell('session not found'))
    expect(client.connection.value).toMatchObject({ is: 'reconnecting', trouble: { code: 'server-stopped' } })
    await expect.poll(() => clock.pending).toBe(1)
    clock.advance(3_000)
    await expect.poll(() => sockets.length).toBe(3)
    letsIn()
    sees()
    expect(is()).toBe('live')
    expect(client.token.value).toBe('second')
    expect(urls.at(-1)).toBe('ws://room/api/ws?token=second')
    expect(heard.filter(({ event }) => event === 'signal/request')).toHaveLength(2)
  })

  it('[WEB-114] a goodbye is final until the person decides; another window keeps its token', async () => {
    const { client, clock, is, letsIn, says, sees, sockets } = await live()
    says(farewell('connection replaced'))
    expect(client.connection.value).toEqual({ is: 'dismissed', trouble: { code: 'replaced', detail: 'connection replaced' } })
    expect(clock.pending).toBe(0)
    expect(client.token.value).toBe('token')
    client.rejoin()
    expect(sockets).toHaveLength(2)
    letsIn()
    sees()
    expect(is()).toBe('live')
  })

  it('[WEB-115] a stopping server and an occupied account are waited for, in words', async () => {
    for (const [message, code] of [
      ['connection shutdown', 'server-stopped'],
      ['already connected', 'already-connected'],
    ] as const) {
      const { client, clock, is, letsIn, says, socket } = await live()
      says(farewell(message))
      socket().onclose?.()
      expect(client.connection.value).toMatchObject({ is: 'reconnecting', trouble: { code } })
      clock.advance(250)
      letsIn()
      expect(is()).toBe('live')
    }
  })

  it('[WEB-116] a token that is worth nothing any more leads to the login, and is forgotten', () => {
    const { client, says, socket } = setUp()
    client.resume('old')
    socket().onopen?.()
    says(farewell('session not found'))
    expect(client.connection.value).toMatchObject({ is: 'signed-out', trouble: { code: 'session-ended' } })
    expect(client.token.value).toBeUndefined()
  })

  it('[WEB-117] the right to watch comes and goes with the profile', async () => {
    const { client, heard, is, says, sees } = await live()
    const profile = sessions.get('me')?.profile
    if (!profile) {
      throw new Error('the fixture has a profile')
    }
    says({ event: 'session/profile', payload: { id: 'me', ...profile, can_watch: false } })
    expect(is()).toBe('blind')
    expect(client.stream.value).toBeUndefined()
    says({ event: 'session/profile', payload: { id: 'me', ...profile } })
    sees()
    expect(is()).toBe('live')
    expect(heard.filter(({ event }) => event === 'signal/request')).toHaveLength(2)
  })

  it('[WEB-118] a hostile or odd message never breaks the client', async () => {
    const { is, socket } = await live()
    for (const data of [
      '{"event":"system/settings"}',
      '{"event":"session/state","payload":null}',
      '{"event":"signal/provide","payload":7}',
      '{"event":"control/host","payload":[]}',
      '{"event":"__proto__","payload":{}}',
      '{"event":"chat/message"}',
      '{"event":"session/created","payload":{"id":"x"}}',
      '{"event":"system/init","payload":{"session_id":"me","sessions":{"a":null}}}',
      '{"event":"signal/candidate","payload":{"candidate":{}}}',
    ]) {
      socket().onmessage?.({ data })
    }
    expect(is()).toBe('live')
  })

  it('[WEB-119] close and logout end every timer', async () => {
    const first = await live()
    first.client.close()
    expect(first.clock.pending).toBe(0)
    const second = await live()
    await second.client.logout()
    expect(second.clock.pending).toBe(0)
    expect(second.client.token.value).toBeUndefined()
  })

  it('[WEB-1332] while the thin line helps out the client is live, and input goes over the socket, whatever the data channel says', async () => {
    const { client, clock, heard, is, says, thin } = await live()
    says({ event: 'control/host', payload: { id: 'me', has_host: true, host_id: 'me' } })
    client.control.input({ is: 'move', x: 1, y: 2 })
    expect(heard.some(({ event }) => event === 'control/move')).toBe(false)
    clock.advance(3_000)
    await Promise.resolve()
    const { events, url } = thin[0] ?? expect.fail('no thin line')
    expect(url()).toBe('ws://room/api/stream?token=token')
    client.chooseVideo({ id: 'small' })
    events.onShown({ picture: 'video', canvas: {} as HTMLCanvasElement })
    expect([is(), client.path.value, client.room.value?.video?.id]).toEqual(['live', 'websocket', 'small'])
    client.control.input({ is: 'move', x: 3, y: 4 })
    expect(heard.at(-1)).toEqual({ event: 'control/move', payload: { x: 3, y: 4 } })
    expect(await client.statistics()).toEqual({ path: 'websocket' })
  })

  it('[WEB-1333] without WebRTC nothing is asked for over the socket, an offer is left alone, and the words say what is missing', async () => {
    const { client, heard, is, letsIn, peers, says, thin } = setUp({ webrtc: false })
    await client.login('Anna', 'neko')
    letsIn()
    says(provide)
    expect([heard, peers]).toEqual([[], []])
    expect(is()).toBe('loading')
    await Promise.resolve()
    thin[0]?.events.onWaiting({ attempt: 1, retryAt: 9 })
    expect(client.connection.value).toEqual({ is: 'reconnecting', attempt: 1, retryAt: 9, trouble: { code: 'no-webrtc' } })
    client.cursor.heard({ is: 'cursor-position', x: 1, y: 1 })
    thin[0]?.events.onShown({ picture: 'jpeg', canvas: {} as HTMLCanvasElement })
    // The pointer is in the picture already.
    expect([is(), client.path.value, client.cursor.position.value]).toEqual(['live', 'jpeg', undefined])
  })
})
