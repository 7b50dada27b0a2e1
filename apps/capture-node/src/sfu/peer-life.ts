import type { Clock } from '@neko-edge/kit'
import { Listeners } from '@neko-edge/kit'
import type { TransportTuple, WebRtcTransport } from 'mediasoup/types'
import type { CloseReason, PeerState } from './sfu.ts'

/**
 * Without a checked path for `consentTimeoutS` the worker calls ICE disconnected; the client then has `graceMs` to come back. Less would end sessions for
 * an outage of a few seconds: Firefox checks every four to six and does not repeat a check that was lost (RFC 7675 §5.1), so that after five seconds
 * without a network eleven may have passed. Until the end a viewer who vanished without a word keeps his encoder running.
 */
export const consentTimeoutS = 10
const graceMs = 6_000
/** How long a client has to answer and connect. */
const connectMs = 30_000

/** Follows one transport from its first check to its end, and tells when that has come. */
export class PeerLife {
  readonly onConnected = new Listeners<void>()
  readonly onEnd = new Listeners<CloseReason>()
  readonly #clock: Clock
  readonly #remotes = { udp: new Set<string>(), tcp: new Set<string>() }
  #state: PeerState = 'new'
  #stateChanges = 0
  #protocol: 'udp' | 'tcp' | undefined
  #hasDtls = false
  #cancelTimer: () => void

  constructor(transport: WebRtcTransport, clock: Clock, isWorkerDead: () => boolean) {
    this.#clock = clock
    this.#cancelTimer = clock.after(connectMs, () => this.onEnd.emit('never'))
    transport.on('icestatechange', (state) => this.#ice(state))
    transport.on('iceselectedtuplechange', (tuple) => this.#tuple(tuple))
    transport.on('dtlsstatechange', (state) => this.#dtls(state))
    transport.on('routerclose', () => this.onEnd.emit(isWorkerDead() ? 'worker' : 'room'))
    transport.on('listenserverclose', () => this.onEnd.emit(isWorkerDead() ? 'worker' : 'room'))
  }

  get state(): PeerState {
    return this.#state
  }

  get stateChanges(): number {
    return this.#stateChanges
  }

  get protocol(): 'udp' | 'tcp' | undefined {
    return this.#state === 'closed' ? undefined : this.#protocol
  }

  get candidates(): { udp: number; tcp: number } {
    return { udp: this.#remotes.udp.size, tcp: this.#remotes.tcp.size }
  }

  /** A candidate that the client named: it counts once, wherever it is heard of. */
  addCandidate(candidate: string): void {
    const [, , protocol, , address, port] = candidate.slice(0, 256).split(' ')
    if (address !== undefined && port !== undefined) {
      this.#remember(protocol?.toLowerCase() === 'tcp' ? 'tcp' : 'udp', `${address}:${port}`)
    }
  }

  close(state: 'closed' | 'failed'): void {
    this.#cancelTimer()
    this.#set(state)
    this.#set('closed')
  }

  #ice(state: 'new' | 'connected' | 'completed' | 'disconnected' | 'closed'): void {
    if (state === 'disconnected') {
      this.#set('disconnected')
      this.#cancelTimer()
      this.#cancelTimer = this.#clock.after(graceMs, () => this.onEnd.emit('lost'))
    } else if (state === 'connected' || state === 'completed') {
      if (this.#hasDtls) {
        this.#cancelTimer()
      }
      this.#set(this.#hasDtls ? 'connected' : 'connecting')
    }
  }

  #dtls(state: 'new' | 'connecting' | 'connected' | 'failed' | 'closed'): void {
    if (state === 'connected') {
      this.#hasDtls = true
      this.#cancelTimer()
      this.#set('connected')
      this.onConnected.emit()
    } else if (state === 'failed') {
      this.onEnd.emit('failed')
    } else if (state === 'closed') {
      this.onEnd.emit('left')
    }
  }

  #tuple({ protocol, remoteIp, remotePort }: TransportTuple): void {
    this.#protocol = protocol
    this.#remember(protocol, `${remoteIp}:${remotePort}`)
  }

  #remember(protocol: 'udp' | 'tcp', address: string): void {
    // A client could name any number of them.
    if (this.#remotes[protocol].size < 64) {
      this.#remotes[protocol].add(address)
    }
  }

  #set(state: PeerState): void {
    if (this.#state !== state && this.#state !== 'closed') {
      this.#state = state
      this.#stateChanges += 1
    }
  }
}
