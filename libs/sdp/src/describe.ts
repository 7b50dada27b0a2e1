import { type MediaDescription, write } from 'sdp-transform'
import type { IceCandidate } from './candidate.ts'
import type { MediaKind, RtpCodec, RtpHeaderExtension } from './rtp.ts'

export type Direction = 'sendrecv' | 'sendonly' | 'recvonly' | 'inactive'
/** `a=setup` (RFC 8842): who opens the DTLS handshake. */
export type Setup = 'active' | 'passive' | 'actpass'

/** Certificate digest, e.g. `sha-256` and its bytes in hex with colons. */
export interface Fingerprint {
  readonly algorithm: string
  readonly value: string
}

/** The server's end of the one transport that everything is bundled on. */
export interface LocalTransport {
  readonly ice: { readonly usernameFragment: string; readonly password: string }
  readonly fingerprint: Fingerprint
  readonly candidates: readonly IceCandidate[]
  readonly setup: Setup
  /** Largest data-channel message that the server takes, in bytes. */
  readonly maxMessageSize: number
}

/** What the server sends on an m-line. Browsers show `track` as the id of the track, in the stream `stream`. */
export interface Sending {
  readonly track: string
  readonly ssrc: number
  readonly rtxSsrc?: number
  readonly cname: string
}

/** An m-line of audio or video. */
export interface MediaSection {
  readonly kind: MediaKind
  readonly mid: string
  readonly direction: Direction
  readonly codecs: readonly RtpCodec[]
  readonly headerExtensions: readonly RtpHeaderExtension[]
  readonly sending?: Sending
}

/** The m-line of the data channels. */
export interface DataSection {
  readonly kind: 'application'
  readonly mid: string
}

/** An m-line that carries nothing (port 0) and has to stay in its place. */
export interface RejectedSection {
  readonly kind: 'rejected'
  readonly mid: string
  readonly media: string
  readonly protocol: string
  readonly formats: string
}

export type Section = MediaSection | DataSection | RejectedSection

export interface Description {
  /** `id` stays for the life of a peer, `version` grows with every description. */
  readonly origin: { readonly id: number; readonly version: number }
  readonly transport: LocalTransport
  readonly sections: readonly Section[]
}

/** Name of the media stream that all tracks of the server are in: upstream's, and old clients show it. */
const STREAM = 'stream'

function transportLines({ ice, fingerprint, candidates, setup }: LocalTransport) {
  return {
    iceUfrag: ice.usernameFragment,
    icePwd: ice.password,
    fingerprint: { type: fingerprint.algorithm, hash: fingerprint.value },
    setup,
    candidates: candidates.map(({ foundation, protocol, priority, address, port }) => ({
      foundation,
      component: 1,
      transport: protocol,
      priority,
      ip: address,
      port,
      type: 'host',
      tcptype: protocol === 'tcp' ? 'passive' : undefined,
    })),
    endOfCandidates: 'end-of-candidates',
  }
}

function fmtp(codec: RtpCodec): { payload: number; config: string }[] {
  const config = Object.entries(codec.parameters ?? {}).flatMap(([name, value]) => (value === undefined ? [] : [`${name}=${value}`]))
  return config.length === 0 ? [] : [{ payload: codec.payloadType, config: config.join(';') }]
}

function mediaLine(section: MediaSection, transport: LocalTransport): MediaDescription {
  const { sending, codecs } = section
  const ssrcs = sending === undefined ? [] : [sending.ssrc, ...(sending.rtxSsrc === undefined ? [] : [sending.rtxSsrc])]
  return {
    type: section.kind,
    port: 9,
    protocol: 'UDP/TLS/RTP/SAVPF',
    payloads: codecs.map((codec) => codec.payloadType).join(' '),
    connection: { version: 4, ip: '0.0.0.0' },
    mid: section.mid,
    direction: section.direction,
    rtcpMux: 'rtcp-mux',
    rtcpRsize: 'rtcp-rsize',
    rtp: codecs.map((codec) => ({
      payload: codec.payloadType,
      codec: codec.mimeType.slice(codec.mimeType.indexOf('/') + 1),
      rate: codec.clockRate,
      // RFC 8866 §6.6: the channel count of one is left out.
      ...(codec.channels !== undefined && codec.channels > 1 ? { encoding: codec.channels } : {}),
    })),
    fmtp: codecs.flatMap(fmtp),
    rtcpFb: codecs.flatMap((codec) =>
      (codec.rtcpFeedback ?? []).map(({ type, parameter }) => ({ payload: codec.payloadType, type, subtype: parameter || undefined })),
    ),
    ext: section.headerExtensions.map(({ id, uri }) => ({ value: id, uri })),
    ...(sending === undefined
      ? {}
      : {
          msid: [{ id: STREAM, appdata: sending.track }],
          ssrcs: ssrcs.map((id) => ({ id, attribute: 'cname', value: sending.cname })),
          ...(ssrcs.length > 1 ? { ssrcGroups: [{ semantics: 'FID', ssrcs: ssrcs.join(' ') }] } : {}),
        }),
    ...transportLines(transport),
  }
}

function sectionLine(section: Section, transport: LocalTransport): MediaDescription {
  switch (section.kind) {
    case 'audio':
    case 'video':
      return mediaLine(section, transport)
    case 'application':
      return {
        type: 'application',
        port: 9,
        protocol: 'UDP/DTLS/SCTP',
        payloads: 'webrtc-datachannel',
        connection: { version: 4, ip: '0.0.0.0' },
        mid: section.mid,
        rtp: [],
        fmtp: [],
        sctpPort: 5000,
        maxMessageSize: transport.maxMessageSize,
        ...transportLines(transport),
      }
    case 'rejected':
      return {
        type: section.media,
        port: 0,
        protocol: section.protocol,
        payloads: section.formats,
        connection: { version: 4, ip: '0.0.0.0' },
        mid: section.mid,
        direction: 'inactive',
        rtp: [],
        fmtp: [],
      }
    default:
      return section satisfies never
  }
}

/**
 * The text of a description by a server that is ICE-lite and has all its candidates at once.
 * `a=ice-lite` is what makes a browser take the controlling role: without it no connection comes up (RFC 8445 §6.1.1).
 */
export function describe({ origin, transport, sections }: Description): string {
  const bundled = sections.filter((section) => section.kind !== 'rejected').map((section) => section.mid)
  return write({
    version: 0,
    origin: { username: '-', sessionId: origin.id, sessionVersion: origin.version, netType: 'IN', ipVer: 4, address: '127.0.0.1' },
    name: '-',
    timing: { start: 0, stop: 0 },
    icelite: 'ice-lite',
    groups: [{ type: 'BUNDLE', mids: bundled.join(' ') }],
    msidSemantic: { semantic: 'WMS', token: '*' },
    media: sections.map((section) => sectionLine(section, transport)),
  })
}
