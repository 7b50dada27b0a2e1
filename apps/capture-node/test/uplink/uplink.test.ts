import { silentLog, systemClock, until } from '@neko-edge/kit'
import type { RelayArgs } from '@neko-edge/protocol'
import { UdpShaper } from '@neko-edge/testing'
import { expect, it, vi } from 'vitest'
import { RemoteSource } from '../../src/relay/remote-source.ts'
import { openMediasoupSfu } from '../../src/sfu/mediasoup-sfu.ts'
import type { PeerOptions, SfuRoom, UplinkEnd, UplinkOffer } from '../../src/sfu/sfu.ts'
import { Uplinks } from '../../src/uplink/uplinks.ts'
import { testSources } from '../sfu/gst-source.ts'
import { codeOf, keptLog, patienceMs, workerBin } from '../sfu/room.ts'
import { WeriftPeer } from '../sfu/werift-peer.ts'

vi.setConfig({ testTimeout: 3 * patienceMs, hookTimeout: patienceMs })

const v3: PeerOptions = { kind: 'v3', canShare: false }
const input: RelayArgs<'relay.input'> = { room: 'default', session: 'ann', fence: 3, dialect: 'v3', input: { is: 'move', x: 1, y: 2 } }

interface WorldOptions {
  /** What the relay is told of the node that comes, and the node of the relay, in place of the truth. */
  readonly offered?: (offer: UplinkOffer) => UplinkOffer
  readonly told?: (end: UplinkEnd) => UplinkEnd | Promise<UplinkEnd>
}

/** The sources of a node that nobody can reach, and a relay to which they go. */
async function world({ offered = (offer) => offer, told = (end) => end }: WorldOptions = {}) {
  const owned = new AsyncDisposableStack()
  const origin = owned.use(testSources())
  const seen = {
    inputs: [] as unknown[],
    lost: 0,
    opened: 0,
    texts: [] as string[],
    ends: [] as UplinkEnd[],
    channel: undefined as Send | undefined,
  }
  const uplinks = owned.use(
    new Uplinks({ room: 'default', sources: origin, onInput: (args) => seen.inputs.push(args), clock: systemClock, log: silentLog }),
  )
  const held = new Map<string, () => void>()
  const follow = (source: (typeof origin.all)[number]) => {
    const remote: RemoteSource = new RemoteSource({
      id: source.id,
      codec: source.codec,
      onHeld: () => {
        held.get(source.id)?.()
        held.delete(source.id)
        if (remote.isHeld) {
          held.set(source.id, source.retain())
        }
        uplinks.want(origin.all.filter(({ id }) => held.has(id)))
      },
    })
    return remote
  }
  const sources = { rungs: origin.rungs.map(follow), cursorVideo: follow(origin.cursorVideo), audio: follow(origin.audio) }
  const sfu = owned.use(
    await openMediasoupSfu({
      ...{ workerBin, announced: ['127.0.0.1'], log: keptLog().log },
      ports: { listenIp: '127.0.0.1', range: { min: 40_000, max: 49_999 } },
    }),
  )
  const connect = async (end: UplinkEnd) => {
    seen.ends.push(end)
    const onOpen = () => {
      seen.opened += 1
    }
    const onLost = () => {
      seen.lost += 1
    }
    return offered(await uplinks.open({ name: 'relay', end: await told(end), onOpen, onLost }))
  }
  const onChannel = (send: Send | undefined) => {
    seen.channel = send
  }
  const room: SfuRoom = await sfu
    .openRelayedRoom(sources, () => ({ by: 'uplink', connect, onChannel, onMessage: (text) => seen.texts.push(text) }))
    .catch(async (error: unknown) => {
      await owned.disposeAsync()
      throw error
    })
  return { origin, uplinks, sfu, room, seen, [Symbol.asyncDispose]: () => owned.disposeAsync() }
}
type Send = (text: string) => void

/** A relay behind a line that a test can spoil; each further uplink has one of its own. */
async function worldOnLine() {
  const owned = new AsyncDisposableStack()
  const lines: UdpShaper[] = []
  const told = async (end: UplinkEnd) => {
    const line = owned.use(await UdpShaper.open({ host: '127.0.0.1', port: end.candidates[0]?.port ?? 0 }, { rate: 50_000_000 }))
    lines.push(line)
    return { ...end, candidates: end.candidates.map((candidate) => ({ ...candidate, ip: '127.0.0.1', port: line.port })) }
  }
  const { [Symbol.asyncDispose]: close, ...rest } = await world({ told })
  owned.defer(close)
  const [line] = lines
  if (line === undefined) {
    throw new Error('an uplink that was opened without a line')
  }
  return { ...rest, line, [Symbol.asyncDispose]: () => owned.disposeAsync() }
}

async function join(room: SfuRoom, options = v3) {
  const peer = await room.openPeer(options)
  const viewer = new WeriftPeer()
  await viewer.join(peer)
  return { peer, viewer, [Symbol.asyncDispose]: () => viewer[Symbol.asyncDispose]() }
}
const flows = ({ viewer }: { viewer: WeriftPeer }, packets = 5) => {
  const from = viewer.packets.video
  return until(() => viewer.packets.video > from + packets, { ms: patienceMs, what: 'video packets' })
}

it('[NAT-1961] pictures, rungs and sound go to a relay by an uplink, while somebody there looks; messages go both ways, in order', async () => {
  await using nat = await world()
  expect(nat.origin.all.map(({ runs }) => runs)).toEqual([0, 0, 0, 0])
  await using first = await join(nat.room)
  await flows(first)
  await until(() => first.viewer.packets.audio > 0, { ms: patienceMs, what: 'sound' })
  expect(nat.origin.all.map(({ runs }) => runs)).toEqual([1, 0, 0, 1])
  await first.peer.setVideo({ id: 'lq' })
  await until(() => first.peer.video.id === 'lq', { ms: patienceMs, what: 'the other rung' })
  await flows(first)
  await using legacy = await join(nat.room, { kind: 'v2', canShare: false })
  await flows(legacy)
  expect(legacy.peer.video.id).toBe('legacy')
  expect([first, legacy].map(({ viewer }) => viewer.missing)).toEqual([0, 0])
  await until(() => nat.seen.channel !== undefined && nat.seen.opened > 0, { ms: patienceMs, what: 'the channel' })
  for (let index = 0; index < 10; index++) {
    const toldAt = performance.now()
    nat.uplinks.tell(`${index}`)
    await until(() => nat.seen.texts.length > index, { ms: patienceMs, what: 'the message', everyMs: 2 })
    // None is lost and sent again, which takes SCTP a second.
    expect(performance.now() - toldAt).toBeLessThan(800)
  }
  nat.seen.texts.length = 0
  const picture = JSON.stringify({ data: 'A'.repeat(80_000), except: '' })
  expect([nat.uplinks.tell(picture), nat.uplinks.tell('second')]).toEqual([true, true])
  nat.seen.channel?.(JSON.stringify(input))
  nat.seen.channel?.('noise')
  nat.seen.channel?.(JSON.stringify({ ...input, room: 'another' }))
  nat.seen.channel?.(JSON.stringify({ ...input, session: 'ben' }))
  await until(() => nat.seen.texts.length === 2 && nat.seen.inputs.length === 2, { ms: patienceMs, what: 'the messages' })
  expect(nat.seen.texts).toEqual([picture, 'second'])
  expect(nat.seen.inputs).toEqual([input, { ...input, session: 'ben' }])
  first.peer.close()
  legacy.peer.close()
  await until(() => nat.origin.all.every(({ retains }) => retains === 0), { ms: patienceMs, what: 'the encoders to be let go' })
})

it('[NAT-1962] what is lost on the way is sent again; crowds that ask for key frames ask the encoder once a second', async () => {
  await using nat = await worldOnLine()
  await using first = await join(nat.room)
  await flows(first)
  nat.line.upLoss = 0.05
  await flows(first, 100)
  nat.line.upLoss = 0
  await flows(first, 20)
  await until(() => first.viewer.missing === 0, { ms: patienceMs, what: 'what was lost' })
  expect(nat.line.lostUp).toBeGreaterThan(2)
  const [asked, since] = [nat.origin.hq.keyFrameRequests, performance.now()]
  const more = await Promise.all(Array.from({ length: 12 }, () => join(nat.room)))
  await Promise.all(more.map((viewer) => flows(viewer)))
  expect(nat.origin.hq.keyFrameRequests - asked).toBeLessThanOrEqual(2 + (performance.now() - since) / 1_000)
  await Promise.all(more.map(({ viewer }) => viewer[Symbol.asyncDispose]()))
})

it.concurrent('[NAT-1963] who is not the one that was named is refused, on either side', async () => {
  const wrong = Array.from({ length: 32 }, () => 'AB').join(':')
  // The relay lets in the certificate that it was told of through Redis, and no other.
  expect(await codeOf(world({ offered: (offer) => ({ ...offer, fingerprint: wrong }) }))).toBe('unavailable')
  const guess = { usernameFragment: 'guess', password: 'of-a-stranger-who-knows-the-port' }
  const refused = await Promise.all([
    // The node stays with no relay that has another certificate than it was told of.
    codeOf(world({ told: (end) => ({ ...end, fingerprint: wrong }) })),
    // Without the credentials nobody gets an answer.
    codeOf(world({ told: (end) => ({ ...end, ice: guess }) })),
  ])
  expect(refused).toEqual(['timeout', 'timeout'])
})

it.concurrent('[NAT-1973] a path that is gone: the viewers are told within six seconds, and served again when it is back', async () => {
  await using nat = await worldOnLine()
  await using first = await join(nat.room)
  await flows(first)
  const goneAt = performance.now()
  nat.line.isGone = true
  await until(() => first.peer.state === 'closed', { ms: 6_000, what: 'the word' })
  console.log(JSON.stringify({ gone: 'the path of the uplink', toldMs: Math.round(performance.now() - goneAt) }))
  await using again = await join(nat.room)
  await flows(again)
})

it('[NAT-1964] an uplink that ends is opened again, and viewers are served by it; a worker of the relay that dies, too', async () => {
  await using nat = await world()
  await using first = await join(nat.room)
  await flows(first)
  const ended = new Promise((resolve) => {
    first.peer.onEvent((event) => (event.on === 'closed' ? resolve(event.reason) : undefined))
  })
  nat.uplinks.close('relay')
  expect(await ended).toBe('worker')
  await using again = await join(nat.room)
  await flows(again)
  expect(nat.seen.ends).toHaveLength(2)
  process.kill((await nat.sfu.workers())[0]?.pid ?? 0, 'SIGKILL')
  await until(() => again.peer.state === 'closed', { ms: patienceMs, what: 'the end of the viewer' })
  await using third = await join(nat.room)
  await flows(third)
  expect(nat.seen.ends.length).toBeGreaterThanOrEqual(3)
})
