import { type InstanceId, NekoError, type RoomId, silentLog } from '@neko-edge/kit'
import { type NodeArgs, type NodeCall, type NodeFacts, type NodeReplies, nodeCalls } from '@neko-edge/protocol'
import {
  Bus,
  type Connection,
  claimRoom,
  connect,
  nodeChannel,
  type PeerNews,
  Room,
  type Signal,
  tellFacts,
  watchSession,
} from '@neko-edge/store'

const facts: NodeFacts = {
  screen: { width: 1280, height: 720, rate: 30 },
  screens: [{ width: 1280, height: 720, rate: 30 }],
  touch: false,
  screencast: false,
  videos: ['main', 'small'],
  broadcast: { is_active: false, url: '' },
  dialog: null,
  files: [],
}

type Answers = { [C in NodeCall]?: (args: NodeArgs<C>) => NodeReplies[C] | Promise<NodeReplies[C]> }

/**
 * The capture node's end of the bus, without a desktop: it takes what a control plane asks as the protocol says, notes it, and
 * answers as told. What a real one does with it is tested with a real one.
 */
export class StandInNode implements AsyncDisposable {
  readonly calls: { name: NodeCall; args: Record<string, unknown> }[] = []
  readonly room: Room
  readonly answers: Answers
  readonly connection: Connection
  readonly #owned: AsyncDisposableStack
  #peers = 0

  private constructor(room: Room, connection: Connection, owned: AsyncDisposableStack) {
    this.connection = connection
    this.room = room
    this.#owned = owned
    this.answers = {
      'peer.open': ({ video, audio }) => {
        const id = video.selector?.id || 'main'
        if (!facts.videos.includes(id)) {
          throw new NekoError('notFound', 'webrtc stream not found')
        }
        this.#peers += 1
        const state = { disabled: video.disabled ?? false, id, video: id, auto: video.auto ?? false }
        return { peer: `peer-${this.#peers}`, sdp: `offer ${this.#peers}`, video: state, audio: { disabled: audio.disabled ?? false } }
      },
      'peer.restart': () => ({ sdp: 'restart' }),
      'peer.offer': () => ({ sdp: 'answer' }),
      'screen.set': ({ size }) => size,
      metrics: () => ({ families: [] }),
    }
  }

  /** Claims the room, and is ready. */
  static async open(redisUrl: string, id = 'default'): Promise<StandInNode> {
    await using owned = new AsyncDisposableStack()
    const connection = owned.use(await connect({ url: redisUrl, log: silentLog }))
    const bus = owned.use(await Bus.open(connection, { instance: 'stand-in' as InstanceId, log: silentLog }))
    const room = owned.use(await Room.open(id as RoomId, { connection, log: silentLog }))
    const node = new StandInNode(room, connection, owned.move())
    await room.run(claimRoom, ['stand-in', 'stand-in', 60_000, 'null', id === 'default' ? 0 : Date.now()])
    await bus.serve(nodeChannel(id), (name, args) => node.#take(name, args))
    await node.tell('ready', {})
    return node
  }

  /** What was asked so far under a name, oldest first. */
  asked(name: NodeCall): Record<string, unknown>[] {
    return this.calls.filter((call) => call.name === name).map(({ args }) => args)
  }

  async tell(
    change: 'ready' | 'screen' | 'broadcast' | 'dialog' | 'files' | 'full',
    changed: Partial<NodeFacts>,
    actor = '',
  ): Promise<void> {
    await this.room.run(tellFacts, ['stand-in', JSON.stringify({ ...facts, ...changed }), change, actor])
  }

  /** Claims the room that it runs, as after Redis was emptied. */
  async claimAgain(): Promise<void> {
    await this.room.run(claimRoom, ['stand-in', 'stand-in', 60_000, JSON.stringify(facts), 0])
  }

  signal(signal: Signal): Promise<void> {
    return this.room.signal(signal)
  }

  news(session: string, peer: string, news: PeerNews): Promise<void> {
    return this.signal({ is: 'peer', session, peer, news })
  }

  /** Media of a peer flows, or has ended. */
  async watching(session: string, peer: string, isOn: boolean): Promise<void> {
    await this.room.run(watchSession, [session, peer, isOn ? '1' : '0', 'peer'])
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#owned.disposeAsync()
  }

  #take(name: string, args: unknown): unknown {
    const call = name as NodeCall
    const parsed = nodeCalls[call].parse(args)
    // A look at the metrics is the test's own, and none that it asks about.
    if (call !== 'metrics') {
      this.calls.push({ name: call, args: parsed })
    }
    // The schema of this very name made the arguments.
    const answer = this.answers[call] as ((args: unknown) => unknown) | undefined
    return answer?.(parsed) ?? null
  }
}
