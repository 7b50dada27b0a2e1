import { messageOf } from '@neko-edge/kit'
import type { IceServer } from '@neko-edge/protocol'
import { type ChannelOutput, decodeOutput } from '@neko-edge/protocol/channel'

/** What a peer tells its owner; nothing more comes after `onDown`. */
export interface PeerEvents {
  onAnswer: (sdp: string) => void
  onCandidate: (candidate: RTCIceCandidateInit) => void
  /** Media flows and the data channel is open. */
  onUp: () => void
  /** The path wavers and may come back; an ICE restart helps where the network changed. */
  onShaky: () => void
  onDown: (reason: string) => void
  onStream: (stream: MediaStream) => void
  onChannel: (message: ChannelOutput) => void
}

/** What the rest of the client needs of one WebRTC connection. */
export interface PeerLike {
  /** Takes an offer of the server, the first or a later one, and answers it. */
  accept(sdp: string): void
  addCandidate(candidate: RTCIceCandidateInit): void
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
  #channel: RTCDataChannel | undefined
  #work: Promise<void> = Promise.resolve()
  #isUp = false
  #isClosed = false

  constructor(iceServers: readonly IceServer[], events: PeerEvents) {
    this.#events = events
    this.#peer = new RTCPeerConnection({ iceServers: [...iceServers] })
    this.#peer.onicecandidate = ({ candidate }) => candidate && events.onCandidate(candidate.toJSON())
    this.#peer.ontrack = ({ track, receiver }) => this.#addTrack(track, receiver)
    this.#peer.ondatachannel = ({ channel }) => this.#takeChannel(channel)
    this.#peer.onconnectionstatechange = () => this.#stateChanged()
    this.#peer.oniceconnectionstatechange = () => this.#stateChanged()
  }

  accept(sdp: string): void {
    this.#later(async () => {
      await this.#peer.setRemoteDescription({ type: 'offer', sdp })
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

  addCandidate(candidate: RTCIceCandidateInit): void {
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
    return this.#isClosed ? undefined : this.#peer.getStats()
  }

  close(): void {
    if (this.#isClosed) {
      return
    }
    this.#isClosed = true
    if (this.#channel) {
      this.#channel.onclose = null
    }
    this.#peer.close()
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
    channel.onopen = () => this.#stateChanged()
    channel.onclose = () => this.#down('the data channel was closed')
    channel.onmessage = ({ data }: MessageEvent<unknown>) => {
      const message = data instanceof ArrayBuffer ? decodeOutput(new Uint8Array(data)) : undefined
      if (message) {
        this.#events.onChannel(message)
      }
    }
    this.#stateChanged()
  }

  #stateChanged(): void {
    const { connectionState, iceConnectionState } = this.#peer
    if (connectionState === 'failed' || iceConnectionState === 'failed') {
      this.#down('no network path to the media server was found')
    } else if (iceConnectionState === 'disconnected') {
      this.#events.onShaky()
    } else if (!this.#isUp && connectionState === 'connected' && this.#channel?.readyState === 'open') {
      this.#isUp = true
      this.#events.onUp()
    }
  }

  #down(reason: string): void {
    if (!this.#isClosed) {
      this.close()
      this.#events.onDown(reason)
    }
  }
}
