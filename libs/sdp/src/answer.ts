import { NekoError } from '@neko-edge/kit'
import {
  type Description,
  type Direction,
  describe,
  type Fingerprint,
  type LocalTransport,
  type MediaSection,
  type Section,
} from './describe.ts'
import { parseDescription, type RemoteDescription, type RemoteSection } from './parse.ts'
import { isRtx, type MediaKind, type RtpCodec, type RtpHeaderExtension, type RtpParameters, sameCodec } from './rtp.ts'

const MID = 'urn:ietf:params:rtp-hdrext:sdes:mid'
const TRANSPORT_CC = 'http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01'
/** Header extensions that are of use on what a client sends. */
const received = new Set([MID, TRANSPORT_CC, 'http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time'])
/** RTCP feedback that the server understands; REMB is not among it, since transport-cc took its place. */
const feedback = new Set(['nack', 'nack pli', 'ccm fir', 'transport-cc'])
/** The mid goes into a header extension of one byte length (RFC 8285), and SFUs keep eight bytes of it. */
const MAX_SENT_MID = 8

/** The client's answer to an offer of the server. */
export interface Answer {
  /** The client's role, its certificate's digest: absent when it brought neither (a renegotiation may). */
  readonly dtls: { readonly role: 'client' | 'server'; readonly fingerprint: Fingerprint }
  readonly sections: readonly RemoteSection[]
}

/** What a client sends on an m-line, as an SFU wants to know it. */
export interface Incoming {
  readonly kind: MediaKind
  readonly mid: string
  readonly rtp: RtpParameters
}

/** Reads an answer. Errors: `invalid`, with what is missing. */
export function parseAnswer(sdp: unknown): Answer {
  const { setup, fingerprint, sections } = parseDescription(sdp)
  if (fingerprint === undefined) {
    throw new NekoError('invalid', 'not an answer: it has no a=fingerprint')
  }
  if (setup !== 'active' && setup !== 'passive') {
    throw new NekoError('invalid', 'not an answer: its a=setup is neither active nor passive')
  }
  return { dtls: { role: setup === 'active' ? 'client' : 'server', fingerprint }, sections }
}

/** The codec of `wanted` in the section, with its retransmission; none where the client has none of them. */
function receivable(section: RemoteSection, wanted: readonly RtpCodec[]): RtpCodec[] {
  const codec = section.codecs.find((one) => wanted.some((other) => sameCodec(one, other)))
  const rtx = section.codecs.find((one) => isRtx(one) && Number(one.parameters?.['apt']) === codec?.payloadType)
  return [...(codec === undefined ? [] : [codec]), ...(rtx === undefined ? [] : [rtx])]
}

function understood(codec: RtpCodec, extensions: readonly RtpHeaderExtension[]): RtpCodec {
  const hasTransportCc = extensions.some((one) => one.uri === TRANSPORT_CC)
  const rtcpFeedback = (codec.rtcpFeedback ?? []).filter(
    ({ type, parameter }) =>
      feedback.has(parameter === undefined ? type : `${type} ${parameter}`) && (type !== 'transport-cc' || hasTransportCc),
  )
  return { ...codec, rtcpFeedback }
}

/**
 * What the client sends on this m-line in one of the codecs `wanted`; undefined when it sends nothing there, or nothing that can be taken.
 * `section` is of an offer or of an answer.
 */
export function incomingOf(section: RemoteSection, wanted: readonly RtpCodec[]): Incoming | undefined {
  const sends = section.accepted && (section.direction === 'sendrecv' || section.direction === 'sendonly')
  if (!sends || (section.kind !== 'audio' && section.kind !== 'video') || section.mid.length > MAX_SENT_MID) {
    return undefined
  }
  const headerExtensions = section.headerExtensions.filter((one) => received.has(one.uri))
  const codecs = receivable(section, wanted).map((codec) => understood(codec, headerExtensions))
  // A client that is ready to send but has no track yet names no stream; nothing would ever arrive.
  if (codecs.length === 0 || section.encodings.length === 0) {
    return undefined
  }
  const [first] = section.encodings
  const encodings = codecs.some(isRtx) || first?.ssrc === undefined ? section.encodings : [{ ssrc: first.ssrc }]
  return {
    kind: section.kind,
    mid: section.mid,
    rtp: { mid: section.mid, codecs, headerExtensions, encodings, rtcp: section.cname === undefined ? {} : { cname: section.cname } },
  }
}

export interface AnswerOptions {
  readonly offer: RemoteDescription
  readonly origin: Description['origin']
  readonly transport: LocalTransport
  /** The m-lines on which the server sends, as its last description had them. */
  readonly own: readonly MediaSection[]
  /** Codecs in which the client may send; empty when it may not share media. */
  readonly wanted: readonly RtpCodec[]
}

interface LineOptions extends AnswerOptions {
  readonly section: RemoteSection
}

const direction = (sends: boolean, receives: boolean): Direction =>
  sends ? (receives ? 'sendrecv' : 'sendonly') : receives ? 'recvonly' : 'inactive'

function mediaSection({ section, own, wanted }: LineOptions): { section: MediaSection; incoming?: Incoming } | undefined {
  if (section.kind !== 'audio' && section.kind !== 'video') {
    return undefined
  }
  const mine = own.find((one) => one.mid === section.mid && one.kind === section.kind && one.sending !== undefined)
  const kept = mine?.codecs.filter((codec) =>
    section.codecs.some((one) => one.payloadType === codec.payloadType && (isRtx(codec) || sameCodec(one, codec))),
  )
  const isKept = kept?.some((codec) => !isRtx(codec)) ?? false
  // On an m-line that the server sends on, the client has to send under the same payload types: they are what the answer says.
  const usable = isKept ? section.codecs.filter((one) => kept?.some((codec) => codec.payloadType === one.payloadType)) : section.codecs
  const incoming = incomingOf({ ...section, codecs: usable }, wanted)
  const codecs = isKept ? kept : incoming?.rtp.codecs
  if (codecs === undefined) {
    return undefined
  }
  const sends = mine !== undefined && isKept && (section.direction === 'sendrecv' || section.direction === 'recvonly')
  const offered = section.headerExtensions.filter((one) =>
    mine?.headerExtensions.some((ours) => ours.uri === one.uri && ours.id === one.id),
  )
  const extensions = [...new Map([...offered, ...(incoming?.rtp.headerExtensions ?? [])].map((one) => [one.id, one])).values()]
  return {
    section: {
      kind: section.kind,
      mid: section.mid,
      direction: direction(sends, incoming !== undefined),
      codecs: codecs.map((codec) =>
        understood(
          { ...codec, rtcpFeedback: section.codecs.find((one) => one.payloadType === codec.payloadType)?.rtcpFeedback ?? [] },
          extensions,
        ),
      ),
      headerExtensions: extensions,
      ...(mine?.sending === undefined ? {} : { sending: mine.sending }),
    },
    ...(incoming === undefined ? {} : { incoming }),
  }
}

/**
 * Answers a client's offer: the server's own m-lines go on as they are (turned to `sendrecv` where the client sends on them), a new one is
 * `recvonly`, and what can not be taken is refused with port 0. `transport.setup` is the role that DTLS already has.
 */
export function answer(options: AnswerOptions): { sdp: string; sections: Section[]; incoming: Incoming[] } {
  const incoming: Incoming[] = []
  const sections = options.offer.sections.map((section): Section => {
    if (section.kind === 'application' && section.accepted) {
      return { kind: 'application', mid: section.mid }
    }
    const line = section.accepted ? mediaSection({ ...options, section }) : undefined
    if (line === undefined) {
      return { kind: 'rejected', mid: section.mid, media: section.media, protocol: section.protocol, formats: section.formats }
    }
    if (line.incoming !== undefined) {
      incoming.push(line.incoming)
    }
    return line.section
  })
  return { sdp: describe({ origin: options.origin, transport: options.transport, sections }), sections, incoming }
}
