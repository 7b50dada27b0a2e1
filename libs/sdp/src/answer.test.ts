import { readFileSync } from 'node:fs'
import { NekoError } from '@neko-edge/kit'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { type AnswerOptions, answer, incomingOf, parseAnswer } from './answer.ts'
import type { MediaSection } from './describe.ts'
import { parseDescription } from './parse.ts'
import type { RtpCodec } from './rtp.ts'

const fixture = (name: string): string => readFileSync(new URL(`fixture/${name}.sdp`, import.meta.url), 'utf8')
const chromiumAnswer = fixture('chromium-answer')
const chromiumOffer = fixture('chromium-offer')
const MID = { uri: 'urn:ietf:params:rtp-hdrext:sdes:mid', id: 1 }
const opus: RtpCodec = {
  mimeType: 'audio/opus',
  payloadType: 111,
  clockRate: 48_000,
  channels: 2,
  parameters: { useinbandfec: 1, stereo: 1 },
}
const vp8: RtpCodec = { mimeType: 'video/VP8', payloadType: 96, clockRate: 90_000 }
const rtx: RtpCodec = { mimeType: 'video/rtx', payloadType: 100, clockRate: 90_000, parameters: { apt: 96 } }
const own: MediaSection[] = [
  {
    kind: 'audio',
    mid: '0',
    direction: 'sendrecv',
    codecs: [opus],
    headerExtensions: [MID],
    sending: { track: 'audio', ssrc: 1, cname: 'neko' },
  },
  {
    kind: 'video',
    mid: '1',
    direction: 'sendrecv',
    codecs: [vp8, rtx],
    headerExtensions: [MID],
    sending: { track: 'video', ssrc: 2, rtxSsrc: 3, cname: 'neko' },
  },
]
const options = (offer: string, wanted: RtpCodec[] = [opus, vp8]): AnswerOptions => ({
  offer: parseDescription(offer),
  origin: { id: 1, version: 2 },
  transport: {
    ice: { usernameFragment: 'u', password: 'p' },
    fingerprint: { algorithm: 'sha-256', value: 'AA' },
    candidates: [],
    setup: 'active',
    maxMessageSize: 262_144,
  },
  own,
  wanted,
})
/** Of this thread: a busy machine must not look like a slow parser. */
const cpuMs = (): number => {
  const { user, system } = process.threadCpuUsage()
  return (user + system) / 1000
}
const codeOf = (work: () => unknown): string => {
  try {
    work()
    return 'nothing'
  } catch (error) {
    return error instanceof NekoError ? error.code : `a ${String(error)}`
  }
}

it('[SDP-8] reads what Chromium answers', () => {
  const { dtls, sections } = parseAnswer(chromiumAnswer)
  expect(dtls.role).toBe('server')
  expect(dtls.fingerprint.algorithm).toBe('sha-256')
  expect(dtls.fingerprint.value).toMatch(/^C8:0B:.*:24$/)
  expect(sections.map(({ kind, mid, accepted, direction }) => [kind, mid, accepted, direction])).toEqual([
    ['audio', '0', true, 'recvonly'],
    ['video', '1', true, 'recvonly'],
    ['application', '2', true, 'sendrecv'],
  ])
  expect(sections.map((one) => one.codecs.map((codec) => codec.payloadType))).toEqual([[111], [96, 100], []])
})

it('[SDP-9] reads what Firefox answers: fingerprint of the session, streams named where nothing is sent', () => {
  const { dtls, sections } = parseAnswer(fixture('firefox-answer'))
  expect(dtls).toMatchObject({ role: 'client', fingerprint: { algorithm: 'sha-256' } })
  expect(sections.every((one) => one.accepted)).toBe(true)
  expect(sections.map((one) => incomingOf(one, [opus, vp8]))).toEqual([undefined, undefined, undefined])
})

it('[SDP-10] the stereo patch of V2 clients and port 0 are understood', () => {
  const patched = chromiumAnswer.replace('useinbandfec=1', 'useinbandfec=1;stereo=1').replace('m=video 9', 'm=video 0')
  const [audio, video] = parseAnswer(patched).sections
  expect(audio?.codecs[0]?.parameters).toEqual({ minptime: 10, useinbandfec: 1, stereo: 1 })
  expect(video?.accepted).toBe(false)
})

it.for([
  ['nothing', ''],
  ['no text', 7],
  ['prose', 'hello'],
  ['no m-line', 'v=0\r\no=- 1 1 IN IP4 0\r\n'],
  ['no fingerprint', chromiumAnswer.replaceAll(/a=fingerprint.*\r\n/g, '')],
  ['a broken fingerprint', chromiumAnswer.replaceAll(/sha-256 C8/g, 'sha-256 XX')],
  ['an unknown digest', chromiumAnswer.replaceAll('sha-256', 'md5')],
  ['no setup', chromiumAnswer.replaceAll(/a=setup.*\r\n/g, '')],
  ['actpass', chromiumAnswer.replaceAll('setup:passive', 'setup:actpass')],
  ['holdconn', chromiumAnswer.replaceAll('setup:passive', 'setup:holdconn')],
  ['one mid twice', chromiumAnswer.replace('a=mid:1', 'a=mid:0')],
  ['100 m-lines', `v=0\r\n${'m=audio 9 UDP/TLS/RTP/SAVPF 111\r\n'.repeat(100)}`],
  ['a line of 10 000 characters', `${chromiumAnswer}a=fmtp:111 ${'x'.repeat(10_000)}\r\n`],
  ['a megabyte', `v=0\r\n${'a=x\r\n'.repeat(200_000)}`],
] as const)('[SDP-11] %s is no answer: invalid', ([, sdp]) => {
  expect(codeOf(() => parseAnswer(sdp))).toBe('invalid')
})

it('[SDP-12] a client that shares is answered on the m-lines it took over, with what it sends', () => {
  const { sdp, incoming } = answer(options(chromiumOffer))
  expect(sdp.match(/^a=(sendrecv|sendonly|recvonly|inactive)/gm)).toEqual(['a=sendrecv', 'a=sendrecv'])
  expect(sdp).toContain('a=msid:stream video')
  expect(sdp).toContain('a=ssrc-group:FID 2 3')
  expect(incoming.map(({ kind, mid }) => [kind, mid])).toEqual([
    ['audio', '0'],
    ['video', '1'],
  ])
  expect(incoming[0]?.rtp).toMatchObject({ codecs: [{ mimeType: 'audio/opus', payloadType: 111 }], encodings: [{ ssrc: 147667090 }] })
  expect(incoming[1]?.rtp).toMatchObject({
    codecs: [{ payloadType: 96 }, { payloadType: 100 }],
    headerExtensions: [MID],
    encodings: [{ ssrc: 1459955470, rtx: { ssrc: 1479426402 } }],
    rtcp: { cname: 'V/nETbilD42t0dTo' },
  })
  expect(incoming[1]?.rtp.codecs[0]?.rtcpFeedback).toEqual([
    { type: 'ccm', parameter: 'fir' },
    { type: 'nack' },
    { type: 'nack', parameter: 'pli' },
  ])
})

it('[SDP-13] who may not share is answered sendonly, and nothing is taken', () => {
  const { sdp, incoming } = answer(options(chromiumOffer, []))
  expect(sdp.match(/^a=(sendrecv|sendonly|recvonly|inactive)/gm)).toEqual(['a=sendonly', 'a=sendonly'])
  expect(incoming).toEqual([])
})

it('[SDP-14] a new m-line is recvonly, in the client’s own payload type; one in another codec is refused', () => {
  const lines = (mid: string, payloadType: number, codec: string): string =>
    [
      `m=video 9 UDP/TLS/RTP/SAVPF ${payloadType}`,
      `a=mid:${mid}`,
      'a=sendonly',
      `a=rtpmap:${payloadType} ${codec}/90000`,
      `a=ssrc:5${mid} cname:x`,
      '',
    ].join('\r\n')
  const { sdp, sections, incoming } = answer(options(`${chromiumOffer}${lines('3', 120, 'VP8')}${lines('4', 121, 'H264')}`))
  expect(sections.map((one) => [one.mid, 'direction' in one ? one.direction : one.kind])).toEqual([
    ['0', 'sendrecv'],
    ['1', 'sendrecv'],
    ['2', 'application'],
    ['3', 'recvonly'],
    ['4', 'rejected'],
  ])
  expect(incoming.find((one) => one.mid === '3')?.rtp).toMatchObject({ codecs: [{ payloadType: 120 }], encodings: [{ ssrc: 53 }] })
  expect(sdp).toContain('a=group:BUNDLE 0 1 2 3\r\n')
})

it('[SDP-15] feedback that needs a header extension is agreed on only with it; REMB never', () => {
  const cc = 'http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01'
  const withFeedback = chromiumOffer.replace(
    'a=rtcp-fb:96 nack\r\n',
    'a=rtcp-fb:96 nack\r\na=rtcp-fb:96 transport-cc\r\na=rtcp-fb:96 goog-remb\r\n',
  )
  expect(answer(options(withFeedback)).sdp).not.toMatch(/transport-cc|goog-remb/)
  const withBoth = withFeedback.replace('a=mid:1\r\n', `a=mid:1\r\na=extmap:3 ${cc}\r\n`)
  expect(answer(options(withBoth)).sdp).toContain('a=rtcp-fb:96 transport-cc')
})

it('[SDP-16] whatever a client sends, it costs little and fails with invalid', () => {
  const lines = [
    ...chromiumOffer.split('\r\n'),
    ...fixture('firefox-answer').split('\r\n'),
    'a=ssrc-group:FID 1 1',
    'a=fmtp:96 __proto__=1;constructor=2',
    'm=audio x y z',
    'a=rtpmap:0 /',
    'a=extmap:999 x',
    '',
  ]
  const anyLine = fc.oneof(
    fc.constantFrom(...lines),
    fc.string({ maxLength: 80 }),
    fc
      .tuple(fc.constantFrom(...lines), fc.nat(60), fc.string({ maxLength: 8 }))
      .map(([line, at, text]) => line.slice(0, at) + text + line.slice(at)),
  )
  const sdps = fc.oneof(
    fc.array(anyLine, { maxLength: 60 }).map((all) => ['v=0', ...all].join('\r\n')),
    fc
      .tuple(fc.nat(chromiumOffer.length), fc.nat(400), fc.string({ maxLength: 20 }))
      .map(([at, length, text]) => chromiumOffer.slice(0, at) + text + chromiumOffer.slice(at + length)),
  )
  fc.assert(
    fc.property(sdps, (sdp) => {
      const begin = cpuMs()
      const results = [codeOf(() => parseAnswer(sdp)), codeOf(() => answer(options(sdp)))]
      return results.every((one) => one === 'nothing' || one === 'invalid') && cpuMs() - begin < 250
    }),
    { numRuns: 400 },
  )
})

it('[SDP-17] the worst texts that fit the bounds are read in bounded time', () => {
  const line = (start: string, unit: string): string => `${start}${unit.repeat(Math.floor((2_040 - start.length) / unit.length))}\r\n`
  for (const [start, unit] of [
    ['a=fmtp:96 ', ';a'],
    ['a=fmtp:96 ', ' '],
    ['a=extmap:1 ', ' x'],
    ['a=ssrc-group:FID ', '1 '],
    ['a=rtpmap:96 VP8/', ' '],
    ['a=group:BUNDLE ', '0 '],
    ['m=video 9 UDP/TLS/RTP/SAVPF ', '96 '],
  ]) {
    const sdp = `${chromiumAnswer}${line(start ?? '', unit ?? '').repeat(29)}`
    const begin = cpuMs()
    codeOf(() => parseAnswer(sdp))
    expect(cpuMs() - begin, start).toBeLessThan(500)
  }
})
