import { type InstanceId, type NodeId, silentLog, systemClock, until } from '@neko-edge/kit'
import type { RelayArgs } from '@neko-edge/protocol'
import { Bus, type Connection, connect, Fleet, type Signal } from '@neko-edge/store'
import { enter, user, World } from '../../../../libs/store/test/world.ts'
import { NodeRelays } from '../../src/relay/node-relays.ts'
import { openOrigin } from '../../src/relay/origin.ts'
import type { Relays } from '../../src/relay/relays.ts'
import { openMediasoupSfu } from '../../src/sfu/mediasoup-sfu.ts'
import { keptLog, patienceMs, testRoom, workerBin } from '../sfu/room.ts'
import { WeriftPeer } from '../sfu/werift-peer.ts'

/** Where pipes of the tree end. */
export const pipes = { ip: '127.0.0.1', range: { min: 53_000, max: 53_999 } }
type Config = Parameters<typeof openOrigin>[0]['config']

/** A room's origin and some relays with a way to Redis each; the streams are test pictures, the desktop is whoever looks at `inputs`. */
export class Tree implements AsyncDisposable {
  readonly world: World
  readonly inputs: RelayArgs<'relay.input'>[] = []
  readonly signals: Signal[] = []
  /** The relays that had the uplink, one after the other. */
  readonly uplinks: (string | null)[] = []
  /** How each relay dies: Redis hears no more of it, as if its process were gone. */
  readonly deaths = new Map<string, () => Promise<void>>()
  readonly #owned = new AsyncDisposableStack()
  readonly #viewers = new Map<string, WeriftPeer>()
  relays!: Relays
  sources!: Awaited<ReturnType<typeof testRoom>>['sources']
  connection!: Connection
  /** By which the origin speaks. */
  bus!: Bus
  fleet!: Fleet

  private constructor(world: World) {
    this.world = world
  }

  /** `uplink`: how the origin's media leaves it. */
  static async open({ uplink = 'direct' }: { uplink?: 'direct' | 'relay' } = {}): Promise<Tree> {
    const tree = new Tree(await World.open())
    tree.#owned.use(tree.world)
    tree.connection = await tree.#connect()
    tree.fleet = tree.#owned.use(await Fleet.open(tree.connection, { log: silentLog }))
    const stage = tree.#owned.use(await testRoom({ pipes }))
    tree.sources = stage.sources
    const bus = tree.#owned.use(await Bus.open(tree.connection, { instance: 'stage' as InstanceId, log: silentLog }))
    tree.bus = bus
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
        config: { legacy: true, webrtc: { setup: 'active' }, node: { uplink } } as Config,
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
        facts: { tell: async (_, { facts }) => void tree.uplinks.push(facts.uplink ?? null) },
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
    // A relay that stops waits for its viewers to be gone.
    for (const session of this.#viewers.keys()) {
      this.relays.forget(session)
    }
    await this.#owned.disposeAsync()
  }

  async #connect(): Promise<Connection> {
    return this.#owned.use(await connect({ url: this.world.url, log: silentLog }))
  }
}
