import { randomBytes } from 'node:crypto'
import * as mediasoup from 'mediasoup'
import { RTCPeerConnection } from 'werift'

type Worker = mediasoup.types.Worker
type Router = mediasoup.types.Router
type WebRtcTransport = mediasoup.types.WebRtcTransport

const opus = { kind: 'audio', mimeType: 'audio/opus', clockRate: 48_000, channels: 2, preferredPayloadType: 111 } as const
const producerSsrc = 1234
const packetEveryMs = 20
const limitMs = 10_000

/**
 * Proves that a freshly built worker works with this mediasoup: it starts, makes a router and a WebRTC transport, completes ICE and DTLS
 * with a werift peer on loopback, and a packet that goes in as RTP comes out of the peer's SRTP unchanged. Throws when it does not.
 *
 * A handshake alone would not show a fault in the bridge to libsrtp, hence the packet.
 */
export async function verifyWorker(workerBin: string): Promise<void> {
  const worker = await mediasoup.createWorker({ workerBin, logLevel: 'warn' })
  const died = new Promise<never>((_, reject) => worker.once('died', (cause) => reject(new Error('the worker died', { cause }))))
  const late = AbortSignal.timeout(limitMs)
  const expired = new Promise<never>((_, reject) => {
    late.addEventListener('abort', () => reject(new Error(`no packet reached the peer within ${limitMs} ms`)))
  })
  try {
    await Promise.race([carryOnePacket(worker), died, expired])
  } finally {
    worker.close()
  }
}

async function carryOnePacket(worker: Worker): Promise<void> {
  const router = await worker.createRouter({ mediaCodecs: [opus] })
  const transport = await router.createWebRtcTransport({
    listenInfos: [{ protocol: 'udp', ip: '127.0.0.1' }],
    enableUdp: true,
    enableTcp: false,
  })
  const payload = randomBytes(100)
  const { producer, send } = await produce(router, payload)
  const consumer = await transport.consume({ producerId: producer.id, rtpCapabilities: router.rtpCapabilities })

  const peer = new RTCPeerConnection({ iceServers: [], iceAdditionalHostAddresses: ['127.0.0.1'] })
  const arrived = new Promise<void>((resolve) => {
    peer.onTrack.subscribe((track) => {
      track.onReceiveRtp.subscribe((packet) => {
        if (packet.payload.equals(payload)) {
          resolve()
        }
      })
    })
  })
  const timer = setInterval(send, packetEveryMs)
  try {
    await connect(peer, transport, consumer)
    await arrived
  } finally {
    clearInterval(timer)
    await peer.close()
  }
}

async function produce(router: Router, payload: Buffer): Promise<{ producer: mediasoup.types.Producer; send: () => void }> {
  const feeder = await router.createDirectTransport()
  const producer = await feeder.produce({
    kind: 'audio',
    rtpParameters: {
      codecs: [{ mimeType: opus.mimeType, clockRate: 48_000, channels: 2, payloadType: 111 }],
      encodings: [{ ssrc: producerSsrc }],
    },
  })
  let sequence = 0
  const send = () => {
    const header = Buffer.alloc(12)
    header.writeUInt8(0x80, 0)
    header.writeUInt8(111, 1)
    header.writeUInt16BE(++sequence % 65_536, 2)
    header.writeUInt32BE(sequence * 960, 4)
    header.writeUInt32BE(producerSsrc, 8)
    producer.send(Buffer.concat([header, payload]))
  }
  return { producer, send }
}

async function connect(peer: RTCPeerConnection, transport: WebRtcTransport, consumer: mediasoup.types.Consumer): Promise<void> {
  await peer.setRemoteDescription({ type: 'offer', sdp: offer(transport, consumer) })
  const answer = await peer.createAnswer()
  const [, algorithm, value] = /^a=fingerprint:(\S+) (\S+)/m.exec(answer.sdp) ?? []
  if (algorithm !== 'sha-256' || !value) {
    throw new Error('the verifying peer answered without a SHA-256 fingerprint')
  }
  // The offer says actpass, which werift answers as the DTLS client.
  await transport.connect({ dtlsParameters: { role: 'client', fingerprints: [{ algorithm, value }] } })
  await peer.setLocalDescription(answer)
}

function offer(transport: WebRtcTransport, consumer: mediasoup.types.Consumer): string {
  const { iceParameters: ice, iceCandidates, dtlsParameters } = transport
  const print = dtlsParameters.fingerprints.find(({ algorithm }) => algorithm === 'sha-256')
  const codec = consumer.rtpParameters.codecs[0]
  const ssrc = consumer.rtpParameters.encodings?.[0]?.ssrc
  if (!print || !codec || !ssrc) {
    throw new Error('the worker gave no SHA-256 fingerprint, no codec or no SSRC')
  }
  return [
    'v=0',
    'o=- 1 1 IN IP4 127.0.0.1',
    's=-',
    't=0 0',
    'a=ice-lite',
    'a=group:BUNDLE 0',
    `m=audio 9 UDP/TLS/RTP/SAVPF ${codec.payloadType}`,
    'c=IN IP4 127.0.0.1',
    'a=mid:0',
    'a=sendonly',
    'a=rtcp-mux',
    `a=rtpmap:${codec.payloadType} opus/48000/2`,
    `a=ssrc:${ssrc} cname:verify`,
    'a=setup:actpass',
    `a=fingerprint:sha-256 ${print.value}`,
    `a=ice-ufrag:${ice.usernameFragment}`,
    `a=ice-pwd:${ice.password}`,
    ...iceCandidates.map((c) => `a=candidate:${c.foundation} 1 ${c.protocol} ${c.priority} ${c.address} ${c.port} typ ${c.type}`),
    'a=end-of-candidates',
    '',
  ].join('\r\n')
}
