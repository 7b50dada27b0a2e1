import { Backoff, type Clock, Listeners } from '@neko-edge/kit'
import type { ClientEvent, IceCandidate, ServerPayloads } from '@neko-edge/protocol'
import { type ChannelInput, type ChannelOutput, encodeInput } from '@neko-edge/protocol/channel'
import { Cell, type Watchable } from './cell.ts'
import type { OpenPeer, PeerLike } from './peer.ts'
import type { ShareKind } from './share.ts'
import { pathIn, type WebRtcPath } from './stats.ts'
import type { Trouble } from './trouble.ts'

/** How long the server may take to offer, and a path may take to be found, in milliseconds. */
const offerMs = 10_000
const pathMs = 12_000
const pingMs = 2_000
/** The longest silence of a path that works, in milliseconds. */
const silentMs = 3_000
/** How long a path stays that is not the best one, in milliseconds; twice as long after each search that found no better one. */
const searchMs = 60_000
const mostDoublings = 5
/** Pings without an answer after which the path counts as dead. Counted, not timed: a frozen page is no dead path. */
const lostPings = 4

export type MediaState =
  | { readonly is: 'off' }
  | { readonly is: 'asked' }
  | { readonly is: 'connecting' }
  | { readonly is: 'up' }
  | { readonly is: 'waiting'; readonly attempt: number; readonly retryAt: number; readonly trouble: Trouble }

/** Whether media flows: `silent` where it did, and nothing was heard for a while. */
export type Flow = 'none' | 'silent' | 'up'

export interface MediaOptions {
  clock: Clock
  send: (event: ClientEvent, payload?: unknown) => boolean
  /** `undefined`: WebRTC is never tried. */
  openPeer: OpenPeer | undefined
  /** 0 ≤ x < 1: spreads the return of many viewers. */
  random: () => number
}

/**
 * The picture, the sound and the data channel. Asked for over the socket, connected by WebRTC, and asked for again with back-off
 * whenever it is lost, so that a viewer never reloads the page.
 */
export class Media {
  readonly #options: MediaOptions
  readonly #state = new Cell<MediaState>({ is: 'off' })
  readonly #stream = new Cell<MediaStream | undefined>(undefined)
  readonly #path = new Cell<WebRtcPath | undefined>(undefined)
  readonly #flow = new Cell<Flow>('none')
  readonly #takes = new Cell<ReadonlySet<ShareKind>>(new Set())
  readonly #roundTripMs = new Cell<number | undefined>(undefined)
  readonly #channel = new Listeners<ChannelOutput>()
  readonly #backoff = new Backoff({ firstMs: 250, maxMs: 8_000 })
  #peer: PeerLike | undefined
  #upAt: number | undefined
  /** Candidates that came between the request and the offer. */
  #early: RTCIceCandidateInit[] = []
  #unanswered = 0
  #cancelWait: () => void = () => {}
  #cancelPing: () => void = () => {}
  #cancelSilence: () => void = () => {}
  #cancelSearch: (() => void) | undefined
  /** Searches for a better path that found none. */
  #searches = 0

  constructor(options: MediaOptions) {
    this.#options = options
  }

  /** Whether WebRTC is not to be had, or not wanted. */
  get isOff(): boolean {
    return this.#options.openPeer === undefined
  }

  get state(): Watchable<MediaState> {
    return this.#state
  }

  get stream(): Watchable<MediaStream | undefined> {
    return this.#stream
  }

  /** Which way it takes; `undefined` while there is none, or the browser does not say. */
  get path(): Watchable<WebRtcPath | undefined> {
    return this.#path
  }

  get flow(): Watchable<Flow> {
    return this.#flow
  }

  /** What of microphone and camera the server would take. */
  get takes(): Watchable<ReadonlySet<ShareKind>> {
    return this.#takes
  }

  /** Time of a message to the media server and back, in milliseconds. */
  get roundTripMs(): Watchable<number | undefined> {
    return this.#roundTripMs
  }

  onChannel(listener: (message: ChannelOutput) => void): () => void {
    return this.#channel.add(listener)
  }

  /** Asks the server for media, unless it flows already: a peer outlives its socket. One that flows by a second-best path looks for a better. */
  start(): void {
    if (!this.isOff && this.#state.value.is !== 'up') {
      this.#ask()
    } else if (this.#cancelSearch) {
      this.#searches = 0
      this.#search()
    }
  }

  /** Waits for the socket to come back; what flows goes on flowing. */
  pause(): void {
    if (this.#state.value.is !== 'up') {
      this.#end()
      this.#state.set({ is: 'off' })
    }
  }

  stop(): void {
    this.#end()
    this.#state.set({ is: 'off' })
    this.#stream.set(undefined)
  }

  /** A new offer of the server, asked for or not: it replaces the peer. */
  provide({ sdp, iceservers }: ServerPayloads['signal/provide']): void {
    const { openPeer } = this.#options
    if (!openPeer) {
      return
    }
    const early = this.#state.value.is === 'asked' ? this.#early : []
    this.#end()
    this.#state.set({ is: 'connecting' })
    this.#cancelWait = this.#options.clock.after(pathMs, () =>
      this.#failed('no-media-path', `no path within ${pathMs / 1000} s. ${this.#peer?.tried() ?? ''}`),
    )
    const { send } = this.#options
    const peer = openPeer(iceservers, {
      onAnswer: (answer) => send('signal/answer', { sdp: answer }),
      onOffer: (offer) => send('signal/offer', { sdp: offer }),
      onCandidate: (candidate) => send('signal/candidate', candidate),
      onUp: () => this.#peer === peer && this.#up(),
      onShaky: () => this.#peer === peer && send('signal/restart'),
      onDown: (reason) => this.#peer === peer && this.#failed('no-media-path', reason),
      onTakes: (kinds) => this.#peer === peer && this.#takes.set(kinds),
      onStream: (stream) => this.#peer === peer && this.#stream.set(stream),
      onChannel: (message) => this.#peer === peer && this.#heard(message),
    })
    this.#peer = peer
    for (const candidate of early) {
      peer.addCandidate(candidate)
    }
    peer.accept(sdp)
  }

  /** A later offer to the same peer: renegotiation or ICE restart. */
  renegotiate(sdp: string): void {
    this.#peer?.accept(sdp)
  }

  /** The server's answer to an offer of the browser. */
  answered(sdp: string): void {
    this.#peer?.answered(sdp)
  }

  /** Sends a microphone or a camera, or none of its kind any more, while there is a peer. */
  publish(kind: ShareKind, track: MediaStreamTrack | undefined): void {
    this.#peer?.publish(kind, track)
  }

  candidate(candidate: IceCandidate): void {
    if (this.#state.value.is === 'asked') {
      this.#early.push(candidate)
    } else {
      this.#peer?.addCandidate(candidate)
    }
  }

  /** The server closed the peer. */
  closedByServer(): void {
    if (this.#peer) {
      this.#failed('no-picture-yet', 'the server closed the media connection')
    }
  }

  /** Sends input over the data channel; gives false while it is not open. */
  send(input: ChannelInput): boolean {
    // encodeInput makes a fresh buffer of its own, which is never shared.
    return this.#peer?.send(encodeInput(input) as Uint8Array<ArrayBuffer>) ?? false
  }

  async stats(): Promise<RTCStatsReport | undefined> {
    return this.#peer?.stats()
  }

  #ask(): void {
    this.#end()
    if (!this.#options.send('signal/request', {})) {
      this.#state.set({ is: 'off' })
      return
    }
    this.#state.set({ is: 'asked' })
    this.#cancelWait = this.#options.clock.after(offerMs, () => this.#failed('no-picture-yet', `no offer within ${offerMs / 1000} s`))
  }

  #up(): void {
    this.#cancelWait()
    this.#upAt = this.#options.clock.now()
    this.#state.set({ is: 'up' })
    this.#unanswered = 0
    this.#isHeard()
    this.#cancelPing = this.#options.clock.every(pingMs, () => this.#ping())
    this.#ping()
  }

  #isHeard(): void {
    this.#cancelSilence()
    this.#cancelSilence = this.#options.clock.after(silentMs, () => this.#flow.set('silent'))
    this.#flow.set('up')
  }

  #ping(): void {
    this.#unanswered += 1
    if (this.#unanswered > lostPings) {
      this.#failed('no-media-path', 'the media server went silent')
    } else {
      this.send({ is: 'ping', clientTime: this.#options.clock.now() })
      void this.#findPath()
    }
  }

  /** It may be another one than a moment ago: the network changed. */
  async #findPath(): Promise<void> {
    const peer = this.#peer
    const report = await peer?.stats().catch(() => undefined)
    if (report && peer === this.#peer) {
      this.#path.set(pathIn(report))
      this.#searchLater()
    }
  }

  /** TCP and relays work, and UDP works better. A restart of ICE tries all ways anew, and what flows goes on until one is found. */
  #searchLater(): void {
    const path = this.#path.value
    if (path === 'tcp' || path === 'relay') {
      this.#cancelSearch ??= this.#options.clock.after(searchMs * 2 ** Math.min(this.#searches, mostDoublings), () => this.#search())
    } else if (path === 'udp') {
      this.#endSearch()
    }
  }

  #search(): void {
    const searches = this.#searches + 1
    this.#endSearch()
    this.#searches = searches
    this.#options.send('signal/restart')
  }

  #endSearch(): void {
    this.#cancelSearch?.()
    this.#cancelSearch = undefined
    this.#searches = 0
  }

  #heard(message: ChannelOutput): void {
    if (message.is === 'pong') {
      this.#unanswered = 0
      this.#isHeard()
      this.#roundTripMs.set(Math.max(0, this.#options.clock.now() - message.clientTime))
    }
    this.#channel.emit(message)
  }

  #failed(code: Trouble['code'], detail: string): void {
    const { clock, random } = this.#options
    const livedMs = this.#upAt === undefined ? 0 : clock.now() - this.#upAt
    this.#end()
    const delayMs = this.#backoff.next(livedMs) * (1 + random() / 2)
    this.#state.set({ is: 'waiting', attempt: this.#backoff.failures, retryAt: clock.now() + delayMs, trouble: { code, detail } })
    this.#cancelWait = clock.after(delayMs, () => this.#ask())
  }

  /** Ends the peer and every timer. The last stream stays: its frozen frame is better than black. */
  #end(): void {
    this.#cancelWait()
    this.#cancelPing()
    this.#cancelSilence()
    this.#endSearch()
    this.#early = []
    this.#upAt = undefined
    this.#roundTripMs.set(undefined)
    this.#path.set(undefined)
    const peer = this.#peer
    this.#peer = undefined
    peer?.close()
    this.#flow.set('none')
  }
}
