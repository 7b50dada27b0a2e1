import { silentLog, until } from '@neko-edge/kit'
import { freeTcpPort } from '@neko-edge/testing'
import { V3Viewer } from '@neko-edge/testing/viewer'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startControlPlane } from '../../src/main.node.ts'
import { configOf } from '../session/planes.fixture.ts'
import { PageServer } from './page.fixture.ts'
import { apiToken, HttpWorld, type Someone } from './world.fixture.ts'

let page: PageServer
let world: HttpWorld
let user: Someone
let admin: Someone

beforeAll(async () => {
  page = await PageServer.open()
  const env = {
    DESKTOP_APP: 'chromium',
    DESKTOP_APP_URL: page.url,
    DESKTOP_APP_NETWORK: 'shared',
    CAPTURE_SCREENCAST_ENABLED: 'true',
    OPENINAPP_ENABLED: 'true',
  }
  world = await HttpWorld.open({ node: true, env })
  user = await world.someone()
  admin = await world.admin()
  await page.asked('/loaded')
}, 90_000)
afterAll(async () => {
  await world?.[Symbol.asyncDispose]()
  await page?.[Symbol.asyncDispose]()
})

const post = (path: string, body?: unknown, token = user.token) => world.ask('POST', path, { token, body })
const get = (path: string, token = user.token) => world.ask('GET', path, { token })
const picture = async (path: string, token: string) => {
  const response = await world.fetch(path, { token })
  const headers = ['content-type', 'cache-control', 'etag', 'last-modified'].map((name) => response.headers.get(name))
  return { status: response.status, headers, bytes: Buffer.from(await response.arrayBuffer()) }
}
const jpegHeaders = ['image/jpeg', 'no-cache, no-store, must-revalidate', null, null]
const error = (status: number, message: string) => ({ status, json: { code: status, message } })

describe('a desktop over HTTP', () => {
  it('[HTTP-90] a dropped file reaches the page under the pointer, byte for byte, with its name', async () => {
    await world.giveControls(user)
    const bytes = crypto.getRandomValues(new Uint8Array(60_000))
    const form = new FormData()
    form.append('x', '640')
    form.append('y', '400')
    form.append('files', new Blob([bytes]), 'größe 1.bin')
    form.append('files', new Blob(['second']), 'same.txt')
    form.append('files', new Blob(['third']), 'same.txt')
    const response = await world.fetch('/api/room/upload/drop', { method: 'POST', token: user.token, body: form })
    expect([response.status, await response.text()]).toEqual([204, ''])
    const dropped = await page.asked(`/dropped/${encodeURIComponent('größe 1.bin')}`)
    expect(dropped.body.equals(bytes)).toBe(true)
    // Upstream would have made one file of the two.
    expect((await page.asked('/dropped/same.txt')).body.toString()).toBe('second')
    expect((await page.asked('/dropped/same%20(2).txt')).body.toString()).toBe('third')
  }, 60_000)

  it('[HTTP-91] the answer to a new screen size repeats the wish, the room has what came of it', async () => {
    const wish = { width: 1283, height: 720, rate: 0 }
    expect(await post('/api/room/screen', wish, admin.token)).toEqual({ status: 200, json: wish })
    expect(await get('/api/room/screen')).toEqual({ status: 200, json: { width: 1280, height: 720, rate: 60 } })
    for (const size of [{}, { width: 0, height: 720 }, { width: -8, height: 720 }, { width: 70_000, height: 70_000, rate: 60 }]) {
      expect(await post('/api/room/screen', size, admin.token)).toEqual(error(422, 'cannot set screen size'))
    }
    expect(await get('/api/room/screen')).toMatchObject({ json: { width: 1280, height: 720 } })
    await post('/api/room/screen', { width: 1280, height: 720, rate: 30 }, admin.token)
  })

  it('[HTTP-92] screenshots have the quality that was asked for, and come whole however large they are', async () => {
    await post('/api/room/screen', { width: 3840, height: 2160, rate: 25 }, admin.token)
    const shot = (query: string) => picture(`/api/room/screen/shot.jpg${query}`, admin.token)
    const [worst, usual] = [await shot('?quality=0'), await shot('?quality=abc')]
    for (const { status, headers, bytes } of [worst, usual]) {
      expect([status, headers]).toEqual([200, jpegHeaders])
      expect([bytes.subarray(0, 2).toString('hex'), bytes.subarray(-2).toString('hex')]).toEqual(['ffd8', 'ffd9'])
    }
    // The page goes on changing: the sizes of one picture and the next differ by more than its colours.
    await until(async () => (await shot('?quality=101')).bytes.length > worst.bytes.length, { ms: 5_000, what: 'a better picture' })
    await post('/api/room/screen', { width: 1280, height: 720, rate: 30 }, admin.token)
  }, 60_000)

  it('[HTTP-93] the screencast moves, but for users in private mode stands as it was when that began', async () => {
    const cast = (token: string) => picture('/api/room/screen/cast.jpg', token)
    const moves = async (token: string) => {
      const first = await cast(token)
      expect([first.status, first.headers]).toEqual([200, jpegHeaders])
      return until(async () => !(await cast(token)).bytes.equals(first.bytes), { ms: 5_000, what: 'another picture' })
    }
    await until(async () => (await cast(user.token)).status === 200, { ms: 10_000, what: 'the first picture' })
    await moves(user.token)
    await post('/api/room/settings', { private_mode: true }, admin.token)
    const frozen = await until(
      async () => {
        const now = await cast(user.token)
        return now.status === 200 ? now : undefined
      },
      { ms: 5_000, what: 'the frozen picture' },
    )
    await moves(admin.token)
    expect((await cast(user.token)).bytes.equals(frozen.bytes)).toBe(true)
    await post('/api/room/settings', { private_mode: false }, admin.token)
    await moves(user.token)
  }, 60_000)

  it('[HTTP-94] a room that began in private mode has no picture for users; one without screencast has none for anybody', async () => {
    await using other = await HttpWorld.open({ node: true, env: { SESSION_PRIVATE_MODE: 'true' } })
    const someone = await other.someone()
    expect(await other.ask('GET', '/api/room/screen/cast.jpg', { token: someone.token })).toEqual(
      error(400, 'private mode is enabled but no fallback image available'),
    )
    expect(await other.ask('GET', '/api/room/screen/cast.jpg', { token: apiToken })).toEqual(
      error(400, 'screencast pipeline is not enabled'),
    )
  }, 60_000)

  it('[HTTP-95] the host reads and writes the clipboard, as text or as HTML', async () => {
    await world.giveControls(user)
    expect((await post('/api/room/clipboard', { text: 'grün <&> \u2028 😀' })).status).toBe(204)
    expect(await get('/api/room/clipboard')).toEqual({ status: 200, json: { text: 'grün <&> \u2028 😀' } })
    expect((await post('/api/room/clipboard', { text: 'x', html: '<b>x</b>' })).status).toBe(204)
    expect(await get('/api/room/clipboard')).toEqual({ status: 200, json: { text: 'x', html: '<b>x</b>' } })
    expect((await post('/api/room/clipboard', { html: '<b>x</b>' })).status).toBe(204)
    // As upstream: without a text on it, nothing of it is read.
    expect(await get('/api/room/clipboard')).toEqual(error(500, 'Internal Server Error'))
    const long = 'x'.repeat(300_000)
    await post('/api/room/clipboard', { text: long })
    expect(await get('/api/room/clipboard')).toEqual({ status: 200, json: { text: long } })
    expect(await get('/api/room/clipboard/image.png')).toEqual(error(500, 'Internal Server Error'))
  })

  it('[HTTP-96] the host sets layout and modifiers; what is absent stays', async () => {
    await world.giveControls(user)
    expect((await post('/api/room/keyboard/map', { layout: 'de', variant: 'nodeadkeys' })).status).toBe(204)
    expect(await get('/api/room/keyboard/map')).toEqual({ status: 200, json: { layout: 'de', variant: 'nodeadkeys' } })
    for (const map of [{ layout: 'nowhere' }, { layout: '-option', variant: '$(id)' }]) {
      expect([400, 422]).toContain((await post('/api/room/keyboard/map', map)).status)
    }
    await post('/api/room/keyboard/map', { layout: 'us' })
    expect(await get('/api/room/keyboard/map')).toEqual({ status: 200, json: { layout: 'us', variant: '' } })
    await post('/api/room/keyboard/modifiers', { capslock: true, numlock: true })
    await post('/api/room/keyboard/modifiers', { capslock: false, shift: null })
    expect(await get('/api/room/keyboard/modifiers')).toMatchObject({ json: { capslock: false, numlock: true, shift: false } })
    await post('/api/room/keyboard/modifiers', { numlock: false })
  })

  it('[HTTP-97] a broadcast starts once, stops once, and its address is remembered', async () => {
    const url = 'rtmp://127.0.0.1:9/live'
    const start = (to: string) => post('/api/room/broadcast/start', { url: to, is_active: false }, admin.token)
    expect((await start('http://no.rtmp/')).status).toBe(400)
    expect(await start(url)).toEqual({ status: 204, json: '' })
    expect(await get('/api/room/broadcast', admin.token)).toEqual({ status: 200, json: { url, is_active: true } })
    expect(await start(url)).toEqual(error(422, 'server is already broadcasting'))
    expect((await post('/api/room/broadcast/stop', undefined, admin.token)).status).toBe(204)
    expect(await post('/api/room/broadcast/stop', undefined, admin.token)).toEqual(error(422, 'server is not broadcasting'))
    expect(await get('/api/room/broadcast', admin.token)).toEqual({ status: 200, json: { url, is_active: false } })
  })

  it('[PLG-13] a link is opened in the browser that is there', async () => {
    await world.giveControls(user)
    expect(await post('/api/openinapp/openlink', { text: `${page.url}/opened?a=1&b=$(id);'"#x` })).toEqual({ status: 200, json: null })
    expect((await page.asked('/opened')).path).toBe('/opened?a=1&b=$(id);%27%22')
  }, 60_000)
})

describe('numbers', () => {
  const upstream = [
    ...['capture_pipelines_total', 'capture_pipelines_active', 'capture_screencast_images_total', 'capture_streamsink_listeners'],
    ...['capture_streamsink_bytes', 'capture_streamsrc_data_bytes', 'webrtc_connection_state', 'webrtc_connection_state_count'],
    ...['webrtc_connection_count', 'webrtc_ice_candidates_count', 'webrtc_ice_candidates_used', 'webrtc_video_listeners'],
    ...['webrtc_receiver_estimated_maximum_bitrate', 'webrtc_receiver_estimated_target_bitrate', 'webrtc_receiver_report_delay'],
    ...[
      'webrtc_receiver_report_jitter',
      'webrtc_receiver_report_total_lost',
      'webrtc_transport_layer_nacks',
      'webrtc_bytes_sent',
      'webrtc_bytes_received',
    ],
  ].map((name) => `neko_${name}`)

  it('[HTTP-98] every family of upstream is there, and a viewer’s series are gone with his session', async () => {
    const port = await freeTcpPort()
    const config = configOf({ SERVER_BIND: `127.0.0.1:${port}` })
    await using _plane = await startControlPlane({ config, redisUrl: world.redis.url, log: silentLog })
    const text = async () => (await world.fetch('/metrics')).text()
    const families = [...(await text()).matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name)
    expect(families).toEqual(expect.arrayContaining(upstream))
    expect(new Set(families).size).toBe(families.length)

    const viewer = await V3Viewer.open({ url: `http://127.0.0.1:${port}`, username: 'viewer', password: 'neko', frames: false })
    await viewer.watch()
    const { id } = viewer.session
    const value = async (name: string) =>
      Number(new RegExp(`^neko_webrtc_${name}\\{session_id="${id}"[^}]*\\} (.*)$`, 'm').exec(await text())?.[1] ?? Number.NaN)
    await until(async () => (await value('connection_state')) === 5 && (await value('bytes_sent')) > 10_000, {
      ms: 20_000,
      what: 'numbers of a viewer',
    })
    expect([await value('connection_count'), await value('video_listeners'), await value('ice_candidates_used')]).toEqual([1, 1, 1])
    expect(await text()).toMatch(/^neko_edge_room_watching\{room="default"\} 1$/m)
    expect(await text()).toMatch(/^neko_edge_bus_call_seconds_count\{call="metrics",outcome="ok"\} \d+$/m)
    await viewer[Symbol.asyncDispose]()
    await world.ask('DELETE', `/api/sessions/${id}`, { token: apiToken })
    await until(async () => !(await text()).includes(id), { ms: 10_000, what: 'no numbers of who is gone' })
  }, 60_000)

  it('[HTTP-99] without a capture node the numbers of the control plane are there, and operations of the desktop are 503', async () => {
    await using bare = await HttpWorld.open()
    expect(await (await bare.fetch('/metrics')).text()).toContain('neko_edge_redis_script_seconds_total')
    const someone = await bare.admin()
    await bare.giveControls(someone)
    for (const [method, path] of [
      ['GET', '/api/room/keyboard/map'],
      ['GET', '/api/room/screen/shot.jpg'],
      ['GET', '/api/room/clipboard'],
    ] as const) {
      const response = await bare.fetch(path, { method, token: someone.token })
      expect([response.status, response.headers.get('retry-after')], path).toEqual([503, '2'])
    }
    expect((await bare.ask('GET', '/api/room/screen', { token: someone.token })).json).toEqual({ width: 1280, height: 720, rate: 30 })
  })
})
