import { expect, it } from 'vitest'
import { candidateEvents } from './candidate.ts'
import type { LocalTransport } from './describe.ts'
import { offer, sendingSection } from './offer.ts'
import type { RtpParameters } from './rtp.ts'

const transport: LocalTransport = {
  ice: { usernameFragment: 'ufrag', password: 'password' },
  fingerprint: { algorithm: 'sha-256', value: 'AA:BB' },
  candidates: [
    { foundation: 'udp0', priority: 20, address: '192.0.2.1', protocol: 'udp', port: 59_000 },
    { foundation: 'tcp0', priority: 10, address: '192.0.2.1', protocol: 'tcp', port: 59_001 },
  ],
  setup: 'active',
  maxMessageSize: 262_144,
}
const extension = { uri: 'urn:ietf:params:rtp-hdrext:sdes:mid', id: 1 }
const audio: RtpParameters = {
  codecs: [{ mimeType: 'audio/opus', payloadType: 111, clockRate: 48_000, channels: 2, parameters: { useinbandfec: 1, stereo: 1 } }],
  headerExtensions: [extension],
  encodings: [{ ssrc: 11 }],
  rtcp: { cname: 'neko' },
}
const video: RtpParameters = {
  codecs: [
    {
      mimeType: 'video/VP8',
      payloadType: 96,
      clockRate: 90_000,
      parameters: {},
      rtcpFeedback: [
        { type: 'nack', parameter: '' },
        { type: 'nack', parameter: 'pli' },
      ],
    },
    { mimeType: 'video/rtx', payloadType: 100, clockRate: 90_000, parameters: { apt: 96 }, rtcpFeedback: [] },
  ],
  headerExtensions: [extension],
  encodings: [{ ssrc: 21, rtx: { ssrc: 22 } }],
  rtcp: { cname: 'neko' },
}
const sections = [
  sendingSection({ kind: 'audio', mid: '0', track: 'audio', direction: 'sendrecv', rtp: audio }),
  sendingSection({ kind: 'video', mid: '1', track: 'video', direction: 'sendonly', rtp: video }),
  { kind: 'application', mid: '2' } as const,
]
const text = (setup: LocalTransport['setup'] = 'active'): string =>
  offer({ origin: { id: 7, version: 3 }, transport: { ...transport, setup }, sections })
const parts = (sdp: string): string[][] => sdp.split(/(?=^m=)/m).map((part) => part.trimEnd().split('\r\n'))

it('[SDP-1] the session is ICE-lite, bundled, and says its version', () => {
  const [session] = parts(text())
  expect(session).toEqual(
    expect.arrayContaining(['v=0', 'o=- 7 3 IN IP4 127.0.0.1', 'a=ice-lite', 'a=group:BUNDLE 0 1 2', 'a=msid-semantic: WMS *']),
  )
})

it('[SDP-2] audio, video and application in upstream order, each with the whole transport', () => {
  const [, ...lines] = parts(text())
  expect(lines.map((line) => line[0])).toEqual([
    'm=audio 9 UDP/TLS/RTP/SAVPF 111',
    'm=video 9 UDP/TLS/RTP/SAVPF 96 100',
    'm=application 9 UDP/DTLS/SCTP webrtc-datachannel',
  ])
  for (const line of lines) {
    expect(line).toEqual(
      expect.arrayContaining([
        'a=ice-ufrag:ufrag',
        'a=ice-pwd:password',
        'a=fingerprint:sha-256 AA:BB',
        'a=setup:active',
        'a=candidate:udp0 1 udp 20 192.0.2.1 59000 typ host',
        'a=candidate:tcp0 1 tcp 10 192.0.2.1 59001 typ host tcptype passive',
        'a=end-of-candidates',
      ]),
    )
  }
})

it('[SDP-3] audio keeps the fmtp that V2 clients edit; stream and track ids are upstream’s', () => {
  const [, line] = parts(text())
  expect(line).toEqual(
    expect.arrayContaining([
      'a=mid:0',
      'a=sendrecv',
      'a=rtpmap:111 opus/48000/2',
      'a=fmtp:111 useinbandfec=1;stereo=1',
      'a=extmap:1 urn:ietf:params:rtp-hdrext:sdes:mid',
      'a=msid:stream audio',
      'a=ssrc:11 cname:neko',
      'a=rtcp-mux',
      'a=rtcp-rsize',
    ]),
  )
})

it('[SDP-4] video names its retransmission, and feedback without an empty parameter', () => {
  const [, , line] = parts(text())
  expect(line).toEqual(
    expect.arrayContaining([
      'a=mid:1',
      'a=sendonly',
      'a=rtpmap:96 VP8/90000',
      'a=rtpmap:100 rtx/90000',
      'a=fmtp:100 apt=96',
      'a=rtcp-fb:96 nack',
      'a=rtcp-fb:96 nack pli',
      'a=msid:stream video',
      'a=ssrc-group:FID 21 22',
      'a=ssrc:21 cname:neko',
      'a=ssrc:22 cname:neko',
    ]),
  )
  expect(line?.some((one) => one.startsWith('a=fmtp:96'))).toBe(false)
})

it('[SDP-5] the data channel line, and setup as it is asked for', () => {
  const [, , , line] = parts(text('actpass'))
  expect(line).toEqual(expect.arrayContaining(['a=mid:2', 'a=setup:actpass', 'a=sctp-port:5000', 'a=max-message-size:262144']))
})

it('[SDP-6] a refused m-line keeps its place with port 0, outside the bundle', () => {
  const sdp = offer({
    origin: { id: 7, version: 4 },
    transport,
    sections: [{ kind: 'rejected', mid: '0', media: 'audio', protocol: 'UDP/TLS/RTP/SAVPF', formats: '111' }, ...sections.slice(1)],
  })
  expect(sdp).toContain('a=group:BUNDLE 1 2\r\n')
  expect(parts(sdp)[1]).toEqual(['m=audio 0 UDP/TLS/RTP/SAVPF 111', 'c=IN IP4 0.0.0.0', 'a=mid:0', 'a=inactive'])
})

it('[SDP-7] candidates as events for clients that trickle', () => {
  expect(candidateEvents(transport.candidates)).toEqual([
    { candidate: 'candidate:udp0 1 udp 20 192.0.2.1 59000 typ host', sdpMid: '0', sdpMLineIndex: 0, usernameFragment: null },
    {
      candidate: 'candidate:tcp0 1 tcp 10 192.0.2.1 59001 typ host tcptype passive',
      sdpMid: '0',
      sdpMLineIndex: 0,
      usernameFragment: null,
    },
  ])
})
