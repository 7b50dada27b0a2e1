import type { ClientEvent, ServerPayloads } from '@neko-edge/protocol'
import { decodeChannel } from '@neko-edge/protocol/channel'
import { FakeClock } from '@neko-edge/testing'
import { describe, expect, it } from 'vitest'
import { Media } from './media.ts'
import type { PeerEvents } from './peer.ts'

interface Peer {
  readonly events: PeerEvents
  readonly offers: string[]
  readonly candidates: string[]
  readonly sent: Uint8Array[]
  isClosed: boolean
}

const offer = (sdp: string): ServerPayloads['signal/provide'] => ({
  sdp,
  iceservers: [],
  video: { disabled: false, id: 'main', video: 'main', auto: false },
  audio: { disabled: false },
})
const candidate = (text: string) => ({ candidate: text, sdpMid: '0', sdpMLineIndex: 0, usernameFragment: null })

function setUp() {
  const clock = new FakeClock()
  const sent: [ClientEvent, unknown][] = []
  const peers: Peer[] = []
  const link = { isOpen: true }
  const stats: { report: RTCStatsReport | undefined } = { report: undefined }
  const media = new Media({
    clock,
    random: () => 0,
    send: (event, payload) => {
      if (link.isOpen) {
        sent.push([event, payload])
      }
      return link.isOpen
    },
    openPeer: (_, events) => {
      const peer: Peer = { events, offers: [], candidates: [], sent: [], isClosed: false }
      peers.push(peer)
      return {
        accept: (sdp) => void peer.offers.push(sdp),
        addCandidate: (item) => void peer.candidates.push(item.candidate ?? ''),
        answered: () => {},
        publish: () => {},
        tried: () => 'Tried nothing.',
        send: (bytes) => {
          peer.sent.push(bytes)
          return !peer.isClosed
        },
        stats: async () => stats.report,
        close: () => {
          peer.isClosed = true
        },
      }
    },
  })
  const newest = () => peers.at(-1) as Peer
  const requests = () => sent.filter(([event]) => event === 'signal/request').length
  return { clock, link, media, newest, peers, requests, sent, stats }
}

function live() {
  const all = setUp()
  all.media.start()
  all.media.provide(offer('one'))
  all.newest().events.onUp()
  return all
}

describe('Media', () => {
  it('[WEB-50] asks, answers the offer, and keeps candidates that came before it', () => {
    const { media, newest, sent } = setUp()
    media.start()
    expect(sent).toEqual([['signal/request', {}]])
    media.candidate(candidate('early'))
    media.provide(offer('one'))
    media.candidate(candidate('late'))
    expect(newest()).toMatchObject({ offers: ['one'], candidates: ['early', 'late'] })
    newest().events.onAnswer('mine')
    newest().events.onCandidate({ candidate: 'c' })
    expect(sent.slice(1)).toEqual([
      ['signal/answer', { sdp: 'mine' }],
      ['signal/candidate', { candidate: 'c' }],
    ])
    newest().events.onUp()
    expect(media.state.value).toEqual({ is: 'up' })
  })

  it('[WEB-51] an offer out of the blue replaces the peer; the old one is heard no more', () => {
    const { media, peers, newest } = live()
    media.provide(offer('two'))
    expect(peers[0]?.isClosed).toBe(true)
    peers[0]?.events.onDown('late news')
    expect(media.state.value).toEqual({ is: 'connecting' })
    newest().events.onUp()
    expect(media.state.value).toEqual({ is: 'up' })
  })

  it('[WEB-52] no offer in 10 s, no path in 12 s: asks again with back-off', () => {
    const { clock, media, requests } = setUp()
    media.start()
    clock.advance(10_000)
    expect(media.state.value).toMatchObject({ is: 'waiting', attempt: 1, trouble: { code: 'no-picture-yet' } })
    clock.advance(250)
    expect(requests()).toBe(2)
    media.provide(offer('one'))
    clock.advance(12_000)
    expect(media.state.value).toMatchObject({ is: 'waiting', attempt: 2, trouble: { code: 'no-media-path' } })
    clock.advance(499)
    expect(requests()).toBe(2)
    clock.advance(1)
    expect(requests()).toBe(3)
  })

  it('[WEB-53] a peer that the server closes or that fails is asked for again', () => {
    const { clock, media, newest, requests } = live()
    media.closedByServer()
    clock.advance(250)
    media.provide(offer('two'))
    newest().events.onDown('failed')
    expect(media.state.value).toMatchObject({ is: 'waiting', trouble: { code: 'no-media-path', detail: 'failed' } })
    clock.advance(500)
    expect(requests()).toBe(3)
  })

  it('[WEB-54] a wavering path asks for an ICE restart on the same peer', () => {
    const { media, newest, peers, sent } = live()
    newest().events.onShaky()
    expect(sent.at(-1)).toEqual(['signal/restart', undefined])
    media.renegotiate('restart')
    expect(peers).toHaveLength(1)
    expect(newest().offers).toEqual(['one', 'restart'])
  })

  it('[WEB-55] pings every 2 s, tells the round trip, and gives the path up after four unanswered', () => {
    const { clock, media, newest } = live()
    const ping = decodeChannel(newest().sent[0] as Uint8Array)
    clock.advance(40)
    newest().events.onChannel({ is: 'pong', clientTime: ping?.is === 'ping' ? ping.clientTime : 0, serverTime: 0 })
    expect(media.roundTripMs.value).toBe(40)
    clock.advance(8_000)
    expect(media.state.value.is).toBe('up')
    clock.advance(2_000)
    expect(media.state.value).toMatchObject({ is: 'waiting', trouble: { code: 'no-media-path' } })
    expect(newest().isClosed).toBe(true)
  })

  it('[WEB-56] media that flows outlives the socket; media on its way starts anew with it', () => {
    const { link, media, newest, requests } = live()
    link.isOpen = false
    media.pause()
    expect(media.state.value.is).toBe('up')
    media.start()
    expect(requests()).toBe(1)
    newest().events.onDown('gone too')
    media.pause()
    expect(media.state.value).toEqual({ is: 'off' })
    link.isOpen = true
    media.start()
    expect(requests()).toBe(2)
  })

  it('[WEB-57] stop closes the peer and ends every timer', () => {
    const { clock, media, newest } = live()
    media.stop()
    expect(newest().isClosed).toBe(true)
    expect(clock.pending).toBe(0)
    expect(media.stream.value).toBeUndefined()
  })

  it('[WEB-1330] without WebRTC nothing is asked for, and an offer is not answered', () => {
    const sent: ClientEvent[] = []
    const media = new Media({ clock: new FakeClock(), random: () => 0, openPeer: undefined, send: (event) => sent.push(event) > 0 })
    media.start()
    media.provide(offer('first'))
    expect([sent, media.state.value.is, media.isOff]).toEqual([[], 'off', true])
  })

  it('[WEB-1331] three seconds without a word and the path counts as silent, until the next word', () => {
    const { clock, media, newest } = live()
    expect(media.flow.value).toBe('up')
    clock.advance(2_999)
    expect(media.flow.value).toBe('up')
    clock.advance(1)
    expect([media.flow.value, media.state.value.is]).toEqual(['silent', 'up'])
    newest().events.onChannel({ is: 'pong', clientTime: clock.now(), serverTime: 0 })
    expect(media.flow.value).toBe('up')
    media.stop()
    expect([media.flow.value, clock.pending]).toEqual(['none', 0])
  })

  it('[WEB-1992] a path over TCP looks for a better one after a minute, two, four, and when the room’s socket is back; over UDP never', async () => {
    const { clock, media, newest, sent, stats } = live()
    const over = (protocol: string) => {
      const pair = { id: 'p', type: 'candidate-pair', nominated: true, state: 'succeeded', localCandidateId: 'l' }
      const local = { id: 'l', type: 'local-candidate', protocol, candidateType: 'host' }
      const transport = { id: 't', type: 'transport', selectedCandidatePairId: 'p' }
      stats.report = new Map([pair, local, transport].map((each) => [each.id, each])) as unknown as RTCStatsReport
    }
    const restarts = () => sent.filter(([event]) => event === 'signal/restart').length
    const wait = async (ms: number) => {
      for (let at = 0; at < ms; at += 2_000) {
        newest().events.onChannel({ is: 'pong', clientTime: clock.now(), serverTime: 0 })
        clock.advance(2_000)
        await new Promise((resolve) => setImmediate(resolve))
      }
    }
    over('tcp')
    await wait(2_000)
    expect(media.path.value).toBe('tcp')
    const startedAt = clock.now()
    const minutes: number[] = []
    while (minutes.length < 3) {
      const before = restarts()
      await wait(2_000)
      if (restarts() > before) {
        minutes.push(Math.round((clock.now() - startedAt) / 60_000))
      }
    }
    expect(minutes).toEqual([1, 3, 7])
    media.start()
    expect(restarts()).toBe(4)
    over('udp')
    await wait(10 * 60_000)
    media.start()
    expect(restarts()).toBe(4)
    media.stop()
    expect(clock.pending).toBe(0)
  })
})
