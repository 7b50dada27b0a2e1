import type { PeerId } from '@neko-edge/kit'
import type { CandidateInit } from '@neko-edge/sdp'
import type { Codec } from '../capture/codec.ts'
import type { RtpSource } from '../capture/rtp-source.ts'
import type { WorkerCounters } from './worker-counters.ts'

/**
 * Plain RTP in, WebRTC out: what the rest of the capture node knows of the SFU. Nothing here names its vendor.
 * Every promise may reject with a NekoError: `invalid` (input that is not what it should be), `notFound` (no such stream), `conflict` (not now),
 * `unavailable` (the SFU is down or the peer has closed). None of them harms anybody but the caller.
 */
export interface Sfu extends AsyncDisposable {
  /** Makes a room of these sources; the room outlives the worker that happens to carry it. */
  openRoom(sources: RoomSources): Promise<SfuRoom>
  /** What each worker process has used, for metrics; a worker that is down is left out. */
  workers(): Promise<WorkerStats[]>
  /** Makes a room of what comes from another node; `upstream` is asked how each time that it is taken anew. The sources only say what there is, and are retained. */
  openRelayedRoom(sources: RoomSources, upstream: () => Upstream): Promise<SfuRoom>
  /** Whether no worker has place for another viewer: whoever comes all the same shares what there is. */
  readonly isFull: boolean
}

/** One worker process: CPU in milliseconds since its start, memory at its highest in bytes, rooms and viewers it carries, its load as a share of a core. */
export interface WorkerStats {
  readonly index: number
  readonly pid: number
  readonly cpuMs: number
  readonly maxRssBytes: number
  readonly rooms: number
  readonly viewers: number
  readonly load: number
  /** What a fast worker counts of its own; a stock one counts nothing. */
  readonly counters: WorkerCounters | undefined
}

/** One end of a pipe between two nodes: where it is reached, and the key of what it sends. */
export interface PipeEnd {
  readonly ip: string
  readonly port: number
  readonly srtp: { readonly cryptoSuite: string; readonly keyBase64: string }
}

/** A stream on a pipe: the sources that it is made of, worst first, and the RTP parameters of the vendor. */
export interface PipedStream {
  readonly kind: 'audio' | 'video'
  readonly ids: readonly string[]
  readonly rtp: unknown
}

/** The end that sends, and what it sends. */
export interface PipeOffer extends PipeEnd {
  readonly streams: readonly PipedStream[]
}

/** Where a node that nobody can reach finds this one: only who knows the credentials gets an answer, and DTLS ends with who has not the certificate that it named. */
export interface UplinkEnd {
  readonly ice: { readonly usernameFragment: string; readonly password: string }
  readonly candidates: readonly { readonly foundation: string; readonly priority: number; readonly ip: string; readonly port: number }[]
  /** SHA-256. */
  readonly fingerprint: string
}

/** Who comes to such an end, and what it sends. */
export interface UplinkOffer {
  readonly fingerprint: string
  readonly streams: readonly PipedStream[]
}

/** How a room comes from another node: by a pipe, whose other end `connect` opens, or by an uplink, which the other node opens to the end that `connect` tells it of. */
export type Upstream =
  | { readonly by: 'pipe'; readonly connect: (end: PipeEnd) => Promise<PipeOffer> }
  | {
      readonly by: 'uplink'
      readonly connect: (end: UplinkEnd) => Promise<UplinkOffer>
      /** Messages go both ways from now on; undefined: no more. */
      readonly onChannel: (send: ((text: string) => void) | undefined) => void
      readonly onMessage: (text: string) => void
    }

/** What a room shows. All videos share one codec. */
export interface RoomSources {
  /** The quality ladder, best first, without the pointer; at least one rung. */
  readonly rungs: readonly RtpSource[]
  /** The picture with the pointer drawn in. */
  readonly cursorVideo: RtpSource
  readonly audio: RtpSource
}

/** `down`: no worker carries it any more, the next one is on its way. Where another one still does, only the peers of the dead one hear of it. */
export type RoomEvent = { readonly on: 'down' } | { readonly on: 'up' }

export interface SfuRoom extends AsyncDisposable {
  /** False while no worker carries the room. */
  readonly isUp: boolean
  readonly peers: ReadonlyMap<PeerId, Peer>
  onEvent(listener: (event: RoomEvent) => void): () => void
  /** A new viewer, with its first offer written. Waits some seconds for a worker where there is none. */
  openPeer(options: PeerOptions): Promise<Peer>
  /** One message to every open channel of the room but that of `except`: one send a worker, whatever the audience. Dropped while the room is down. */
  broadcast(message: Uint8Array, except?: PeerId): void
  /**
   * Sends one copy of each stream of the room to another node, in place of what went there under the same name. `onLost` is called where the worker
   * that sends dies.
   */
  openPipe(name: string, to: PipeEnd, onLost: () => void): Promise<PipeOffer>
  closePipe(name: string): void
  /** What each pipe to another node has sent so far. */
  pipeStats(): Promise<{ name: string; bytesSent: number }[]>
  /** A room that comes from another node is taken anew; its viewers end. */
  reconnect(): void
}

/** What a viewer wants to see; absent = as it is. `id` names a rung or the cursor video: exactly that one, or with automatic quality that one at best. */
export interface VideoRequest {
  readonly disabled?: boolean
  readonly id?: string
  readonly auto?: boolean
}

export interface AudioRequest {
  readonly disabled?: boolean
}

export interface PeerOptions {
  /** V3 draws the pointer itself and gets the server's channel `data`; V2 sees the pointer in the picture and opens a channel. */
  readonly kind: 'v3' | 'v2'
  readonly video?: VideoRequest
  readonly audio?: AudioRequest
  /** Whether microphone and webcam of this viewer are taken. */
  readonly canShare: boolean
  /** What the room takes of a viewer at all; default: both. */
  readonly taken?: readonly ('audio' | 'video')[]
  /** True to begin with no media (private mode). */
  readonly paused?: boolean
  /** Who opens DTLS: the server (`active`, the default, fastest) or whoever the client chooses (`actpass`, the standard). */
  readonly setup?: 'active' | 'actpass'
}

export interface VideoState {
  readonly disabled: boolean
  /** The stream that is asked for, or the one that the bandwidth estimate chose. */
  readonly id: string
  readonly auto: boolean
}

export interface AudioState {
  readonly disabled: boolean
}

/** A description for the client, with its candidates once more as events for `signal/candidate`. */
export interface Offer {
  readonly sdp: string
  readonly candidates: readonly CandidateInit[]
}

/**
 * Why a peer ended: `asked` = closed by us, `left` = the client closed it, `lost` = nothing was heard for too long, `failed` = DTLS failed,
 * `never` = it never connected, `worker` = the worker died, `room` = the room closed.
 */
export type CloseReason = 'asked' | 'left' | 'lost' | 'failed' | 'never' | 'worker' | 'room'

export type PeerEvent =
  | { readonly on: 'connected' }
  /** The last event of a peer. */
  | { readonly on: 'closed'; readonly reason: CloseReason }
  /** The picture that arrives has changed. */
  | { readonly on: 'video'; readonly video: VideoState }
  /** A data channel is open; what is sent from this very call on reaches the client before any broadcast. */
  | { readonly on: 'channel'; readonly opener: ChannelOpener; readonly label: string }
  /** A message of the client. */
  | { readonly on: 'data'; readonly bytes: Uint8Array; readonly opener: ChannelOpener }
  /** Microphone (audio) or webcam (video) of the client starts. */
  | { readonly on: 'media'; readonly media: IncomingMedia }
  /** The server must renegotiate: send `signal/offer`, then give the answer to `answer`. */
  | { readonly on: 'offer'; readonly offer: Offer }

export type ChannelOpener = 'server' | 'client'

/** RTP that a client sends. */
export interface IncomingMedia {
  readonly kind: 'audio' | 'video'
  readonly codec: Codec
  onPacket(listener: (packet: Buffer) => void): () => void
  /** Called once when it stops: the client stops, closes, or a newer track of this kind takes its place in the room. */
  onEnd(listener: () => void): () => void
  requestKeyFrame(): void
}

export interface Peer {
  readonly id: PeerId
  readonly kind: 'v3' | 'v2'
  readonly canShare: boolean
  readonly state: PeerState
  readonly video: VideoState
  readonly audio: AudioState
  /** The first offer; later ones come from `restart` and as events. */
  readonly offer: Offer
  onEvent(listener: (event: PeerEvent) => void): () => void
  /** Takes the answer to the offer that waits for one; `conflict` when none does. */
  answer(sdp: string): Promise<void>
  /** Takes a client's offer (it adds or removes a track) and gives the answer; `conflict` while an offer of ours waits. */
  acceptOffer(sdp: string): Promise<{ readonly sdp: string }>
  /** New ICE credentials, as an offer. */
  restart(): Promise<Offer>
  /** Counted for metrics; otherwise ignored, since an ICE-lite server needs no candidates of the client. */
  addCandidate(candidate: string): void
  setVideo(request: VideoRequest): Promise<VideoState>
  setAudio(request: AudioRequest): Promise<AudioState>
  /** Private mode: no media while paused, the channel stays. */
  setPaused(paused: boolean): Promise<void>
  /** A message on the channel that is open; dropped without one. */
  send(message: Uint8Array): void
  stats(): Promise<PeerStats>
  /** Idempotent. */
  close(): void
}

/** Named as RTCPeerConnectionState. */
export type PeerState = 'new' | 'connecting' | 'connected' | 'disconnected' | 'failed' | 'closed'

/** What the metrics of neko ask of a peer; rates in bit/s, sums over the life of the peer. */
export interface PeerStats {
  readonly state: PeerState
  readonly stateChanges: number
  /** Distinct remote addresses: those that a check selected and those that the client named. */
  readonly candidates: { readonly udp: number; readonly tcp: number }
  /** Protocol of the address in use. */
  readonly protocol: 'udp' | 'tcp' | undefined
  readonly bytesSent: number
  readonly bytesReceived: number
  /** Data channels only, payload without headers. */
  readonly dataBytesSent: number
  readonly dataBytesReceived: number
  /** The estimate for the path to the client; 0 without an estimator. */
  readonly availableBitrate: number
  /** From the last receiver report about the video: jitter in RTP clock units, packets lost, NACKed packets, round trip in ms. */
  readonly jitter: number
  readonly packetsLost: number
  readonly nackedPackets: number
  readonly roundTripMs: number
}
