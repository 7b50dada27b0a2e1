import { until } from '@neko-edge/kit'
import { observer } from 'mediasoup'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import type { ChannelOpener, PeerEvent } from '../../src/sfu/sfu.ts'
import { ChromiumPeer, openChromium } from './chromium-peer.ts'
import { patienceMs, testRoom } from './room.ts'

vi.setConfig({ testTimeout: 3 * patienceMs, hookTimeout: patienceMs })

let browser: Awaited<ReturnType<typeof openChromium>>
beforeAll(async () => {
  browser = await openChromium()
})
afterAll(() => browser[Symbol.asyncDispose]())

const framesGrow = (viewer: ChromiumPeer, from = 0) =>
  until(async () => ((await viewer.video()).framesDecoded > from + 5 ? viewer.video() : undefined), {
    ms: patienceMs,
    what: 'decoded frames',
  })

it.for(['active', 'actpass'] as const)('[SFU-1] a V3 viewer sees, hears and has the channel data (setup %s)', async (setup) => {
  await using world = await testRoom()
  const peer = await world.room.openPeer({ kind: 'v3', canShare: true, setup })
  const events: PeerEvent[] = []
  peer.onEvent((event) => {
    events.push(event)
    if (event.on === 'channel') {
      peer.send(Uint8Array.of(2, 1))
      peer.send(Uint8Array.of(1, 2))
    }
  })
  const viewer = await ChromiumPeer.open(browser.context)
  const answer = await viewer.join(peer)
  expect(answer).toContain(setup === 'active' ? 'a=setup:passive' : 'a=setup:active')
  const seen = await framesGrow(viewer)
  expect([seen.width, seen.height]).toEqual([320, 180])
  await until(async () => (await viewer.audio()).bytesReceived > 0, { ms: patienceMs, what: 'audio' })
  expect((await viewer.tracks()).toSorted()).toEqual(['stream/audio', 'stream/video'])
  await until(async () => (await viewer.messages()).length === 2, { ms: patienceMs, what: 'the first messages' })
  expect(await viewer.channel()).toEqual({ label: 'data', readyState: 'open', id: setup === 'active' ? 0 : 1, ordered: true })
  expect(await viewer.messages()).toEqual([
    [2, 1],
    [1, 2],
  ])
  await viewer.send([7, 8, 9])
  const data = await until(() => events.find((one) => one.on === 'data'), { ms: patienceMs, what: 'a message' })
  expect(data.on === 'data' && [...data.bytes]).toEqual([7, 8, 9])
  expect(events.map((one) => one.on)).toContain('connected')
})

it.for(['active', 'actpass'] as const)(
  '[SFU-2] a V2 viewer opens its own channel and sees the picture with the pointer (setup %s)',
  async (setup) => {
    await using world = await testRoom()
    const peer = await world.room.openPeer({ kind: 'v2', canShare: false, setup })
    const openers: ChannelOpener[] = []
    const received: number[][] = []
    peer.onEvent((event) => {
      if (event.on === 'channel') {
        openers.push(event.opener)
        peer.send(Uint8Array.of(5))
      } else if (event.on === 'data') {
        received.push([...event.bytes])
      }
    })
    const viewer = await ChromiumPeer.open(browser.context, { createsChannel: true })
    await viewer.join(peer)
    const seen = await framesGrow(viewer)
    expect([seen.width, seen.height]).toEqual([240, 136])
    await until(async () => (await viewer.channel())?.readyState === 'open', { ms: patienceMs, what: 'the channel' })
    await viewer.send([1, 4, 0])
    await until(() => received.length === 1, { ms: patienceMs, what: 'a message' })
    expect(openers).toEqual(['client'])
    expect(received).toEqual([[1, 4, 0]])
    world.room.broadcast(Uint8Array.of(6))
    await until(async () => (await viewer.messages()).length === 2, { ms: patienceMs, what: 'messages' })
    expect(await viewer.messages()).toEqual([[5], [6]])
    expect(world.sources.hq.runs + world.sources.lq.runs).toBe(0)
  },
)

it('[SFU-3] an ICE restart keeps the picture', async () => {
  await using world = await testRoom()
  const peer = await world.room.openPeer({ kind: 'v3', canShare: false })
  const viewer = await ChromiumPeer.open(browser.context)
  await viewer.join(peer)
  await framesGrow(viewer)
  const before = peer.offer.sdp.match(/ice-ufrag:(\S+)/)?.[1]
  const offer = await peer.restart()
  expect(offer.sdp.match(/ice-ufrag:(\S+)/)?.[1]).not.toBe(before)
  await peer.answer(await viewer.answer(offer.sdp))
  await framesGrow(viewer, (await viewer.video()).framesDecoded)
  expect(peer.state).toBe('connected')
})

it('[SFU-4] microphone and webcam come in on the m-lines of the server, and end', async () => {
  await using world = await testRoom()
  const peer = await world.room.openPeer({ kind: 'v3', canShare: true })
  const packets = { audio: 0, video: 0 }
  const ended: string[] = []
  peer.onEvent((event) => {
    if (event.on === 'media') {
      event.media.onPacket((packet) => {
        packets[event.media.kind] += (packet.readUInt8(1) & 0x7f) === event.media.codec.payloadType ? 1 : 0
      })
      event.media.onEnd(() => ended.push(event.media.kind))
    }
  })
  const viewer = await ChromiumPeer.open(browser.context)
  await viewer.join(peer)
  await framesGrow(viewer)
  const { sdp } = await peer.acceptOffer(await viewer.share({ audio: true, video: true }))
  await viewer.takeAnswer(sdp)
  await until(() => packets.audio > 10 && packets.video > 10, { ms: patienceMs, what: 'microphone and webcam' })
  await framesGrow(viewer, (await viewer.video()).framesDecoded)
  const answer = await peer.acceptOffer(await viewer.unshare())
  await viewer.takeAnswer(answer.sdp)
  await until(() => ended.length === 2, { ms: patienceMs, what: 'the end of both' })
  await framesGrow(viewer, (await viewer.video()).framesDecoded)
})

it('[SFU-5] who may not share is answered, and nothing is taken', async () => {
  await using world = await testRoom()
  const peer = await world.room.openPeer({ kind: 'v3', canShare: false })
  let media = 0
  peer.onEvent((event) => {
    media += event.on === 'media' ? 1 : 0
  })
  const viewer = await ChromiumPeer.open(browser.context)
  await viewer.join(peer)
  await framesGrow(viewer)
  const { sdp } = await peer.acceptOffer(await viewer.share({ audio: true, video: false }))
  await viewer.takeAnswer(sdp)
  await framesGrow(viewer, (await viewer.video()).framesDecoded)
  expect(media).toBe(0)
})

it('[SFU-6] the viewer changes the rung without a new offer, and the encoder it leaves stops', async () => {
  await using world = await testRoom()
  const peer = await world.room.openPeer({ kind: 'v3', canShare: false, video: { id: 'hq' } })
  const offers: PeerEvent[] = []
  const states: string[] = []
  peer.onEvent((event) => {
    if (event.on === 'offer') {
      offers.push(event)
    } else if (event.on === 'video') {
      states.push(event.video.id)
    }
  })
  const viewer = await ChromiumPeer.open(browser.context)
  await viewer.join(peer)
  await until(async () => (await viewer.video()).width === 320, { ms: patienceMs, what: 'the best rung' })
  expect(world.sources.lq.runs).toBe(0)
  await peer.setVideo({ id: 'lq' })
  await until(async () => (await viewer.video()).width === 160, { ms: patienceMs, what: 'the lower rung' })
  await until(() => !world.sources.hq.isRunning, { ms: patienceMs, what: 'the end of the encoder' })
  await peer.setVideo({ id: 'hq' })
  await until(async () => (await viewer.video()).width === 320, { ms: patienceMs, what: 'the best rung again' })
  expect(offers).toEqual([])
  expect(states).toEqual(['lq', 'hq'])
})

it('[SFU-7] another picture is another consumer on the same m-line, after a new offer', async () => {
  await using world = await testRoom()
  const peer = await world.room.openPeer({ kind: 'v3', canShare: false })
  const viewer = await ChromiumPeer.open(browser.context)
  peer.onEvent((event) => {
    if (event.on === 'offer') {
      void viewer.answer(event.offer.sdp).then((sdp) => peer.answer(sdp))
    }
  })
  await viewer.join(peer)
  await framesGrow(viewer)
  await peer.setVideo({ id: 'legacy' })
  await until(async () => (await viewer.video()).width === 240, { ms: patienceMs, what: 'the other picture' })
  await until(() => !world.sources.hq.isRunning, { ms: patienceMs, what: 'the end of the encoder' })
})

it('[SFU-8] paused and disabled viewers get nothing, and their encoders stop', async () => {
  await using world = await testRoom()
  const peer = await world.room.openPeer({ kind: 'v3', canShare: false })
  const viewer = await ChromiumPeer.open(browser.context)
  await viewer.join(peer)
  await framesGrow(viewer)
  await peer.setPaused(true)
  await until(() => world.sources.all.every((source) => !source.isRunning), { ms: patienceMs, what: 'all encoders stop' })
  await peer.setPaused(false)
  await framesGrow(viewer, (await viewer.video()).framesDecoded)
  expect(await peer.setVideo({ disabled: true })).toEqual({ disabled: true, id: 'hq', auto: false })
  expect(await peer.setAudio({ disabled: true })).toEqual({ disabled: true })
  expect(world.sources.all.every((source) => !source.isRunning)).toBe(true)
  await peer.setVideo({ disabled: false })
  await framesGrow(viewer, (await viewer.video()).framesDecoded)
})

it('[SFU-9] a viewer that hangs up has left at once', async () => {
  await using world = await testRoom()
  const peer = await world.room.openPeer({ kind: 'v3', canShare: false })
  let reason = ''
  peer.onEvent((event) => {
    reason = event.on === 'closed' ? event.reason : reason
  })
  const viewer = await ChromiumPeer.open(browser.context)
  await viewer.join(peer)
  await framesGrow(viewer)
  await viewer.hangUp()
  await until(() => reason !== '', { ms: patienceMs, what: 'the end of the peer' })
  expect(reason).toBe('left')
  expect(world.room.peers.size).toBe(0)
  expect(world.sources.all.every((source) => source.retains === 0)).toBe(true)
})

it.each([
  ['vp9', 'g722'],
  ['h264', 'pcmu'],
  ['vp8', 'pcma'],
] as const)('[SFU-1002] %s is decoded, and %s is heard', async (video, sound) => {
  await using world = await testRoom({ video, sound })
  const peer = await world.room.openPeer({ kind: 'v2', canShare: false })
  const viewer = await ChromiumPeer.open(browser.context, { createsChannel: true })
  await viewer.join(peer)
  expect((await framesGrow(viewer)).codec).toBe(`video/${video.toUpperCase()}`)
  const heard = await until(
    async () => {
      const audio = await viewer.audio()
      return audio.loudness > 0.05 ? audio : undefined
    },
    { ms: patienceMs, what: 'the tone' },
  )
  expect(heard.codec).toBe(`audio/${sound.toUpperCase()}`)
})

it('[SFU-1001] AV1 is decoded, by who comes later too, and the worker knows its key frames', async () => {
  const keyFrames = tracedKeyFrames()
  await using world = await testRoom({ video: 'av1' })
  for (const kind of ['v3', 'v3', 'v2'] as const) {
    const peer = await world.room.openPeer({ kind, canShare: false })
    const viewer = await ChromiumPeer.open(browser.context, { createsChannel: kind === 'v2' })
    expect(await viewer.join(peer)).toContain('AV1/90000')
    const { width, codec } = await framesGrow(viewer)
    expect([width, codec]).toEqual([kind === 'v2' ? 240 : 320, 'video/AV1'])
  }
  await until(() => keyFrames.filter((ssrc) => ssrc === world.sources.hq.ssrc).length >= 2, { ms: patienceMs, what: 'two key frames' })
  expect(keyFrames.length).toBeLessThan(world.sources.hq.packets / 10)
})

/** The SSRC of each key frame that the next worker sees come in. */
function tracedKeyFrames(): number[] {
  const seen: number[] = []
  observer.once('newworker', (worker) =>
    worker.observer.on('newrouter', (router) =>
      router.observer.on('newtransport', (transport) =>
        transport.observer.on('newproducer', (producer) => {
          void producer.enableTraceEvent(['keyframe'])
          producer.on('trace', ({ info }) => seen.push((info['rtpPacket'] as { ssrc: number }).ssrc))
        }),
      ),
    ),
  )
  return seen
}
