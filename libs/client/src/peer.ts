import { messageOf } from '@neko-edge/kit'
import type { IceServer } from '@neko-edge/protocol'
import { type ChannelOutput, decodeOutput } from '@neko-edge/protocol/channel'
import { pathReport } from './path-report.ts'
import type { ShareKind } from './share.ts'

/** What a peer tells its owner; nothing more comes after `onDown`. */
export interface PeerEvents {
  onAnswer: (sdp: string) => void
  /** The client has something to change: the server has to answer. */
  onOffer: (sdp: string) => void
  onCandidate: (candidate: RTCIceCandidateInit) => void
  /** Media flows and the data channel is open. */
  onUp: () => void
  /** The path wavers and may come back; an ICE restart helps where the network changed. */
  onShaky: () => void
  onDown: (reason: string) => void
  /** What of one's own the server would take, by its newest offer. */
  onTakes: (kinds: ReadonlySet<ShareKind>) => void
  onStream: (stream: MediaStream) => void
  onChannel: (message: ChannelOutput) => void
}

/** What the rest of the client needs of one WebRTC connection. */
export interface PeerLike {
  /** Takes an offer of the server, the first or a later one, and answers it. */
  accept(sdp: string): void
  /** Takes the server's answer to `onOffer`. */
  answered(sdp: string): void
  addCandidate(candidate: RTCIceCandidateInit): void
  /** Sends a track of one's own, or none of its kind any more. */
  publish(kind: ShareKind, track: MediaStreamTrack | undefined): void
  /** What was tried to reach the server, in words. */
  tried(): string
  /** Gives false while the channel is not open. */
  send(bytes: Uint8Array<ArrayBuffer>): boolean
  stats(): Promise<RTCStatsReport | undefined>
  close(): void
}

export type OpenPeer = (iceServers: readonly IceServer[], events: PeerEvents) => PeerLike

/** A WebRTC connection of the browser to the room: the server offers, and opens the data channel. */
export const openBrowserPeer: OpenPeer = (iceServers, events) => new BrowserPeer(iceServers, events)

class BrowserPeer implements PeerLike {
  readonly #peer: RTCPeerConnection
  readonly #events: PeerEvents
  readonly #stream = new MediaStream()
  /** Candidates that came before the offer that they belong to. */
  #early: RTCIceCandidateInit[] = []
  /** Candidates of both sides, for who wants to know why there is no path. */
  readonly #here: string[] = []
  readonly #there: string[] = []
  #channel: RTCDataChannel | undefined
  #work: Promise<void> = Promise.resolve()
  #isUp = false
  /** Takes the listeners off, too: Chromium never lets go of a peer that is closed while an event of it is on its way. */
  readonly #closed = new AbortController()

  constructor(iceServers: readonly IceServer[], events: PeerEvents) {
    this.#events = events
    this.#peer = new RTCPeerConnection({ iceServers: [...iceServers] })
    const listen = { signal: this.#closed.signal }
    this.#peer.addEventListener('icecandidate', ({ candidate }) => candidate && this.#found(candidate), listen)
    this.#peer.addEventListener('negotiationneeded', () => this.#later(() => this.#offer()), listen)
    this.#peer.addEventListener('track', ({ track, receiver }) => this.#addTrack(track, receiver), listen)
    this.#peer.addEventListener('datachannel', ({ channel }) => this.#takeChannel(channel), listen)
    this.#peer.addEventListener('connectionstatechange', () => this.#stateChanged(), listen)
    this.#peer.addEventListener('iceconnectionstatechange', () => this.#stateChanged(), listen)
  }

  accept(sdp: string): void {
    this.#there.push(...sdp.split(/\r?\n/).filter((line) => line.startsWith('a=candidate')))
    this.#later(async () => {
      // An offer of ours that crosses this one is taken back by it (RFC 8829 §4.1.10.2), and made anew afterwards.
      await this.#peer.setRemoteDescription({ type: 'offer', sdp })
      this.#events.onTakes(takenIn(sdp))
      const early = this.#early
      this.#early = []
      for (const candidate of early) {
        await this.#peer.addIceCandidate(candidate)
      }
      const answer = await this.#peer.createAnswer()
      // Chrome plays Opus as mono unless the answer asks for stereo.
      const stereo = (answer.sdp ?? '').replace(/useinbandfec=1(?!;stereo)/g, 'useinbandfec=1;stereo=1')
      await this.#peer.setLocalDescription({ type: 'answer', sdp: stereo })
      this.#events.onAnswer(stereo)
    })
  }

  answered(sdp: string): void {
    this.#later(async () => {
      if (this.#peer.signalingState === 'have-local-offer') {
        await this.#peer.setRemoteDescription({ type: 'answer', sdp })
      }
    })
  }

  publish(kind: ShareKind, track: MediaStreamTrack | undefined): void {
    this.#later(async () => {
      const line = this.#peer.getTransceivers().find(({ receiver }) => receiver.track.kind === kind)
      if (line) {
        await line.sender.replaceTrack(track ?? null)
        // The browser asks for a negotiation where that changes something.
        line.direction = track ? 'sendrecv' : 'recvonly'
      }
    })
  }

  tried(): string {
    return pathReport(this.#here, this.#there)
  }

  addCandidate(candidate: RTCIceCandidateInit): void {
    this.#there.push(candidate.candidate ?? '')
    if (this.#peer.remoteDescription === null) {
      this.#early.push(candidate)
      return
    }
    // A candidate that the browser does not take (an old one, another address family) costs itself only.
    this.#peer.addIceCandidate(candidate).catch(() => {})
  }

  send(bytes: Uint8Array<ArrayBuffer>): boolean {
    if (this.#channel?.readyState !== 'open') {
      return false
    }
    this.#channel.send(bytes)
    return true
  }

  async stats(): Promise<RTCStatsReport | undefined> {
    return this.#closed.signal.aborted ? undefined : this.#peer.getStats()
  }

  close(): void {
    this.#closed.abort()
    this.#peer.close()
  }

  #found(candidate: RTCIceCandidate): void {
    this.#here.push(candidate.candidate)
    this.#events.onCandidate(candidate.toJSON())
  }

  async #offer(): Promise<void> {
    // Where an offer of the server waits for its answer, the need is told again after it.
    if (this.#peer.signalingState === 'stable') {
      await this.#peer.setLocalDescription()
      this.#events.onOffer(this.#peer.localDescription?.sdp ?? '')
    }
  }

  #later(step: () => Promise<void>): void {
    this.#work = this.#work.then(step).catch((error: unknown) => this.#down(`the offer was not understood: ${messageOf(error)}`))
  }

  #addTrack(track: MediaStreamTrack, receiver: RTCRtpReceiver): void {
    // Interactive use wants the newest frame, not the smoothest film; not every browser has this yet.
    if ('jitterBufferTarget' in receiver) {
      receiver.jitterBufferTarget = track.kind === 'video' ? 0 : null
    }
    this.#stream.addTrack(track)
    this.#events.onStream(this.#stream)
  }

  #takeChannel(channel: RTCDataChannel): void {
    this.#channel = channel
    channel.binaryType = 'arraybuffer'
    const listen = { signal: this.#closed.signal }
    channel.addEventListener('open', () => this.#stateChanged(), listen)
    channel.addEventListener('close', () => this.#down('the data channel was closed'), listen)
    channel.addEventListener('message', ({ data }: MessageEvent<unknown>) => this.#heard(data), listen)
    this.#stateChanged()
  }

  #heard(data: unknown): void {
    const message = data instanceof ArrayBuffer ? decodeOutput(new Uint8Array(data)) : undefined
    if (message) {
      this.#events.onChannel(message)
    }
  }

  #stateChanged(): void {
    const { connectionState, iceConnectionState } = this.#peer
    if (connectionState === 'failed' || iceConnectionState === 'failed') {
      this.#down(`no network path to the media server was found. ${this.tried()}`)
    } else if (iceConnectionState === 'disconnected') {
      this.#events.onShaky()
    } else if (!this.#isUp && connectionState === 'connected' && this.#channel?.readyState === 'open') {
      this.#isUp = true
      this.#events.onUp()
    }
  }

  #down(reason: string): void {
    if (!this.#closed.signal.aborted) {
      this.close()
      this.#events.onDown(reason)
    }
  }
}

/** The media that an offer wants to receive (RFC 8866 §6.7). */
export function takenIn(sdp: string): ReadonlySet<ShareKind> {
  const lines = sdp.split(/^m=/m).slice(1)
  const kinds = ['audio', 'video'] as const
  return new Set(kinds.filter((kind) => lines.some((line) => line.startsWith(`${kind} `) && /^a=(sendrecv|recvonly)\r?$/m.test(line))))
}
