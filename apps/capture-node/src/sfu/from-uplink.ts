import { type Clock, NekoError, within } from '@neko-edge/kit'
import { ppid } from '@neko-edge/sdp'
import type { DirectTransport, WebRtcTransport } from 'mediasoup/types'
import type { RtpSource } from '../capture/rtp-source.ts'
import type { MediaFeed } from './carrier.ts'
import { mediaOf, receiveFrom } from './pipe.ts'
import type { UplinkEnd, Upstream } from './sfu.ts'
import { uplinkBeat } from './uplink-beat.ts'

/*
 * An uplink: a node that nobody can reach comes here as a WebRTC client does, by the port that viewers come by. Its credentials went to it through Redis, and
 * its certificate was named there: whoever else comes gets no answer to his checks, or fails in DTLS.
 */

/** How long the other node may take to come. */
const comeMs = 5_000
/** Without a checked path for so long it is gone: it checks every four to six seconds, and does not repeat a check that was lost. */
const consentTimeoutS = 12
const lookMs = 500
/** The channel's stream in both directions. */
const streamId = 0

export interface FromUplinkOptions {
  /** Addresses of this node for whoever comes from outside, best first. */
  readonly addresses: readonly string[]
  readonly sources: readonly RtpSource[]
  readonly way: Extract<Upstream, { by: 'uplink' }>
  /** The other node is gone. */
  readonly onLost: () => void
  readonly clock: Clock
}

/** A carrier's media out of an uplink. Errors: `timeout` where the other node does not come. */
export function fromUplink({ addresses, sources, way, onLost, clock }: FromUplinkOptions): MediaFeed {
  return async ({ run, router, direct }) => {
    const transport = await router.createWebRtcTransport({
      ...{ webRtcServer: run.server, enableUdp: true, enableTcp: false, enableSctp: true },
      iceConsentTimeout: consentTimeoutS,
    })
    let heardAt = clock.now()
    const channel = await openChannel(transport, direct, (text) => {
      heardAt = clock.now()
      if (text !== uplinkBeat.text) {
        way.onMessage(text)
      }
    })
    const { fingerprint, streams } = await way.connect(endOf(transport, addresses))
    const come = comesOver(transport)
    await transport.connect({ dtlsParameters: { role: 'client', fingerprints: [{ algorithm: 'sha-256', value: fingerprint }] } })
    const pictures = await receiveFrom(transport, { streams, sources })
    await within(comeMs, 'the node behind the uplink', come)
    heardAt = clock.now()
    let isOver = false
    const end = (report: () => void) => {
      if (!isOver) {
        isOver = true
        stopLooking()
        way.onChannel(undefined)
        report()
        // Where nobody has these media yet, nobody shall.
        router.close()
      }
    }
    const stopLooking = clock.every(lookMs, () => clock.now() - heardAt > uplinkBeat.lostMs && end(onLost))
    transport.on('icestatechange', (state) => state === 'disconnected' && end(onLost))
    transport.on('dtlsstatechange', (state) => (state === 'closed' || state === 'failed') && end(onLost))
    // A node that closes its uplink says so by the end of SCTP.
    transport.on('sctpstatechange', (state) => (state === 'closed' || state === 'failed') && end(onLost))
    way.onChannel(channel)
    return { ...mediaOf(pictures), stop: () => end(() => undefined) }
  }
}

function endOf(transport: WebRtcTransport, addresses: readonly string[]): UplinkEnd {
  const { usernameFragment, password } = transport.iceParameters
  const fingerprint = transport.dtlsParameters.fingerprints.find(({ algorithm }) => algorithm === 'sha-256')?.value
  const candidates = transport.iceCandidates
    .filter(({ protocol }) => protocol === 'udp')
    .flatMap(({ foundation, priority, port }) =>
      addresses.map((ip, index) => ({ foundation: `${foundation}${index}`, priority: priority - 256 * index, ip, port })),
    )
  if (fingerprint === undefined || candidates.length === 0) {
    throw new NekoError('unavailable', 'this node has no UDP port that another node could come to: see webrtc.udpmux and webrtc.epr')
  }
  return { ice: { usernameFragment, password }, candidates, fingerprint }
}

/** Resolves when the other node is there: with the certificate that was named, and pleased with ours, or it would not speak SCTP. */
function comesOver(transport: WebRtcTransport): Promise<void> {
  const come = new Promise<void>((resolve, reject) => {
    const fail = (why: string) => reject(new NekoError('unavailable', `the node behind the uplink: ${why}`))
    transport.on('sctpstatechange', (state) => state === 'connected' && resolve())
    transport.on('dtlsstatechange', (state) => (state === 'failed' || state === 'closed') && fail(`DTLS ${state}`))
    transport.observer.on('close', () => fail('the media worker has died'))
  })
  // It may fail before anybody waits for it.
  come.catch(() => undefined)
  return come
}

/** The messages beside the media, both ways in order; gives the way to send. */
async function openChannel(transport: WebRtcTransport, direct: DirectTransport, onMessage: (text: string) => void) {
  const [incoming, own] = await Promise.all([
    transport.produceData({ sctpStreamParameters: { streamId, ordered: true } }),
    direct.produceData({ label: 'uplink' }),
  ])
  // The worker gives stream ids from 0 up, and this is the transport's first.
  const [tap] = await Promise.all([
    direct.consumeData({ dataProducerId: incoming.id }),
    transport.consumeData({ dataProducerId: own.id, ordered: true }),
  ])
  tap.on('message', (message: Buffer) => onMessage(message.toString()))
  return (text: string) => {
    if (!own.closed) {
      own.send(Buffer.from(text), ppid.text)
    }
  }
}
