import { NekoError } from '@neko-edge/kit'
import { type MediaDescription, parse, parseParams, type SessionDescription } from 'sdp-transform'
import type { Direction, Fingerprint, Setup } from './describe.ts'
import type { MediaKind, RtpCodec, RtpEncoding, RtpHeaderExtension } from './rtp.ts'

/** An m-line of a client. `accepted` is false where its port is 0. */
export interface RemoteSection {
  readonly kind: MediaKind | 'application' | 'other'
  readonly mid: string
  readonly accepted: boolean
  /** What the client says it does: `sendonly` = the client sends. */
  readonly direction: Direction
  readonly codecs: readonly RtpCodec[]
  readonly headerExtensions: readonly RtpHeaderExtension[]
  /** The stream that the client sends, where it names one. */
  readonly encodings: readonly RtpEncoding[]
  readonly cname: string | undefined
  /** The m-line as it stands, to repeat it where it is refused. */
  readonly media: string
  readonly protocol: string
  readonly formats: string
}

/** What a client's offer or answer says. */
export interface RemoteDescription {
  readonly setup: Setup | undefined
  readonly fingerprint: Fingerprint | undefined
  readonly sections: readonly RemoteSection[]
}

const MAX_BYTES = 65_536
const MAX_LINE = 2_048
const MAX_SECTIONS = 32
const MAX_MID = 32
/** Attributes that are read; all others are left out before parsing, so that what the grammar does with them can cost nothing. */
const READ =
  /^(?:[vostcm]=|a=(?:group|mid|setup|fingerprint|rtpmap|fmtp|rtcp-fb|extmap|ssrc|ssrc-group):|a=(?:sendrecv|sendonly|recvonly|inactive|bundle-only)$)/

/** Hex digits of each digest that DTLS certificates are named by (RFC 8122). */
const digestBytes: Readonly<Record<string, number>> = { 'sha-1': 20, 'sha-224': 28, 'sha-256': 32, 'sha-384': 48, 'sha-512': 64 }

/** Payload types that need no rtpmap (RFC 3551 §6). */
const staticCodecs: Readonly<Record<number, { mimeType: string; clockRate: number }>> = {
  0: { mimeType: 'audio/PCMU', clockRate: 8_000 },
  8: { mimeType: 'audio/PCMA', clockRate: 8_000 },
  9: { mimeType: 'audio/G722', clockRate: 8_000 },
}

const invalid = (why: string): NekoError => new NekoError('invalid', `not an SDP that can be used: ${why}`)
const isByte = (value: number, max: number): boolean => Number.isInteger(value) && value >= 0 && value <= max
const isSsrc = (value: number): boolean => Number.isInteger(value) && value > 0 && value <= 0xffff_ffff

function readSession(sdp: unknown): SessionDescription {
  if (typeof sdp !== 'string' || !sdp.startsWith('v=0')) {
    throw invalid('it does not begin with v=0')
  }
  if (sdp.length > MAX_BYTES) {
    throw invalid(`it is longer than ${MAX_BYTES} characters`)
  }
  const lines = sdp.split(/\r\n|\r|\n/).filter((line) => READ.test(line))
  if (lines.some((line) => line.length > MAX_LINE)) {
    throw invalid(`a line is longer than ${MAX_LINE} characters`)
  }
  const sections = lines.filter((line) => line.startsWith('m=')).length
  if (sections === 0 || sections > MAX_SECTIONS) {
    throw invalid(`it has ${sections} m-lines, where 1 to ${MAX_SECTIONS} can be`)
  }
  return parse(lines.join('\r\n'))
}

function fingerprintOf({ fingerprint }: { fingerprint?: { type: string; hash: string } }): Fingerprint | undefined {
  if (fingerprint === undefined) {
    return undefined
  }
  const algorithm = String(fingerprint.type).toLowerCase()
  const bytes = Object.hasOwn(digestBytes, algorithm) ? digestBytes[algorithm] : undefined
  const pairs = String(fingerprint.hash).split(':')
  if (bytes === undefined || pairs.length !== bytes || !pairs.every((pair) => /^[0-9a-f]{2}$/i.test(pair))) {
    throw invalid('its fingerprint is no digest of a certificate')
  }
  return { algorithm, value: pairs.join(':').toUpperCase() }
}

function setupOf(value: unknown): Setup | undefined {
  if (value === undefined || value === 'active' || value === 'passive' || value === 'actpass') {
    return value
  }
  throw invalid('its setup is none of active, passive, actpass')
}

function directionOf(value: unknown): Direction {
  return value === 'sendonly' || value === 'recvonly' || value === 'inactive' ? value : 'sendrecv'
}

function codecOf(kind: MediaKind, payloadType: number, media: MediaDescription): RtpCodec | undefined {
  const map = media.rtp.find((one) => one.payload === payloadType)
  const known = staticCodecs[payloadType]
  const clockRate = Number(map?.rate ?? known?.clockRate ?? 0)
  const mimeType = map === undefined ? known?.mimeType : `${kind}/${map.codec}`
  if (mimeType === undefined || !isByte(clockRate, 1_000_000) || clockRate === 0) {
    return undefined
  }
  const config = media.fmtp.find((one) => one.payload === payloadType)?.config
  const channels = kind === 'audio' ? Number(map?.encoding ?? 1) : 1
  return {
    mimeType,
    payloadType,
    clockRate,
    ...(isByte(channels, 255) && channels > 1 ? { channels } : {}),
    parameters: config === undefined ? {} : parseParams(String(config)),
    rtcpFeedback: (media.rtcpFb ?? [])
      .filter((one) => one.payload === payloadType || one.payload === '*')
      .map(({ type, subtype }) => ({ type: String(type), ...(subtype === undefined ? {} : { parameter: String(subtype) }) })),
  }
}

function encodingsOf(media: MediaDescription): RtpEncoding[] {
  const ssrcs = [...new Set((media.ssrcs ?? []).map((one) => Number(one.id)).filter(isSsrc))]
  const pairs = (media.ssrcGroups ?? []).filter((one) => one.semantics === 'FID').map((one) => String(one.ssrcs).split(' ').map(Number))
  const retransmissions = new Set(pairs.map((pair) => pair[1]))
  const ssrc = ssrcs.find((one) => !retransmissions.has(one))
  if (ssrc === undefined) {
    return []
  }
  const rtx = pairs.find((pair) => pair[0] === ssrc)?.[1]
  return [rtx !== undefined && isSsrc(rtx) ? { ssrc, rtx: { ssrc: rtx } } : { ssrc }]
}

function sectionOf(media: MediaDescription, index: number): RemoteSection {
  const kind = media.type === 'audio' || media.type === 'video' || media.type === 'application' ? media.type : 'other'
  const formats = String(media.payloads ?? '')
  const isMedia = kind === 'audio' || kind === 'video'
  const payloadTypes = isMedia ? [...new Set(formats.split(' ').map(Number))].filter((one) => isByte(one, 127)) : []
  const cname = media.ssrcs?.find((one) => one.attribute === 'cname')?.value
  return {
    kind,
    mid: String(media.mid ?? index),
    accepted: media.port !== 0 || media.bundleOnly !== undefined,
    direction: directionOf(media.direction),
    codecs: isMedia ? payloadTypes.flatMap((one) => codecOf(kind, one, media) ?? []) : [],
    headerExtensions: (media.ext ?? [])
      .filter((one) => isByte(one.value, 255) && one.value > 0)
      .map(({ value, uri }) => ({ id: value, uri: String(uri) })),
    encodings: encodingsOf(media),
    cname: cname === undefined ? undefined : String(cname),
    media: String(media.type),
    protocol: String(media.protocol),
    formats,
  }
}

/**
 * Reads what a client sent as an offer or answer. Bounded in time and memory, whatever it is given.
 * Errors: `invalid`, with what is wrong with it.
 */
export function parseDescription(sdp: unknown): RemoteDescription {
  const session = readSession(sdp)
  const sections = session.media.map(sectionOf)
  const mids = new Set(sections.map((section) => section.mid))
  if (mids.size !== sections.length || sections.some(({ mid }) => mid.length === 0 || mid.length > MAX_MID)) {
    throw invalid('its mids are not all different, or too long')
  }
  const places = [session, ...session.media]
  return {
    // What is bundled shares one transport, so the first that says it says it for all.
    setup: setupOf(places.find((place) => place.setup !== undefined)?.setup),
    fingerprint: fingerprintOf(places.find((place) => place.fingerprint !== undefined) ?? {}),
    sections,
  }
}
