import { until } from '@neko-edge/kit'
import { RtpMeter } from '@neko-edge/testing'
import { type RTCDataChannel, RTCPeerConnection, useOPUS, useVP8, useVP9 } from 'werift'
import type { Peer } from '../../src/sfu/sfu.ts'
import { patienceMs } from './room.ts'

/** A viewer without a browser: counts packets and keeps messages. */
export class WeriftPeer implements AsyncDisposable {
  readonly messages: number[][] = []
  packets = { audio: 0, video: 0 }
  readonly #video = new RtpMeter()
  #channel: RTCDataChannel | undefined
  label = ''
  readonly #connection = new RTCPeerConnection({
    // Without an empty list werift waits for a public STUN server.
    iceServers: [],
    iceAdditionalHostAddresses: ['127.0.0.1'],
    iceUseIpv6: false,
    codecs: { audio: [useOPUS()], video: [useVP8(), useVP9()] },
  })

  constructor() {
    this.#connection.onDataChannel.subscribe((channel) => {
      this.label = channel.label
      this.#channel = channel
      channel.onMessage.subscribe((data) => this.messages.push([...Buffer.from(data)]))
    })
    this.#connection.onTrack.subscribe((track) => {
      track.onReceiveRtp.subscribe((packet) => {
        this.packets[track.kind === 'audio' ? 'audio' : 'video'] += 1
        if (track.kind === 'video') {
          const { ssrc, sequenceNumber: sequence, timestamp, marker } = packet.header
          this.#video.count({ ssrc, sequence, timestamp, marker, payload: packet.payload }, false)
        }
      })
    })
  }

  get state(): string {
    return this.#connection.connectionState
  }

  /** Video packets that were sent, by their numbers, and did not come. */
  get missing(): number {
    return this.#video.missing
  }

  /** Takes an offer and gives the answer. */
  async answer(sdp: string): Promise<string> {
    await this.#connection.setRemoteDescription({ type: 'offer', sdp })
    await this.#connection.setLocalDescription(await this.#connection.createAnswer())
    return this.#connection.localDescription?.sdp ?? ''
  }

  /** A message on the channel that the server opened. */
  send(message: Buffer): void {
    this.#channel?.send(message)
  }

  /** Answers the first offer and waits for the connection and, where the server opens one, the channel. */
  async join(peer: Peer): Promise<void> {
    await peer.answer(await this.answer(peer.offer.sdp))
    await until(() => this.state === 'connected' && (peer.kind === 'v2' || this.label !== ''), { ms: patienceMs, what: 'the connection' })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#connection.close()
  }
}
