import { lookup } from 'node:dns/promises'
import { isIP } from 'node:net'
import { type Log, messageOf, within } from '@neko-edge/kit'
import {
  GenericNack,
  IceCandidate,
  PictureLossIndication,
  ProtectionProfileAeadAes128Gcm,
  ProtectionProfileAes128CmHmacSha1_80,
  RTCDataChannel,
  RTCDataChannelParameters,
  RTCDtlsFingerprint,
  RTCDtlsParameters,
  RTCDtlsTransport,
  RTCIceGatherer,
  RTCIceParameters,
  RTCIceTransport,
  RTCSctpTransport,
  type RtcpPacket,
  RtcpPayloadSpecificFeedback,
  RtcpTransportLayerFeedback,
  RtpPacket,
} from 'werift'
import type { UplinkEnd } from '../sfu/sfu.ts'
import { SentPackets } from './sent-packets.ts'

/** How long ICE, DTLS and SCTP together may take. */
const connectMs = 5_000
/** How long a name of the other end may take to be found. */
const lookupMs = 2_000
const closeMs = 500
/** What the other end's SCTP takes at most, and what may wait to be sent: beyond, messages are dropped. */
const maxMessageBytes = 262_144
const maxWaitingBytes = 262_144
/**
 * The number of the first DTLS record of data. werift begins at 0 again behind its Finished, which bears a number of some steps further: the record that comes to
 * that number later is dropped as a replay, and its message is a second late.
 */
const firstRecord = 64
const sctpPort = 5_000
/** A stream in both directions, agreed on beforehand. */
const channelId = 0

export interface LinkEvents {
  /** Media and messages pass. */
  readonly onOpen: () => void
  readonly onMessage: (text: string) => void
  /** The other end wants a key frame of this stream. */
  readonly onKeyFrameWish: (ssrc: number) => void
  /** The last event of a link that was not closed. */
  readonly onLost: () => void
}

/**
 * A node's own way out: a full ICE agent (RFC 8445) that goes to an ICE-lite end, DTLS as the client, with the certificate of the end checked against the
 * fingerprint that was told, SRTP and one data channel. Without SDP: what would be in it is agreed on already.
 */
export class WeriftLink {
  /** SHA-256, of the certificate of this process. */
  readonly fingerprint: string
  /** What has been sent of the media so far, first and again. */
  bytesSent = 0
  readonly #ice: RTCIceTransport
  readonly #dtls: RTCDtlsTransport
  readonly #sctp: RTCSctpTransport
  readonly #channel: RTCDataChannel
  readonly #events: LinkEvents
  readonly #sent = new SentPackets()
  readonly #log: Log
  #isOpen = false
  #isOver = false

  private constructor(fingerprint: string, { ice, events, log }: { ice: RTCIceTransport; events: LinkEvents; log: Log }) {
    this.fingerprint = fingerprint
    this.#ice = ice
    this.#events = events
    this.#log = log
    this.#dtls = new RTCDtlsTransport({}, ice, RTCDtlsTransport.localCertificate, [
      ProtectionProfileAeadAes128Gcm,
      ProtectionProfileAes128CmHmacSha1_80,
    ])
    this.#dtls.role = 'client'
    this.#sctp = new RTCSctpTransport(sctpPort)
    this.#sctp.setDtlsTransport(this.#dtls)
    this.#sctp.setRemoteMaxMessageSize(maxMessageBytes)
    this.#channel = new RTCDataChannel(this.#sctp, new RTCDataChannelParameters({ label: 'uplink', negotiated: true, id: channelId }))
    this.#channel.onMessage.subscribe((data) => events.onMessage(data.toString()))
    this.#channel.stateChanged.subscribe((state) => (state === 'closed' ? this.#lose('the data channel is closed') : undefined))
    ice.onStateChange.subscribe((state) => (state === 'failed' || state === 'disconnected' ? this.#lose(`ICE ${state}`) : undefined))
    this.#dtls.onStateChange.subscribe((state) => (state === 'failed' || state === 'closed' ? this.#lose(`DTLS ${state}`) : undefined))
    this.#dtls.onRtcp.subscribe((packet) => this.#hear(packet))
  }

  /** Makes a link that goes nowhere yet. */
  static async open({ events, log }: { events: LinkEvents; log: Log }): Promise<WeriftLink> {
    const certificate = await RTCDtlsTransport.SetupCertificate()
    // A relay on this very machine is one, too.
    const gatherer = new RTCIceGatherer({ useIpv4: true, useIpv6: true, useTcp: false, additionalHostAddresses: ['127.0.0.1'] })
    // The other end sees where packets come from: no server has to be asked for it, least of all werift's default.
    delete gatherer.connection.stunServer
    gatherer.connection.iceControlling = true
    const ice = new RTCIceTransport(gatherer)
    return new WeriftLink(certificate.getFingerprints()[0]?.value ?? '', { ice, events, log })
  }

  /** Begins to go to `end`; the events say what becomes of it. */
  go(end: UplinkEnd): void {
    within(connectMs, 'the uplink', this.#connect(end)).catch((error: unknown) => this.#lose(messageOf(error)))
  }

  get isOpen(): boolean {
    return this.#isOpen && !this.#isOver
  }

  /** Sends a complete RTP packet, and keeps it for a while: the other end asks again for what was lost. */
  sendRtp(packet: Buffer): void {
    if (this.isOpen) {
      const { header, payload } = RtpPacket.deSerialize(packet)
      const encrypted = this.#dtls.srtp.encrypt(payload, header)
      this.#sent.keep(header.ssrc, { sequence: header.sequenceNumber, packet: encrypted })
      this.#send(encrypted)
    }
  }

  /** Sends a complete compound RTCP packet. */
  sendRtcp(packet: Buffer): void {
    if (this.isOpen) {
      this.#send(this.#dtls.srtcp.encrypt(packet))
    }
  }

  /** Sends a message in order; dropped while the link is not open, or can not keep up. */
  sendMessage(text: string): void {
    if (this.isOpen && this.#channel.bufferedAmount < maxWaitingBytes && text.length < maxMessageBytes) {
      this.#channel.send(text)
    }
  }

  /** Idempotent; no event follows. */
  async close(): Promise<void> {
    if (!this.#isOver) {
      this.#isOver = true
      // The end of SCTP is the only word of goodbye that the other end gets: werift's DTLS says nothing.
      await within(closeMs, 'the end of SCTP', this.#sctp.stop()).catch(() => undefined)
      await this.#dtls.stop()
    }
  }

  async #connect({ ice, candidates, fingerprint }: UplinkEnd): Promise<void> {
    this.#ice.setRemoteParams(new RTCIceParameters({ iceLite: true, ...ice }))
    await this.#ice.gather()
    for (const { foundation, priority, ip, port } of candidates) {
      const address = isIP(ip) === 0 ? (await within(lookupMs, `the address of ${ip}`, lookup(ip))).address : ip
      await this.#ice.addRemoteCandidate(new IceCandidate(1, foundation, address, port, priority, 'udp', 'host'))
    }
    await this.#ice.addRemoteCandidate(undefined)
    this.#dtls.setRemoteParams(new RTCDtlsParameters([new RTCDtlsFingerprint('sha-256', fingerprint)], 'server'))
    await this.#ice.start()
    await this.#dtls.start()
    if (this.#dtls.dtls) {
      this.#dtls.dtls.dtls.recordSequenceNumber = firstRecord
    }
    await this.#sctp.start(sctpPort)
    const isUp = this.#channel.readyState === 'open' ? true : (await this.#channel.stateChanged.asPromise())[0] === 'open'
    if (isUp && !this.#isOver) {
      this.#isOpen = true
      this.#events.onOpen()
    }
  }

  #hear(packet: RtcpPacket): void {
    if (packet instanceof RtcpTransportLayerFeedback && packet.feedback instanceof GenericNack) {
      const { mediaSourceSsrc, lost } = packet.feedback
      this.#sent.find(mediaSourceSsrc, lost).forEach((again) => this.#send(again))
    } else if (packet instanceof RtcpPayloadSpecificFeedback && packet.feedback instanceof PictureLossIndication) {
      this.#events.onKeyFrameWish(packet.feedback.mediaSsrc)
    }
  }

  #send(encrypted: Buffer): void {
    this.bytesSent += encrypted.length
    // A packet that the network does not take is a lost one.
    this.#ice.connection.send(encrypted).catch(() => undefined)
  }

  #lose(reason: string): void {
    if (!this.#isOver) {
      this.#log.warn({ reason }, 'uplink lost')
      void this.close()
      this.#events.onLost()
    }
  }
}
