import { readFileSync } from 'node:fs'
import { type ErrorCode, until } from '@neko-edge/kit'
import { FakeClock } from '@neko-edge/testing'
import { expect, it, vi } from 'vitest'
import type { CloseReason, Peer, PeerOptions, RoomEvent } from '../../src/sfu/sfu.ts'
import { codeOf, patienceMs, testRoom } from './room.ts'
import { WeriftPeer } from './werift-peer.ts'

vi.setConfig({ testTimeout: 3 * patienceMs, hookTimeout: patienceMs })

const v3: PeerOptions = { kind: 'v3', canShare: false }

/** Why a peer ends, once it has. */
function endOf(peer: Peer): Promise<CloseReason> {
  return new Promise((resolve) => {
    peer.onEvent((event) => (event.on === 'closed' ? resolve(event.reason) : undefined))
  })
}

async function join(room: { openPeer(options: PeerOptions): Promise<Peer> }, options = v3) {
  const peer = await room.openPeer(options)
  const viewer = new WeriftPeer()
  await viewer.join(peer)
  return { peer, viewer }
}

const mediaFlows = (viewer: WeriftPeer, from = 0) => until(() => viewer.packets.video > from + 5, { ms: patienceMs, what: 'video packets' })

it('[SFU-10] what is not an answer is refused, and the peer goes on', async () => {
  await using world = await testRoom()
  const peer = await world.room.openPeer(v3)
  await using viewer = new WeriftPeer()
  const good = await viewer.answer(peer.offer.sdp)
  const bad: [string, string, ErrorCode][] = [
    ['prose', 'hello', 'invalid'],
    ['too few m-lines', good.replace(/m=application[\s\S]*/, ''), 'invalid'],
    ['other mids', good.replaceAll('a=mid:0', 'a=mid:9'), 'invalid'],
    ['no role', good.replaceAll(/a=setup:\w+/g, 'a=setup:actpass'), 'invalid'],
  ]
  for (const [what, sdp, code] of bad) {
    expect(await codeOf(peer.answer(sdp)), what).toBe(code)
  }
  expect(await codeOf(peer.acceptOffer(good))).toBe('conflict')
  peer.addCandidate('candidate:1 1 udp 1 192.0.2.1 4000 typ host')
  peer.addCandidate('')
  await peer.answer(good)
  expect(await codeOf(peer.answer(good))).toBe('conflict')
  expect(await codeOf(peer.acceptOffer('hello'))).toBe('invalid')
  await mediaFlows(viewer)
  expect((await peer.stats()).candidates.udp).toBeGreaterThan(1)
})

it('[SFU-11] a stream that is not there is not found, before and after', async () => {
  await using world = await testRoom()
  expect(await codeOf(world.room.openPeer({ ...v3, video: { id: 'nope' } }))).toBe('notFound')
  const peer = await world.room.openPeer(v3)
  expect(await codeOf(peer.setVideo({ id: 'nope', disabled: true }))).toBe('notFound')
  expect(peer.video).toEqual({ disabled: true, id: 'hq', auto: false })
  expect(world.room.peers.size).toBe(1)
  peer.close()
  expect(world.sources.all.map((source) => source.retains)).toEqual([0, 0, 0, 0])
})

it('[SFU-12] a peer that closes during any step harms nobody', async () => {
  await using world = await testRoom()
  const steps: ((peer: Peer, answer: string) => Promise<unknown>)[] = [
    (peer, answer) => peer.answer(answer),
    (peer) => peer.restart(),
    (peer) => peer.setVideo({ id: 'lq' }),
    (peer) => peer.setVideo({ id: 'legacy' }),
    (peer) => peer.setVideo({ disabled: true }),
    (peer) => peer.setAudio({ disabled: true }),
    (peer) => peer.setPaused(true),
    (peer) => peer.stats(),
  ]
  for (const [index, step] of steps.entries()) {
    for (const turns of [0, 1, 3, 10]) {
      const peer = await world.room.openPeer(v3)
      await using viewer = new WeriftPeer()
      const answer = await viewer.answer(peer.offer.sdp)
      const ended = endOf(peer)
      const work = Promise.all([codeOf(step(peer, answer)), ...steps.map((other) => codeOf(other(peer, answer)))])
      for (let turn = 0; turn < turns; turn += 1) {
        await new Promise(setImmediate)
      }
      peer.close()
      peer.send(Uint8Array.of(1))
      const codes = await work
      expect(
        codes.every((code) => code === undefined || code === 'unavailable' || code === 'conflict'),
        `step ${index}: ${codes}`,
      ).toBe(true)
      expect(await ended).toBe('asked')
      expect(await codeOf(peer.restart())).toBe('unavailable')
    }
  }
  expect(world.room.peers.size).toBe(0)
  expect(world.sources.all.map((source) => source.retains)).toEqual([0, 0, 0, 0])
  const { viewer } = await join(world.room)
  await mediaFlows(viewer)
  await viewer[Symbol.asyncDispose]()
})

it('[SFU-13] rooms and peers that open while the room closes leave nothing behind', async () => {
  await using world = await testRoom()
  for (const turns of [0, 1, 2, 4, 8, 16]) {
    const room = await world.sfu.openRoom(world.sources)
    const peers = Promise.all([codeOf(room.openPeer(v3)), codeOf(room.openPeer({ kind: 'v2', canShare: true, setup: 'actpass' }))])
    for (let turn = 0; turn < turns; turn += 1) {
      await new Promise(setImmediate)
    }
    await room[Symbol.asyncDispose]()
    expect((await peers).every((code) => code === undefined || code === 'unavailable')).toBe(true)
    expect(room.peers.size).toBe(0)
    expect(world.sources.all.map((source) => source.retains)).toEqual([0, 0, 0, 0])
  }
})

it('[SFU-14] a worker that is killed ends its peers, and the room carries on in the next one', async () => {
  await using world = await testRoom()
  const events: RoomEvent['on'][] = []
  world.room.onEvent((event) => events.push(event.on))
  const first = await join(world.room)
  await mediaFlows(first.viewer)
  const ended = endOf(first.peer)
  const pid = (await world.sfu.workers())[0]?.pid ?? 0
  const pending = [first.peer.restart(), first.peer.setVideo({ id: 'lq' }), first.peer.stats()].map(codeOf)
  process.kill(pid, 'SIGKILL')
  expect(await ended).toBe('worker')
  await Promise.all(pending)
  world.room.broadcast(Uint8Array.of(1))
  // Nobody has to wait for `up` before coming back.
  const second = await join(world.room)
  await mediaFlows(second.viewer)
  expect(events).toEqual(['down', 'up'])
  expect((await world.sfu.workers())[0]?.pid).not.toBe(pid)
  expect([...world.room.peers.keys()]).toEqual([second.peer.id])
  await Promise.all([first.viewer, second.viewer].map((viewer) => viewer[Symbol.asyncDispose]()))
})

it('[SFU-15] a worker that hangs is replaced', async () => {
  await using world = await testRoom()
  const pid = (await world.sfu.workers())[0]?.pid ?? 0
  process.kill(pid, 'SIGSTOP')
  await until(async () => world.lines.some((line) => line.message === 'media worker hangs: killing it'), {
    ms: patienceMs,
    what: 'the pulse',
  })
  await until(() => world.room.isUp, { ms: patienceMs, what: 'the room again' })
  expect((await world.sfu.workers())[0]?.pid).not.toBe(pid)
})

it('[SFU-16] one broadcast reaches every open channel but that of the one who is left out', async () => {
  await using world = await testRoom()
  const all = await Promise.all(
    Array.from({ length: 20 }, () => join(world.room, { ...v3, video: { disabled: true }, audio: { disabled: true } })),
  )
  const [host] = all
  // Joining is a request to the worker, too: the last one has to have got there.
  await Promise.all(all.map(({ peer }) => peer.stats()))
  world.room.broadcast(Uint8Array.of(2, 2))
  world.room.broadcast(Uint8Array.of(1, 1), host?.peer.id)
  host?.peer.send(Uint8Array.of(3, 3))
  await until(() => all.every(({ viewer }) => viewer.messages.length === 2), { ms: patienceMs, what: 'two messages each' })
  expect(host?.viewer.messages).toEqual([
    [2, 2],
    [3, 3],
  ])
  expect(all.slice(1).every(({ viewer }) => JSON.stringify(viewer.messages) === '[[2,2],[1,1]]')).toBe(true)
  expect(world.sources.all.every((source) => source.runs === 0)).toBe(true)
  await Promise.all(all.map(({ viewer }) => viewer[Symbol.asyncDispose]()))
})

it('[SFU-17] key frames are asked for once, however many come at the same time', async () => {
  await using world = await testRoom()
  const first = await join(world.room)
  await mediaFlows(first.viewer)
  const before = world.sources.hq.keyFrameRequests
  const more = await Promise.all(Array.from({ length: 8 }, () => join(world.room)))
  await Promise.all(more.map(({ viewer }) => mediaFlows(viewer)))
  expect(world.sources.hq.keyFrameRequests - before).toBeLessThan(8)
  expect(world.sources.hq.runs).toBe(1)
  await Promise.all([first, ...more].map(({ viewer }) => viewer[Symbol.asyncDispose]()))
})

it('[SFU-18] who never answers is closed after 30 s', async () => {
  const clock = new FakeClock()
  await using world = await testRoom({ clock })
  const peer = await world.room.openPeer(v3)
  const ended = endOf(peer)
  clock.advance(29_000)
  expect(peer.state).toBe('new')
  clock.advance(2_000)
  expect(await ended).toBe('never')
  expect(world.sources.all.map((source) => source.retains)).toEqual([0, 0, 0, 0])
})

it('[SFU-19] only who has automatic quality over several rungs is offered transport-cc', async () => {
  await using world = await testRoom({ estimator: { initialBitrate: 1_000_000 } })
  const cases: [PeerOptions, boolean][] = [
    [{ ...v3, video: { auto: true } }, true],
    [{ ...v3, video: { auto: false } }, false],
    [{ kind: 'v2', canShare: true, video: { auto: true } }, false],
  ]
  for (const [options, expected] of cases) {
    const peer = await world.room.openPeer(options)
    expect(/transport-(cc|wide-cc)/.test(peer.offer.sdp), JSON.stringify(options)).toBe(expected)
    expect(peer.offer.sdp).not.toContain('goog-remb')
    peer.close()
  }
  const peer = await world.room.openPeer({ ...v3, video: { auto: true } })
  expect(peer.video).toEqual({ disabled: false, id: 'hq', auto: true })
  expect([world.sources.hq.retains, world.sources.lq.retains]).toEqual([1, 1])
  expect(await peer.setVideo({ auto: false })).toEqual({ disabled: false, id: 'hq', auto: false })
  expect([world.sources.hq.retains, world.sources.lq.retains]).toEqual([1, 0])
})

it('[SFU-20] without an estimator there is no automatic quality', async () => {
  await using world = await testRoom()
  const peer = await world.room.openPeer({ ...v3, video: { auto: true } })
  expect(peer.video.auto).toBe(false)
  expect(peer.offer.sdp).not.toContain('transport-cc')
})

it('[SFU-21] statistics speak of what has flowed', async () => {
  await using world = await testRoom()
  const { peer, viewer } = await join(world.room)
  await mediaFlows(viewer)
  peer.send(Uint8Array.of(1, 2, 3))
  const stats = await peer.stats()
  expect(stats).toMatchObject({
    state: 'connected',
    protocol: 'udp',
    // werift checks from each of its addresses.
    candidates: { udp: expect.any(Number), tcp: 0 },
    dataBytesSent: 3,
    dataBytesReceived: 0,
  })
  expect(stats.bytesSent).toBeGreaterThan(1_000)
  expect(stats.bytesReceived).toBeGreaterThan(100)
  const [worker] = await world.sfu.workers()
  expect(worker).toMatchObject({ index: 0, rooms: 1 })
  expect(worker?.maxRssBytes).toBeGreaterThan(1_000_000)
  await viewer[Symbol.asyncDispose]()
})

it('[SFU-22] VP9: every rung is a producer of its own, and a change is a new offer', async () => {
  await using world = await testRoom({ video: 'vp9' })
  const { peer, viewer } = await join(world.room)
  await mediaFlows(viewer)
  const ssrc = (sdp: string) => sdp.match(/a=ssrc-group:FID (\d+)/)?.[1]
  const offered = new Promise<string>((resolve) => {
    peer.onEvent((event) => (event.on === 'offer' ? resolve(event.offer.sdp) : undefined))
  })
  await peer.setVideo({ id: 'lq' })
  const sdp = await offered
  expect(ssrc(sdp)).not.toBe(ssrc(peer.offer.sdp))
  expect(world.sources.lq.retains).toBe(1)
  await peer.answer(await viewer.answer(sdp))
  await until(() => world.sources.lq.packets > 5 && world.sources.hq.retains === 0, { ms: patienceMs, what: 'the other rung' })
  await viewer[Symbol.asyncDispose]()
})

it('[SFU-35] a certificate that is not the announced one is a failed peer', async () => {
  await using world = await testRoom()
  const peer = await world.room.openPeer(v3)
  const ended = endOf(peer)
  await using viewer = new WeriftPeer()
  const answer = await viewer.answer(peer.offer.sdp)
  await peer.answer(answer.replaceAll(/(sha-256 )\S+/g, `$1${Array(32).fill('AB').join(':')}`))
  expect(await ended).toBe('failed')
})

it('[SFU-36] an m-line that the client refuses costs it that medium only, also after a restart', async () => {
  await using world = await testRoom()
  const peer = await world.room.openPeer(v3)
  await using viewer = new WeriftPeer()
  const answer = await viewer.answer(peer.offer.sdp)
  await peer.answer(answer.replace('m=audio 9', 'm=audio 0'))
  await mediaFlows(viewer)
  expect(world.sources.audio.retains).toBe(0)
  const { sdp } = await peer.restart()
  expect(sdp).toMatch(/^m=audio 0 /m)
  expect(sdp).toContain('a=group:BUNDLE 1 2')
  await peer.setAudio({ disabled: true })
  await peer.setAudio({ disabled: false })
  expect(world.sources.audio.retains).toBe(0)
})

it('[SFU-37] a client that offers nonsense to send is answered or refused, and its picture goes on', async () => {
  await using world = await testRoom()
  const { peer, viewer } = await join(world.room, { kind: 'v3', canShare: true })
  let media = 0
  peer.onEvent((event) => {
    media += event.on === 'media' ? 1 : 0
  })
  const offer = readFileSync(new URL('../../../../libs/sdp/src/fixture/chromium-offer.sdp', import.meta.url), 'utf8')
  await peer.acceptOffer(offer)
  expect(media).toBe(2)
  // One SSRC for everything: the worker takes the first.
  await peer.acceptOffer(offer.replaceAll(/ssrc:\d+/g, 'ssrc:77').replaceAll(/FID \d+ \d+/g, 'FID 77 78'))
  // The retransmissions of the worker's own payload types, header extensions that contradict each other, 30 m-lines.
  await peer.acceptOffer(offer.replaceAll('apt=96', 'apt=111'))
  await peer.acceptOffer(
    offer.replaceAll(
      /a=extmap:1 \S+/g,
      'a=extmap:14 urn:ietf:params:rtp-hdrext:sdes:mid\r\na=extmap:14 http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time',
    ),
  )
  const lines = Array.from(
    { length: 29 },
    (_, index) =>
      `m=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=mid:m${index}\r\na=sendonly\r\na=rtpmap:111 opus/48000/2\r\na=ssrc:${index + 9000} cname:x\r\n`,
  )
  await peer.acceptOffer(offer + lines.join(''))
  expect(await codeOf(peer.acceptOffer(offer))).toBe('invalid')
  await mediaFlows(viewer, viewer.packets.video)
  expect(peer.state).toBe('connected')
  await viewer[Symbol.asyncDispose]()
})
