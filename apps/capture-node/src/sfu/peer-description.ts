import { NekoError } from '@neko-edge/kit'
import {
  type AnswerOptions,
  answer,
  candidateEvents,
  type IceCandidate,
  type Incoming,
  type LocalTransport,
  type MediaKind,
  type MediaSection,
  offer,
  parseDescription,
  type RemoteSection,
  type RtpCodec,
  type RtpParameters,
  type Section,
  sendingSection,
} from '@neko-edge/sdp'
import type { Consumer, IceParameters, WebRtcTransport } from 'mediasoup/types'
import type { Codec } from '../capture/codec.ts'
import type { Offer } from './sfu.ts'

const DATA_MID = '2'
/** What the worker takes, as it is told by default. */
const maxMessageSize = 262_144

export interface DescriptionOptions {
  readonly transport: WebRtcTransport
  /** Addresses for the candidates, best first. */
  readonly addresses: readonly string[]
  readonly setup: 'active' | 'actpass'
  /** What the client may send. */
  readonly shares: readonly MediaKind[]
  /** The codecs of the room, in which a client may send. */
  readonly codecs: readonly Codec[]
}

/** One candidate for each address on each socket; the order of the addresses is their priority. */
function candidatesOf(transport: WebRtcTransport, addresses: readonly string[]): IceCandidate[] {
  return transport.iceCandidates.flatMap(({ foundation, priority, protocol, port }) =>
    addresses.map((address, index) => ({ foundation: `${foundation}${index}`, priority: priority - 256 * index, address, protocol, port })),
  )
}

function fingerprintOf(transport: WebRtcTransport): LocalTransport['fingerprint'] {
  const found = transport.dtlsParameters.fingerprints.find((one) => one.algorithm === 'sha-256')
  if (found === undefined) {
    throw new NekoError('internal', 'the media worker names no sha-256 fingerprint')
  }
  return found
}

const wantedCodec = ({ mimeType, payloadType, clockRate, channels, parameters }: Codec): RtpCodec => ({
  mimeType,
  payloadType,
  clockRate,
  parameters,
  ...(channels === undefined ? {} : { channels }),
})

/** What has been said in SDP between one peer and the server: the m-lines in their order, the version, the role. */
export class PeerDescription {
  readonly #options: DescriptionOptions
  readonly #candidates: readonly IceCandidate[]
  readonly #fingerprint: LocalTransport['fingerprint']
  readonly #id = Math.floor(Math.random() * 2 ** 48)
  #version = 0
  #ice: IceParameters
  #role: 'active' | 'passive' | undefined
  #sections: Section[] = [{ kind: 'application', mid: DATA_MID }]

  constructor(options: DescriptionOptions) {
    this.#options = options
    this.#candidates = candidatesOf(options.transport, options.addresses)
    this.#fingerprint = fingerprintOf(options.transport)
    this.#ice = options.transport.iceParameters
  }

  /** Codecs in which the client may send; none when it may not share. */
  get wanted(): readonly RtpCodec[] {
    const { codecs, shares } = this.#options
    return codecs.filter(({ mimeType }) => shares.some((kind) => mimeType.toLowerCase().startsWith(`${kind}/`))).map(wantedCodec)
  }

  /** The m-line of what this consumer sends: in its place where it has one, else before the data channel. */
  setSending(kind: MediaKind, consumer: Consumer): void {
    const { mid } = consumer.rtpParameters
    const rtp: RtpParameters = {
      codecs: consumer.rtpParameters.codecs as readonly RtpCodec[],
      headerExtensions: consumer.rtpParameters.headerExtensions ?? [],
      encodings: consumer.rtpParameters.encodings ?? [],
      rtcp: consumer.rtpParameters.rtcp ?? {},
    }
    const section = sendingSection({ kind, mid: mid ?? '', track: kind, direction: this.#directionOf(kind), rtp })
    const place = this.#sections.findIndex((one) => one.mid === section.mid)
    this.#sections.splice(place < 0 ? this.#sections.length - 1 : place, place < 0 ? 0 : 1, section)
  }

  /** An offer of everything as it is now. */
  offer(): Offer {
    const sections = this.#sections.map((one) => ('sending' in one ? { ...one, direction: this.#directionOf(one.kind) } : one))
    return {
      sdp: offer({ origin: this.#nextOrigin(), transport: this.#transport(this.#options.setup), sections }),
      candidates: candidateEvents(this.#candidates),
    }
  }

  /** From now on offers and answers bear these credentials. */
  restartIce(ice: IceParameters): void {
    this.#ice = ice
  }

  /** The m-lines of an answer, by mid; `invalid` when it is not an answer to what was offered. */
  checkAnswer(sections: readonly RemoteSection[], role: 'client' | 'server'): Map<string, RemoteSection> {
    const isAnswer = this.#sections.length === sections.length && this.#sections.every((one, index) => one.mid === sections[index]?.mid)
    if (!isAnswer) {
      throw new NekoError('invalid', `not the answer to the offer: its mids are ${sections.map((one) => one.mid).join(', ')}`)
    }
    // The first answer decides. One that says `active` to an offer that says the same (werift does) can be had: the worker takes either role.
    if (this.#role !== undefined && this.#role !== (role === 'client' ? 'passive' : 'active')) {
      throw new NekoError('invalid', 'not the answer to the offer: its a=setup is not the one that DTLS has')
    }
    return new Map(sections.map((one) => [one.mid, one]))
  }

  /** The role that DTLS has, for the life of the peer. */
  settle(role: 'active' | 'passive'): void {
    this.#role = role
  }

  /** An m-line that the client refused carries nothing any more, and stays. */
  reject(section: RemoteSection): void {
    const { mid, media, protocol, formats } = section
    this.#sections = this.#sections.map((one) => (one.mid === mid ? { kind: 'rejected', mid, media, protocol, formats } : one))
  }

  /** Answers a client's offer. Errors: `invalid` when it is none, or moves m-lines about. */
  answer(sdp: string): { sdp: string; incoming: Incoming[] } {
    const remote = parseDescription(sdp)
    if (!this.#sections.every((one, index) => one.mid === remote.sections[index]?.mid)) {
      throw new NekoError('invalid', 'not an offer that goes on from the last one: its m-lines are not in their places')
    }
    const options: AnswerOptions = {
      offer: remote,
      origin: this.#nextOrigin(),
      transport: this.#transport(this.#role ?? 'active'),
      own: this.#sections.filter((one): one is MediaSection => one.kind === 'audio' || one.kind === 'video'),
      wanted: this.wanted,
    }
    const result = answer(options)
    this.#sections = result.sections
    return { sdp: result.sdp, incoming: result.incoming }
  }

  /** By this a client knows what it may send (RFC 8829 §5.2.1): where it may not, it need not ask anybody for a device. */
  #directionOf(kind: MediaKind): 'sendrecv' | 'sendonly' {
    return this.#options.shares.includes(kind) ? 'sendrecv' : 'sendonly'
  }

  #transport(setup: LocalTransport['setup']): LocalTransport {
    return { ice: this.#ice, fingerprint: this.#fingerprint, candidates: this.#candidates, setup, maxMessageSize }
  }

  #nextOrigin(): { id: number; version: number } {
    this.#version += 1
    return { id: this.#id, version: this.#version }
  }
}
