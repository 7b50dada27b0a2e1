import { type Clock, type Log, NekoError, type NodeId, type RoomId, until } from '@neko-edge/kit'
import { type ControlInput, PipeReply, type RelayArgs, RelayedMessageText, UplinkReply } from '@neko-edge/protocol'
import { type Connection, Room, relayedChannel } from '@neko-edge/store'
import { codecs } from '../capture/codec.ts'
import { peerCalls } from '../room/peer-calls.ts'
import { mayLegacyControl, showsPointer } from '../room/rights.ts'
import { Viewers, type ViewersOptions } from '../room/viewers.ts'
import type { PipeEnd, Sfu, SfuRoom, UplinkEnd } from '../sfu/sfu.ts'
import type { RelayBus, RelayHandlers } from './relay-bus.ts'
import { RemoteSource } from './remote-source.ts'

export interface RelayRoomOptions {
  readonly opened: RelayArgs<'relay.open'>
  readonly node: NodeId
  readonly connection: Connection
  readonly relayBus: RelayBus
  readonly sfu: Sfu
  /** Why the node takes no further viewer; nothing while it does. */
  readonly noPlace: () => string | undefined
  /** It is over: the origin fell silent. */
  readonly onOver: () => void
  readonly clock: Clock
  readonly log: Log
}

/** How long the origin may say nothing, while Redis is there, until the room counts as over, in milliseconds. */
const silenceMs = 4_000
const lookMs = 500
/** How long the pipe to the node before this one may take. */
const pipeMs = 5_000
/** Of the messages to a data channel, the one that says where the cursor is. */
const positionOpcode = 1
/** How long viewers have to go elsewhere when this node stops. */
const leaveMs = 3_000

/** Where the room comes from, and, where that is an uplink that is open, the way to send by it. */
interface Feed {
  parent: string
  send: ((text: string) => void) | undefined
}

/** A room as a relay has it: no desktop, one copy of each stream, and viewers of its own. What they do goes to the origin, which alone decides. */
export class RelayRoom implements AsyncDisposable {
  readonly #options: RelayRoomOptions
  readonly #room: Room
  readonly #owned: AsyncDisposableStack
  readonly #sources: readonly RemoteSource[]
  readonly #fanOut: SfuRoom
  readonly #viewers: Viewers
  readonly #cursor = new Map<number, Uint8Array>()
  readonly #feed: Feed
  /** Relays that take the room from here. */
  readonly #children = new Set<string>()
  #silentMs = 0

  private constructor(parts: {
    options: RelayRoomOptions
    room: Room
    owned: AsyncDisposableStack
    sources: readonly RemoteSource[]
    feed: Feed
    fanOut: SfuRoom
  }) {
    const { options, room, fanOut, sources, feed } = parts
    this.#options = options
    this.#room = room
    this.#owned = parts.owned
    this.#sources = sources
    this.#fanOut = fanOut
    this.#feed = feed
    const { media } = options.opened
    const rungs = sources.filter(({ id }) => media.rungs.includes(id))
    this.#viewers = new Viewers({
      room,
      sfu: fanOut,
      rungs: () => rungs.map(({ id, bitrate }) => ({ id, bitrate })),
      cursorVideoId: media.legacy ? media.cursorVideo : undefined,
      setup: media.setup,
      // What a viewer of a relay says or shows would have to go all the way back.
      taken: [],
      noPlace: () => options.noPlace(),
      onInput: this.#onInput,
      onChannel: (session, send) => this.#greet(session, send),
      onMedia: () => undefined,
      onLeft: (session, peer) => options.relayBus.tell(options.opened.origin, 'relay.left', { room: room.id, session, peer }),
      clock: options.clock,
      log: options.log,
    })
    this.#owned.defer(() => this.#viewers.close())
    this.#owned.defer(options.clock.every(lookMs, () => this.#look()))
  }

  /** Takes the room. Errors: `unavailable` where the node before this one is gone, `invalid` for media that this version does not know. */
  static async open(options: RelayRoomOptions): Promise<RelayRoom> {
    const { opened, connection, relayBus, node, sfu, log } = options
    const { media, origin } = opened
    const id = opened.room as RoomId
    let self: RelayRoom | undefined
    await using opening = new AsyncDisposableStack()
    const room = opening.use(await Room.open(id, { connection, log }))
    const [video, audio] = [codecOf(media.videoCodec), codecOf(media.audioCodec)]
    const all: RemoteSource[] = []
    const tellHeld = () => {
      const ids = all.filter(({ isHeld }) => isHeld).map((source) => source.id)
      relayBus.tell(origin, 'relay.held', { room: id, relay: node, ids })
    }
    const source = (name: string, codec: typeof video) => {
      const made = new RemoteSource({ id: name, codec, onHeld: tellHeld })
      all.push(made)
      return made
    }
    const sources = {
      rungs: media.rungs.map((name) => source(name, video)),
      cursorVideo: source(media.cursorVideo, video),
      audio: source(media.audio, audio),
    }
    const feed: Feed = { parent: opened.parent, send: undefined }
    const fanOut = opening.use(
      await sfu.openRelayedRoom(sources, () => {
        // The only node that nobody can reach is an uplinked origin.
        if (opened.isUplinked && feed.parent === origin) {
          return {
            by: 'uplink',
            connect: async (end) =>
              UplinkReply.parse(await relayBus.call(origin, 'uplink.open', { args: uplinkArgs(id, node, end), ms: pipeMs })),
            onChannel: (send) => {
              feed.send = send
            },
            onMessage: (text) => (self === undefined ? undefined : self.#hearUplink(text)),
          }
        }
        const connect = async (end: PipeEnd) => {
          const args = { room: id, name: node, end: { ...end, srtp: { ...end.srtp } } }
          return PipeReply.parse(await relayBus.call(feed.parent, 'pipe.open', { args, ms: pipeMs }))
        }
        return { by: 'pipe', connect }
      }),
    )
    opening.defer(
      await connection.subscribe(relayedChannel(id), (text) => {
        // What comes by the uplink, comes that way alone.
        if (self !== undefined && feed.send === undefined) {
          self.#hear(text)
        }
      }),
    )
    self = new RelayRoom({ options, room, owned: opening.move(), sources: all, feed, fanOut })
    return self
  }

  get viewers(): number {
    return this.#viewers.count
  }

  readonly handlers: RelayHandlers = {
    'relay.feed': ({ parent }) => {
      this.#feed.parent = parent
      this.#fanOut.reconnect()
      return null
    },
    'relay.beat': ({ origin, bitrates }) => {
      if (origin !== this.#options.opened.origin) {
        throw new NekoError('notFound', `this relay has the room from ${this.#options.opened.origin}`)
      }
      this.#silentMs = 0
      for (const source of this.#sources) {
        source.bitrate = bitrates[source.id] ?? 0
      }
      const ids = this.#sources.filter(({ isHeld }) => isHeld).map(({ id }) => id)
      return { viewers: this.viewers, isFull: this.#options.noPlace() !== undefined, ids }
    },
    'relay.refused': async () => {
      const counters = (await this.#options.sfu.workers()).flatMap((worker) => worker.counters ?? [])
      return counters.length === 0 ? null : counters.reduce((sum, { strangers, forged }) => sum + strangers + forged, 0)
    },
    'relay.peer': ({ call, args }) => peerCalls(this.#viewers).byName(call, args),
    'relay.release': ({ session }) => {
      this.#viewers.release(session)
      return null
    },
    'pipe.open': ({ name, end }) => this.#pipe(name, end),
    'pipe.close': ({ name }) => {
      this.#children.delete(name)
      this.#fanOut.closePipe(name)
      return null
    },
    'relay.input': (args) => {
      this.#sendUp(args)
      return null
    },
  }

  /** This node stops: the origin sends the viewers elsewhere, and they are waited for. */
  async leave(): Promise<void> {
    const { relayBus, opened, node } = this.#options
    relayBus.tell(opened.origin, 'relay.leaving', { room: this.#room.id, relay: node })
    await until(() => this.viewers === 0, { ms: leaveMs, what: 'the viewers to go' }).catch(() => undefined)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#owned.disposeAsync()
  }

  async #pipe(name: string, end: RelayArgs<'pipe.open'>['end']): Promise<PipeReply> {
    const { relayBus, node } = this.#options
    const lost = () => relayBus.tell(name, 'relay.feed', { room: this.#room.id, parent: node })
    this.#children.add(name)
    const { streams, ip, port, srtp } = await this.#fanOut.openPipe(name, end, lost)
    return { ip, port, srtp, streams: streams.map(({ kind, ids, rtp }) => ({ kind, ids: [...ids], rtp })) }
  }

  /** A viewer who has just come sees the cursor: what it looks like, and, unless it is his own, where it is. */
  #greet(session: string, send: (message: Uint8Array) => void): void {
    for (const [opcode, message] of this.#cursor) {
      if (opcode !== positionOpcode || !this.#room.view.isHost(session)) {
        send(message)
      }
    }
  }

  /** What everybody's channel is to hear. The newest of each kind, where the cursor is and how it looks, is kept for who comes later. */
  #hear(text: string): void {
    const parsed = RelayedMessageText.safeParse(text)
    if (!parsed.success) {
      this.#options.log.debug({ error: parsed.error.message }, 'message for all not understood')
      return
    }
    const bytes = Buffer.from(parsed.data.data, 'base64')
    this.#cursor.set(bytes[0] ?? 0, bytes)
    this.#fanOut.broadcast(bytes, this.#viewers.peerOf(parsed.data.except)?.id)
  }

  /** What an uplinked origin has for everybody, it says once: the other relays get it from here. */
  #hearUplink(text: string): void {
    this.#hear(text)
    if (this.#children.size > 0) {
      this.#options.connection.publish(relayedChannel(this.#room.id), text).catch(() => undefined)
    }
  }

  /** The way of input: by the uplink where that ends here, else by the bus to the node where it does, or to the origin itself. */
  #sendUp(args: RelayArgs<'relay.input'>): void {
    const { relayBus, opened } = this.#options
    if (this.#feed.send) {
      this.#feed.send(JSON.stringify(args))
    } else {
      relayBus.tell(opened.isUplinked ? this.#feed.parent : opened.origin, 'relay.input', args)
    }
  }

  readonly #onInput: ViewersOptions['onInput'] = (session, input, dialect) => {
    const { view } = this.#room
    const isHost = view.isHost(session)
    // A pointer that nobody is to see goes nowhere: there may be thousands.
    if (isHost || input.is !== 'move' || showsPointer(view, session) || (dialect === 'v2' && mayLegacyControl(view, session))) {
      const known: ControlInput = input
      this.#sendUp({ room: this.#room.id, session, dialect, input: known, ...(isHost && { fence: view.fence }) })
    }
  }

  #look(): void {
    const { connection, log, onOver } = this.#options
    // Without Redis nobody can say anything, and the picture comes all the same.
    this.#silentMs = connection.isUp() ? this.#silentMs + lookMs : 0
    if (this.#silentMs > silenceMs) {
      this.#silentMs = 0
      log.info({ parent: this.#feed.parent }, 'the origin says nothing more: room given up')
      onOver()
    }
  }
}

function uplinkArgs(room: string, name: string, { ice, candidates, fingerprint }: UplinkEnd): RelayArgs<'uplink.open'> {
  return { room, name, end: { ice: { ...ice }, candidates: candidates.map((candidate) => ({ ...candidate })), fingerprint } }
}

function codecOf(name: string) {
  if (!Object.hasOwn(codecs, name)) {
    throw new NekoError('invalid', `a room in ${name}, which this version does not know`)
  }
  return codecs[name as keyof typeof codecs]
}
