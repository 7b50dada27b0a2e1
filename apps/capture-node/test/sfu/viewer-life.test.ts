import { until } from '@neko-edge/kit'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import type { CloseReason, PeerOptions } from '../../src/sfu/sfu.ts'
import { ChromiumPeer, openChromium } from './chromium-peer.ts'
import { patienceMs, testRoom } from './room.ts'

vi.setConfig({ testTimeout: 3 * patienceMs, hookTimeout: patienceMs })

const v3: PeerOptions = { kind: 'v3', canShare: true }
let browser: Awaited<ReturnType<typeof openChromium>>
beforeAll(async () => {
  browser = await openChromium()
})
afterAll(() => browser[Symbol.asyncDispose]())

it('[SFU-30] the newest microphone of the room ends the one before', async () => {
  await using world = await testRoom()
  const log: string[] = []
  for (const name of ['first', 'second']) {
    const peer = await world.room.openPeer({ ...v3, video: { disabled: true } })
    peer.onEvent((event) => {
      if (event.on === 'media') {
        const off = event.media.onPacket(() => {
          log.push(`${name} speaks`)
          off()
        })
        event.media.onEnd(() => log.push(`${name} ends`))
      }
    })
    const viewer = await ChromiumPeer.open(browser.context)
    await viewer.join(peer)
    const { sdp } = await peer.acceptOffer(await viewer.share({ audio: true, video: false }))
    await viewer.takeAnswer(sdp)
    await until(() => log.includes(`${name} speaks`), { ms: patienceMs, what: 'a packet of the microphone' })
  }
  expect(log).toEqual(['first speaks', 'first ends', 'second speaks'])
})

it('[SFU-31] automatic quality: the estimate is there, and a viewer that turns it on is offered what it needs, and no more of it when he turns it off', async () => {
  await using world = await testRoom({ estimator: { initialBitrate: 1_000_000 } })
  const peer = await world.room.openPeer({ ...v3, video: { id: 'hq' } })
  const viewer = await ChromiumPeer.open(browser.context)
  const offers: string[] = []
  peer.onEvent((event) => {
    if (event.on === 'offer') {
      offers.push(event.offer.sdp)
      void viewer.answer(event.offer.sdp).then((sdp) => peer.answer(sdp))
    }
  })
  await viewer.join(peer)
  await until(async () => (await viewer.video()).framesDecoded > 5, { ms: patienceMs, what: 'decoded frames' })
  expect((await peer.stats()).availableBitrate).toBe(0)
  expect((await peer.setVideo({ auto: true })).auto).toBe(true)
  expect(offers).toHaveLength(1)
  expect(offers[0]).toContain('transport-cc')
  await until(async () => (await peer.stats()).availableBitrate > 0, { ms: patienceMs, what: 'an estimate' })
  await until(async () => (await viewer.video()).width === 320, { ms: patienceMs, what: 'the best rung, on a path that has room for it' })
  await peer.setVideo({ id: 'lq', auto: false })
  await until(async () => (await viewer.video()).width === 160, { ms: patienceMs, what: 'the rung that was asked for' })
  await until(() => offers.length === 2, { ms: patienceMs, what: 'an offer without the estimate' })
  expect(offers[1]).not.toContain('transport-cc')
  await peer.setVideo({ id: 'hq' })
  await until(async () => (await viewer.video()).width === 320, { ms: patienceMs, what: 'the rung that was asked for' })
  expect(offers).toHaveLength(2)
})

it('[SFU-32] a viewer whose machine disappears is lost after the grace', async () => {
  await using world = await testRoom()
  const doomed = await openChromium()
  const peer = await world.room.openPeer(v3)
  let reason: CloseReason | undefined
  const states = new Set<string>()
  peer.onEvent((event) => {
    reason = event.on === 'closed' ? event.reason : reason
  })
  const viewer = await ChromiumPeer.open(doomed.context)
  await viewer.join(peer)
  await until(async () => (await viewer.video()).framesDecoded > 5, { ms: patienceMs, what: 'decoded frames' })
  await doomed.kill()
  await until(() => states.add(peer.state) && reason !== undefined, { ms: patienceMs, what: 'the end of the peer' })
  expect(reason).toBe('lost')
  expect(states).toContain('disconnected')
  await doomed[Symbol.asyncDispose]()
})

it('[SFU-33] screen changes and encoder restarts are one key frame to the viewer', async () => {
  await using world = await testRoom()
  const peer = await world.room.openPeer(v3)
  const viewer = await ChromiumPeer.open(browser.context)
  await viewer.join(peer)
  await until(async () => (await viewer.video()).framesDecoded > 5, { ms: patienceMs, what: 'decoded frames' })
  world.sources.hq.restart([200, 150])
  await until(async () => (await viewer.video()).width === 200, { ms: patienceMs, what: 'the new size' })
  expect(peer.state).toBe('connected')
})

it('[SFU-34] a viewer that turns pictures off and on while its answer is awaited ends with the last wish', async () => {
  await using world = await testRoom()
  const peer = await world.room.openPeer(v3)
  const viewer = await ChromiumPeer.open(browser.context)
  const answers: Promise<void>[] = []
  peer.onEvent((event) => {
    if (event.on === 'offer') {
      answers.push(viewer.answer(event.offer.sdp).then((sdp) => peer.answer(sdp)))
    }
  })
  const join = viewer.join(peer)
  await Promise.all([join, peer.setVideo({ id: 'legacy' }), peer.setVideo({ id: 'lq' }), peer.setVideo({ id: 'legacy' })])
  await until(async () => (await viewer.video()).width === 240, { ms: patienceMs, what: 'the last picture' })
  await Promise.all(answers)
  expect(answers.length).toBeGreaterThan(0)
  await until(() => world.sources.hq.retains + world.sources.lq.retains === 0, { ms: patienceMs, what: 'the end of the others' })
})
