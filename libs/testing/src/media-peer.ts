import { delay, NekoError, until } from '@neko-edge/kit'
import {
  type MediaStreamTrack,
  type RTCDataChannel,
  RTCPeerConnection,
  type RTCRtpReceiver,
  type RtpPacket,
  useH264,
  useOPUS,
  useVP8,
  useVP9,
} from 'werift'
import { type DataMessage, decodeDataMessage } from './data-message.ts'
import { Inbox } from './inbox.ts'
import { RtpMeter, type RtpPacketView } from './rtp-meter.ts'
import { beginsVp8KeyFrame, Vp8Assembler, type Vp8Frame } from './vp8-frame.ts'

const firstCandidateMs = 2_000
const connectMs = 10_000
const pliEveryMs = 1_000
const keptFrames = 200

/** An ICE candidate as the wire has it. */
export interface CandidateInit {
  candidate?: string
  sdpMid?: string | null
  sdpMLineIndex?: number | null
  usernameFragment?: string | null
}

export interface MediaPeerOptions {
  /** `accept`: the server opens the channel (V3); `create`: the client does (V2). */
  channel: 'accept' | 'create'
  /** Whether to put video packets together to frames; off where many viewers only have to be counted. */
  frames: boolean
  onCandidate: (candidate: CandidateInit) => void
}

/** The WebRTC side of a headless viewer: answers a server's offers, counts what it receives, and holds the data channel. */
export class MediaPeer {
  readonly video = new RtpMeter()
  readonly audio = new RtpMeter()
  /** Whole VP8 frames, the newest of them. */
  readonly frames: Vp8Frame[] = []
  readonly messages = new Inbox<DataMessage>((message) => message.kind)
  readonly #connection: RTCPeerConnection
  readonly #options: MediaPeerOptions
  readonly #assembler = new Vp8Assembler()
  #channel: RTCDataChannel | undefined
  #videoTrack: { receiver: RTCRtpReceiver; ssrc: number } | undefined
  readonly #early: CandidateInit[] = []
  readonly #found: CandidateInit[] = []
  #answered = false
  #announcing = false
  #closed = false

  constructor(options: MediaPeerOptions) {
    this.#options = options
    this.#connection = new RTCPeerConnection({
      // An empty list is not the default: without it werift asks a public STUN server and waits for it.
      iceServers: [],
      iceAdditionalHostAddresses: ['127.0.0.1'],
      iceUseIpv6: false,
      iceUseTcp: false,
      codecs: { audio: [useOPUS()], video: [useVP8(), useVP9(), useH264()] },
    })
    this.#connection.onIceCandidate.subscribe((found) => {
      if (found) {
        const { candidate, sdpMid = null, sdpMLineIndex = null } = found
        this.#announce({ candidate, sdpMid, sdpMLineIndex, usernameFragment: null })
      }
    })
    this.#connection.onTransceiverAdded.subscribe((transceiver) => {
      transceiver.onTrack.subscribe((track) => this.#listen(track, transceiver.receiver))
    })
    this.#connection.onDataChannel.subscribe((channel) => this.#hold(channel))
    if (options.channel === 'create') {
      // A browser takes id 0 as the DTLS client; werift would take 1, which is the server's first id, and the two would collide.
      this.#hold(this.#connection.createDataChannel('data', { id: 0 }))
    }
  }

  get state(): string {
    return this.#connection.connectionState
  }

  /** The channel's label and state, once there is one. */
  get channel(): { label: string; readyState: string; id: number } | undefined {
    return this.#channel && { label: this.#channel.label, readyState: this.#channel.readyState, id: this.#channel.id }
  }

  /** Takes an offer and gives the answer's SDP. `connected` tells when media can flow. */
  async answer(offer: string): Promise<string> {
    await this.#connection.setRemoteDescription({ type: 'offer', sdp: offer })
    // werift decides the outcome of ICE as soon as it answers: with no candidate of the other side yet it ends without a pair.
    if (!offer.includes('a=candidate:')) {
      await until(() => this.#early.length > 0, { ms: firstCandidateMs, what: 'a candidate of the server', everyMs: 2 })
    }
    for (const candidate of this.#early.splice(0)) {
      await this.#add(candidate)
    }
    const answer = await this.#connection.createAnswer()
    await this.#connection.setLocalDescription(answer)
    this.#answered = true
    return this.#connection.localDescription?.sdp ?? answer.sdp
  }

  /** Tells the server of the candidates, now that it has the answer: upstream drops what comes before it. */
  sendCandidates(): void {
    this.#announcing = true
    for (const candidate of this.#found.splice(0)) {
      this.#options.onCandidate(candidate)
    }
  }

  /** A candidate of the server; kept until there is an offer. */
  async addCandidate(candidate: CandidateInit): Promise<void> {
    if (this.#answered) {
      await this.#add(candidate)
    } else {
      this.#early.push(candidate)
    }
  }

  /** Resolves once ICE and DTLS are up; `unavailable` when they fail, `timeout` after 10 s. */
  async connected(): Promise<void> {
    const isUp = () => {
      if (this.state === 'failed' || this.state === 'closed') {
        throw new NekoError('unavailable', `the WebRTC connection is ${this.state}`)
      }
      return this.state === 'connected'
    }
    await until(isUp, { ms: connectMs, what: 'the WebRTC connection', everyMs: 5 })
  }

  /** Resolves once the data channel can be written. */
  async channelOpen(): Promise<void> {
    await until(() => this.#channel?.readyState === 'open', { ms: connectMs, what: 'the data channel opens', everyMs: 5 })
  }

  /** Sends over the data channel; `conflict` before it is open. */
  send(data: Uint8Array | string): void {
    if (this.#channel?.readyState !== 'open') {
      throw new NekoError('conflict', 'the data channel is not open')
    }
    this.#channel.send(typeof data === 'string' ? data : Buffer.from(data))
  }

  /** Asks the sender of the video for a key frame (PLI, RFC 4585 §6.3.1); `conflict` before the first packet. */
  async requestKeyFrame(): Promise<void> {
    if (!this.#videoTrack) {
      throw new NekoError('conflict', 'no video packet has come yet, so there is no SSRC to ask about')
    }
    await this.#videoTrack.receiver.sendRtcpPLI(this.#videoTrack.ssrc)
  }

  /**
   * What a decoder needs to show the picture of now: a key frame that comes from here on (it is asked for every second) and the
   * frames behind it, `count` in all. `timeout` after `ms`.
   */
  async freshFrames({ ms, count = 1 }: { ms: number; count?: number }): Promise<Vp8Frame[]> {
    const from = performance.now()
    let asked = Number.NEGATIVE_INFINITY
    const fresh = async () => {
      const now = performance.now()
      if (this.#videoTrack && now - asked > pliEveryMs) {
        asked = now
        await this.requestKeyFrame()
      }
      const start = this.frames.findIndex((frame) => frame.keyFrame && frame.at >= from)
      const run = start < 0 ? [] : this.frames.slice(start)
      return run.length >= count ? run : undefined
    }
    return until(fresh, { ms, what: `a key frame and ${count - 1} frames behind it`, everyMs: 5 })
  }

  /** Ends the connection; idempotent. */
  async close(): Promise<void> {
    if (this.#closed) {
      return
    }
    this.#closed = true
    this.messages.end(new NekoError('unavailable', 'this viewer is closed'))
    // werift lets pending timers and queued packets finish on the next turns; a close that hangs must not hold a test.
    await Promise.race([this.#connection.close(), delay(500)])
  }

  #announce(candidate: CandidateInit): void {
    if (this.#announcing) {
      this.#options.onCandidate(candidate)
    } else {
      this.#found.push(candidate)
    }
  }

  async #add(candidate: CandidateInit): Promise<void> {
    const { candidate: line = '', sdpMid = null, sdpMLineIndex = null } = candidate
    // An empty line means the end of candidates, which nothing here waits for.
    if (line !== '') {
      // V2 sends an empty mid: then the line's index counts.
      const place = sdpMid ? { sdpMid } : { sdpMLineIndex: sdpMLineIndex ?? 0 }
      await this.#connection.addIceCandidate({ candidate: line, ...place })
    }
  }

  #hold(channel: RTCDataChannel): void {
    this.#channel ??= channel
    channel.onMessage.subscribe((data) => {
      this.messages.push(decodeDataMessage(typeof data === 'string' ? Buffer.from(data) : data))
    })
  }

  #listen(track: MediaStreamTrack, receiver: RTCRtpReceiver): void {
    track.onReceiveRtp.subscribe((packet) => {
      const view = viewOf(packet)
      if (track.kind === 'audio') {
        this.audio.count(view, false)
        return
      }
      // The source may change: a server that restarts its media sends under a new SSRC, and only that one can be asked.
      this.#videoTrack = { receiver, ssrc: view.ssrc }
      this.video.count(view, beginsVp8KeyFrame(view.payload))
      if (this.#options.frames) {
        this.#assemble(view)
      }
    })
  }

  #assemble(view: RtpPacketView): void {
    const frame = this.#assembler.push(view)
    if (frame) {
      this.frames.push(frame)
      this.frames.splice(0, Math.max(0, this.frames.length - keptFrames))
    }
  }
}

function viewOf(packet: RtpPacket): RtpPacketView {
  const { ssrc, sequenceNumber, timestamp, marker } = packet.header
  return { ssrc, sequence: sequenceNumber, timestamp, marker, payload: packet.payload }
}
