import { createSocket } from 'node:dgram'
import { type InstanceId, type NodeId, silentLog, systemClock, until } from '@neko-edge/kit'
import type { RelayArgs } from '@neko-edge/protocol'
import { Bus, type Connection, connect, Fleet, relayChannel, type Signal, takeControl } from '@neko-edge/store'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { enter, user, World } from '../../../../libs/store/test/world.ts'
import { NodeRelays } from '../../src/relay/node-relays.ts'
import { openOrigin } from '../../src/relay/origin.ts'
import type { Relays } from '../../src/relay/relays.ts'
import { openMediasoupSfu } from '../../src/sfu/mediasoup-sfu.ts'
import { keptLog, patienceMs, testRoom, workerBin } from '../sfu/room.ts'
import { WeriftPeer } from '../sfu/werift-peer.ts'

vi.setConfig({ testTimeout: 3 * patienceMs, hookTimeout: patienceMs })

const pipes = { ip: '127.0.0.1', range: { min: 53_000, max: 53_999 } }
type Config = Parameters<typeof openOrigin>[0]['config']

/** A room's origin and some relays with a way to Redis each; the streams are test pictures, the desktop is whoever looks at `inputs`. */
class Tree implements AsyncDisposable {
  readonly world: World
  readonly inputs: RelayArgs<'relay.input'>[] = []
  readonly signals: Signal[] = []
  /** How each relay dies: Redis hears no more of it, as if its process were gone. */
  readonly deaths = new Map<string, () => Promise<void>>()
  readonly #owned = new AsyncDisposableStack()
  readonly #viewers = new Map<string, WeriftPeer>()
  relays!: Relays
  sources!: Awaited<ReturnType<typeof testRoom>>['sources']
  connection!: Connection
  fleet!: Fleet

  private constructor(world: World) {
    this.world = world
  }

  static async open(): Promise<Tree> {
    const tree = new Tree(await World.open())
    tree.#owned.use(tree.world)
    tree.connection = await tree.#connect()
    tree.fleet = tree.#owned.use(await Fleet.open(tree.connection, { log: silentLog }))
    const stage = tree.#owned.use(await testRoom({ pipes }))
    tree.sources = stage.sources
    const bus = tree.#owned.use(await Bus.open(tree.connection, { instance: 'stage' as InstanceId, log: silentLog }))
    const node = 'stage' as NodeId
    const parts = { connection: tree.connection, bus, sfu: stage.sfu, node, maxViewers: 0, clock: systemClock, log: silentLog }
    const own = tree.#owned.use(await NodeRelays.open({ ...parts, isRelay: false }))
    const { hq, lq, cursorVideo, audio } = stage.sources
    const room = tree.world.room()
    room.onSignal.add((signal) => tree.signals.push(signal))
    tree.relays = tree.#owned.use(
      openOrigin({
        room,
        node,
        // What an origin reads of its configuration.
        config: { legacy: true, webrtc: { setup: 'active' } } as Config,
        capture: {
          videos: new Map([
            ['hq', hq],
            ['lq', lq],
          ]),
          cursorVideo,
          audio,
        },
        fanOut: stage.room,
        relaying: {
          ...{ own, fleet: tree.fleet, width: 1 },
          publish: (channel, text) => tree.connection.publish(channel, text),
          isReachable: () => tree.connection.isUp(),
        },
        greet: (send) => send(Uint8Array.of(2, 2)),
        onInput: (args) => tree.inputs.push(args),
        clock: systemClock,
        log: silentLog,
      }),
    )
    return tree
  }

  /** A relay with a place for so many, that says in the fleet that it lives. */
  async relay(name: string, maxViewers: number): Promise<AsyncDisposable> {
    const connection = await this.#connect()
    const owned = new AsyncDisposableStack()
    const node = name as NodeId
    const sfu = owned.use(
      await openMediasoupSfu({
        ...{ workerBin, pipes, announced: ['127.0.0.1'], log: keptLog().log },
        ports: { listenIp: '127.0.0.1', range: { min: 40_000, max: 49_999 } },
      }),
    )
    const bus = owned.use(await Bus.open(connection, { instance: name as InstanceId, log: silentLog }))
    owned.use(await NodeRelays.open({ connection, bus, sfu, node, maxViewers, isRelay: true, clock: systemClock, log: silentLog }))
    const offer = { roles: ['relay'], isCapture: false, cores: 1, load: 0, viewers: 0, maxRooms: 0, maxLoad: 100, isDrained: false }
    const beat = (isFirst: boolean) => this.fleet.beat({ node, instance: name as InstanceId, offer, isFirst, held: [] })
    await beat(true)
    const stop = systemClock.every(500, () => void beat(false))
    owned.defer(stop)
    this.#owned.use(owned)
    this.deaths.set(name, async () => {
      stop()
      await connection[Symbol.asyncDispose]()
    })
    return owned
  }

  /** Somebody comes to a room whose node is full, and sees its picture; gives how. */
  async watch(session: string): Promise<WeriftPeer> {
    if (!this.world.room().view.session(session)) {
      await enter(this.world.room(), user(session))
    }
    const opened = await this.relays.open({ session, kind: 'v3', video: {}, audio: {} })
    if (!opened) {
      throw new Error(`no relay takes ${session}`)
    }
    await this.#viewers.get(session)?.[Symbol.asyncDispose]()
    const viewer = new WeriftPeer()
    this.#viewers.set(session, viewer)
    const sdp = await viewer.answer(opened.sdp)
    await this.relays.call(session, 'peer.answer', { session, peer: opened.peer, sdp })
    await until(() => viewer.state === 'connected' && viewer.label !== '', { ms: patienceMs, what: 'the connection' })
    await until(() => viewer.packets.video > 5, { ms: patienceMs, what: 'a picture' })
    return viewer
  }

  lost(session: string): number {
    return this.signals.filter((signal) => signal.is === 'peer' && signal.session === session && signal.news.is === 'lost').length
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#viewers.values()].map((viewer) => viewer[Symbol.asyncDispose]()))
    await this.#owned.disposeAsync()
  }

  async #connect(): Promise<Connection> {
    return this.#owned.use(await connect({ url: this.world.url, log: silentLog }))
  }
}

let tree: Tree
beforeAll(async () => {
  tree = await Tree.open()
})
afterAll(() => tree[Symbol.asyncDispose]())

it('[RLY-1762] fills relays one after the other, each next one fed by the one before; messages reach every channel, input comes back under its fence', async () => {
  await tree.relay('a', 1)
  const ann = await tree.watch('ann')
  await tree.relay('b', 3)
  const ben = await tree.watch('ben')
  const numbers = await tree.relays.numbers()
  expect(numbers.map(({ relay, bytesSent }) => [relay, bytesSent > 0])).toEqual([
    ['a', true],
    ['b', false],
  ])
  // How the cursor looks, once more for all when a further relay came.
  const isGreeting = (message: number[]) => message.join() === '2,2'
  expect([ann, ben].every(({ messages }) => messages.length > 0 && messages.every(isGreeting))).toBe(true)
  tree.relays.tellChannel(Uint8Array.of(1, 7), 'ann')
  await until(() => ben.messages.some((message) => message.join() === '1,7'), { ms: patienceMs, what: 'the message' })
  expect(ann.messages.every(isGreeting)).toBe(true)
  await tree.world.room().run(takeControl, ['ben'])
  const { fence } = tree.world.room().view
  await until(
    () => {
      ben.send(Buffer.from('01000400030005', 'hex'))
      return tree.inputs.some((input) => input.fence === fence)
    },
    { ms: patienceMs, what: 'the input', everyMs: 100 },
  )
  expect(tree.inputs.at(-1)).toEqual({ room: 'default', session: 'ben', dialect: 'v3', fence, input: { is: 'move', x: 3, y: 5 } })
})

it('[MOV-1976] a node that had the room before ends and keeps nothing of who has it now; what strangers send to a relay shows in the room’s numbers', async () => {
  const old = await Bus.open(tree.connection, { instance: 'an old origin' as InstanceId, log: silentLog })
  const say = (name: string, more = {}) => old.call(relayChannel('a'), name, { args: { room: 'default', origin: 'old', ...more } })
  await expect(say('relay.beat', { bitrates: {} })).rejects.toMatchObject({ code: 'notFound' })
  expect(await say('relay.close')).toBeNull()
  await old[Symbol.asyncDispose]()
  expect((await tree.relays.numbers()).map(({ relay, refused }) => [relay, refused])).toEqual([
    ['a', 0],
    ['b', 0],
  ])
  // One at every port that may be the end of a pipe: the relay that feeds another one has two.
  const stranger = createSocket('udp4')
  for (let port = pipes.range.min; port <= pipes.range.max; port++) {
    stranger.send(Buffer.alloc(200, 0x80), port, '127.0.0.1')
  }
  const refused = async () => (await tree.relays.numbers()).map((relay) => relay.refused).join()
  await until(async () => (await refused()) === '2,1', { ms: patienceMs, what: 'the strangers to be counted' })
  stranger.close()
})

it('[RLY-1763] who asks again, where he is, takes nobody’s place; who is served elsewhere by then is let go', async () => {
  await tree.watch('ann')
  expect((await tree.relays.numbers()).map(({ relay }) => relay)).toEqual(['a', 'b'])
  expect([tree.relays.has('ann'), tree.relays.has('nobody')]).toEqual([true, false])
  expect(tree.lost('ann')).toBe(0)
})

it('[RLY-1764] a relay that stops: its viewers are told to come again, and are only then let go', async () => {
  const c = await tree.relay('c', 3)
  const before = await tree.watch('cleo')
  expect((await tree.relays.numbers()).at(-1)?.relay).toBe('b')
  // Full up: the next one is the third relay's.
  await tree.watch('dan')
  const eve = await tree.watch('eve')
  expect((await tree.relays.numbers()).at(-1)?.relay).toBe('c')
  const stopping = c[Symbol.asyncDispose]()
  await until(() => tree.lost('eve') > 0, { ms: 2_000, what: 'the word' })
  expect(eve.state).toBe('connected')
  await tree.relay('d', 3)
  await tree.watch('eve')
  await stopping
  expect((await tree.relays.numbers()).map(({ relay }) => relay)).toContain('d')
  expect(before.state).toBe('connected')
})

it('[RLY-1765] a relay that dies: its viewers and those behind it are told within a second and a half, and find their way', async () => {
  const [annLost, benLost] = [tree.lost('ann'), tree.lost('ben')]
  const diedAt = performance.now()
  await tree.deaths.get('a')?.()
  await until(() => tree.lost('ann') > annLost && tree.lost('ben') > benLost, { ms: 2_500, what: 'the word' })
  console.log(JSON.stringify({ died: 'a relay', toldMs: Math.round(performance.now() - diedAt) }))
  await tree.watch('ben')
  await tree.watch('ann')
  expect(performance.now() - diedAt).toBeLessThan(4_000)
  expect((await tree.relays.numbers()).map(({ relay }) => relay)).not.toContain('a')
})
