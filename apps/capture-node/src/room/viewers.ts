import { type Clock, type Log, messageOf, NekoError } from '@neko-edge/kit'
import {
  type ChannelInput,
  decodeChannel,
  decodeLegacyChannel,
  encodeChannel,
  type NodeArgs,
  type NodeReplies,
  type PeerVideo,
  type Session,
} from '@neko-edge/protocol'
import { type PeerNews, type Room, type RoomEvent, watchSession } from '@neko-edge/store'
import type { IncomingMedia, Peer, PeerEvent, SfuRoom, VideoRequest, VideoState } from '../sfu/sfu.ts'
import { pickRung } from './stream-selector.ts'

/** A viewer who may not be here any more keeps his media for so long, so that his client learns why before it ends, in milliseconds. */
const farewellMs = 1_000

export interface ViewersOptions {
  readonly room: Room
  readonly sfu: SfuRoom
  /** The quality ladder, best first, and the measured rate of each rung in bit/s (0 while it does not run). */
  readonly rungs: () => readonly { id: string; bitrate: number }[]
  /** `undefined` where V2 clients are not served. */
  readonly cursorVideoId: string | undefined
  readonly setup: 'active' | 'actpass'
  /** What of microphone and webcam the desktop takes. */
  readonly taken: readonly ('audio' | 'video')[]
  /** Why the node takes no further viewer; nothing while it does. */
  readonly noPlace: () => string | undefined
  readonly onInput: (session: string, input: Exclude<ChannelInput, { is: 'ping' }>, dialect: 'v3' | 'v2') => void
  /** A channel has just opened: what is sent in this very call reaches it before any broadcast. */
  readonly onChannel: (session: string, send: (message: Uint8Array) => void) => void
  readonly onMedia: (media: IncomingMedia) => void
  /** A viewer has ended, by his own doing or through a fault. */
  readonly onLeft?: (session: string, peer: string) => void
  readonly clock: Clock
  readonly log: Log
}

/** The peers of a room by their session: one at most for each, the newest. */
export class Viewers {
  /** Messages of data channels that were too short or of no known kind. */
  ignoredMessages = 0
  readonly #options: ViewersOptions
  readonly #peers = new Map<string, Peer>()
  /** How many peers each session has had. */
  readonly #opened = new Map<string, number>()
  /** Peers whose video is being set: who asked for it gets the outcome as the reply, and no news of it besides. */
  readonly #asked = new Set<Peer>()
  readonly #stop: (() => void)[] = []

  constructor(options: ViewersOptions) {
    this.#options = options
    this.#stop.push(options.room.onEvents.add((events) => events.forEach((event) => this.#follow(event))))
  }

  get count(): number {
    return this.#peers.size
  }

  peerOf(session: string): Peer | undefined {
    return this.#peers.get(session)
  }

  /** The present peers, each with how many its session has had. */
  *all(): Iterable<{ session: string; peer: Peer; opened: number }> {
    for (const [session, peer] of this.#peers) {
      yield { session, peer, opened: this.#opened.get(session) ?? 1 }
    }
  }

  async open({ session: id, kind, video, audio }: NodeArgs<'peer.open'>): Promise<NodeReplies['peer.open']> {
    const { room, sfu, setup, cursorVideoId } = this.#options
    const session = room.view.session(id)
    if (!session?.profile.can_watch) {
      throw new NekoError('forbidden', 'session cannot watch')
    }
    const full = this.#peers.has(id) ? undefined : this.#options.noPlace()
    if (full !== undefined) {
      throw new NekoError('unavailable', full)
    }
    if (kind === 'v2' && cursorVideoId === undefined) {
      throw new NekoError('forbidden', 'V2 clients are not served here')
    }
    const wanted: VideoRequest =
      cursorVideoId !== undefined && kind === 'v2'
        ? { id: cursorVideoId }
        : { ...this.#resolve(video.selector, undefined), ...(video.auto && { auto: true }) }
    const peer = await sfu.openPeer({
      kind,
      video: { ...wanted, ...(video.disabled !== undefined && { disabled: video.disabled }) },
      audio: audio.disabled === undefined ? {} : { disabled: audio.disabled },
      canShare: session.profile.can_share_media,
      taken: this.#options.taken,
      paused: room.view.isShutOut(session.profile),
      setup,
    })
    const before = this.#peers.get(id)
    this.#peers.set(id, peer)
    this.#opened.set(id, (this.#opened.get(id) ?? 0) + 1)
    before?.close()
    peer.onEvent((event) => this.#onPeer(id, peer, event))
    return { peer: peer.id, sdp: peer.offer.sdp, video: wireVideo(peer.video), audio: { disabled: peer.audio.disabled } }
  }

  /** Ends the peer of a session that has another one elsewhere by now, without a word. */
  release(session: string): void {
    const peer = this.#peers.get(session)
    this.#peers.delete(session)
    peer?.close()
  }

  /** The session's peer, if it is the one that is meant. Fails with `notFound`. */
  find({ session, peer }: { session: string; peer: string }): Peer {
    const found = this.#peers.get(session)
    if (!found || found.id !== peer) {
      throw new NekoError('notFound', 'webRTC peer does not exist')
    }
    return found
  }

  async setVideo({ video, ...which }: NodeArgs<'peer.video'>): Promise<NodeReplies['peer.video']> {
    const peer = this.find(which)
    const before = JSON.stringify(peer.video)
    this.#asked.add(peer)
    try {
      if (video.disabled !== undefined) {
        await peer.setVideo({ disabled: video.disabled })
      }
      // V2 clients have one picture, the one with the pointer.
      const rung: VideoRequest = peer.kind === 'v3' && video.selector ? this.#resolve(video.selector, peer.video.id) : {}
      if (rung.id !== undefined || video.auto !== undefined) {
        await peer.setVideo({ ...rung, ...(video.auto !== undefined && { auto: video.auto }) })
      }
    } finally {
      this.#asked.delete(peer)
    }
    return { video: wireVideo(peer.video), changed: JSON.stringify(peer.video) !== before }
  }

  async setAudio({ audio, ...which }: NodeArgs<'peer.audio'>): Promise<NodeReplies['peer.audio']> {
    const peer = this.find(which)
    const before = peer.audio.disabled
    await peer.setAudio(audio.disabled === undefined ? {} : { disabled: audio.disabled })
    return { audio: { disabled: peer.audio.disabled }, changed: peer.audio.disabled !== before }
  }

  /** Follows the room no more. The peers end with the fan-out: whoever watched hears that his media is lost, and is given new media by whoever has the room next. */
  close(): void {
    this.#stop.forEach((stop) => stop())
  }

  #resolve(selector: NodeArgs<'peer.open'>['video']['selector'], current: string | undefined): { id: string } {
    const { rungs, cursorVideoId } = this.#options
    const id = pickRung(selector ?? { id: '', type: 'exact', bitrate: 0 }, {
      rungs: rungs(),
      cursorVideoId,
      isFirst: current === undefined && !selector,
    })
    if (id === undefined) {
      throw new NekoError('notFound', 'webrtc stream not found')
    }
    return { id }
  }

  #onPeer(session: string, peer: Peer, event: PeerEvent): void {
    switch (event.on) {
      case 'connected':
        return void this.#record(session, peer, true)
      case 'closed':
        return this.#closed(session, peer, event.reason)
      case 'video':
        return this.#asked.has(peer) ? undefined : this.#tell(session, peer, { is: 'video', video: wireVideo(event.video) })
      case 'offer':
        return this.#tell(session, peer, { is: 'offer', sdp: event.offer.sdp })
      case 'channel':
        return this.#options.onChannel(session, (message) => peer.send(message))
      case 'data':
        return this.#onData(session, peer, event)
      case 'media':
        return this.#options.onMedia(event.media)
      default:
        return event satisfies never
    }
  }

  // A channel that the client opened is V2's, little endian; the server's own is V3's.
  #onData(session: string, peer: Peer, { bytes, opener }: Extract<PeerEvent, { on: 'data' }>): void {
    const dialect = opener === 'client' ? 'v2' : 'v3'
    const input = dialect === 'v2' ? decodeLegacyChannel(bytes) : decodeChannel(bytes)
    if (input === undefined) {
      this.ignoredMessages++
      this.#options.log.debug({ session, opcode: bytes[0], length: bytes.length }, 'data channel message ignored')
    } else if (input.is === 'ping') {
      peer.send(encodeChannel({ is: 'pong', clientTime: input.clientTime, serverTime: this.#options.clock.now() }))
    } else {
      this.#options.onInput(session, input, dialect)
    }
  }

  #closed(session: string, peer: Peer, reason: string): void {
    this.#options.log.info({ session, peer: peer.id, reason }, 'viewer left')
    if (this.#peers.get(session) !== peer) {
      return
    }
    this.#peers.delete(session)
    this.#options.onLeft?.(session, peer.id)
    // Everybody hears that he does not watch any more before he is told himself.
    void this.#record(session, peer, false).then(() => {
      this.#tell(session, peer, { is: reason === 'worker' || reason === 'room' ? 'lost' : 'closed' })
    })
  }

  async #record(session: string, peer: Peer, isWatching: boolean): Promise<void> {
    try {
      await this.#options.room.run(watchSession, [session, peer.id, isWatching ? '1' : '0', 'peer'])
    } catch (error) {
      this.#options.log.warn({ session, error: messageOf(error) }, 'viewer could not be recorded')
    }
  }

  #tell(session: string, peer: Peer, news: PeerNews): void {
    this.#options.room.signal({ is: 'peer', session, peer: peer.id, news }).catch((error: unknown) => {
      this.#options.log.warn({ session, error: messageOf(error) }, 'viewer could not be told')
    })
  }

  /** What the room says of a viewer counts for his media: private mode, lost permissions, the end of his session. */
  #follow(event: RoomEvent): void {
    if (event.is === 'deleted') {
      this.#opened.delete(event.id)
    }
    if (event.is === 'settings') {
      for (const [id, peer] of this.#peers) {
        this.#pause(peer, this.#options.room.view.session(id))
      }
    } else if (event.is === 'profile') {
      const peer = this.#peers.get(event.id)
      if (peer) {
        const { can_watch, can_login, can_connect } = event.profile
        can_watch && can_login && can_connect ? this.#pause(peer, this.#options.room.view.session(event.id)) : this.#dismiss(event.id, peer)
      }
    } else if (event.is === 'deleted' || (event.is === 'state' && event.reason !== undefined)) {
      const peer = this.#peers.get(event.id)
      if (peer) {
        this.#dismiss(event.id, peer)
      }
    }
  }

  #pause(peer: Peer, session: Session | undefined): void {
    if (session) {
      peer.setPaused(this.#options.room.view.isShutOut(session.profile)).catch((error: unknown) => {
        this.#options.log.debug({ peer: peer.id, error: messageOf(error) }, 'viewer not paused')
      })
    }
  }

  #dismiss(session: string, peer: Peer): void {
    this.#options.clock.after(farewellMs, () => {
      peer.close()
      if (this.#peers.get(session) === peer) {
        this.#closed(session, peer, 'asked')
      }
    })
  }
}

const wireVideo = ({ disabled, id, auto }: VideoState): PeerVideo => ({ disabled, id, video: id, auto })
