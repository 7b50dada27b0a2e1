import { Listeners, silentLog } from '@neko-edge/kit'
import { chunkBytes, decodePiece, readAddressed } from '@neko-edge/protocol'
import { FakeClock } from '@neko-edge/testing'
import { describe, expect, it } from 'vitest'
import { type Codec, codecs } from '../capture/codec.ts'
import type { RtpSource } from '../capture/rtp-source.ts'
import { Feeds } from './feeds.ts'

/** A source whose packets a test makes. */
class Source implements RtpSource {
  readonly ssrc = 7
  readonly isRunning = true
  readonly bitrate = 0
  readonly failure = undefined
  readonly packets = new Listeners<readonly Buffer[]>()
  readonly id: string
  readonly codec: Codec
  users = 0
  keyFrames = 0
  #time = 0

  constructor(id: string, codec: Codec) {
    this.id = id
    this.codec = codec
  }

  retain(): () => void {
    this.users += 1
    return () => {
      this.users -= 1
    }
  }

  async ready(): Promise<void> {}

  onPackets(listener: (packets: readonly Buffer[]) => void): () => void {
    return this.packets.add(listener)
  }

  onRtcp(): () => void {
    return () => undefined
  }

  requestKeyFrame(): void {
    this.keyFrames += 1
  }

  /** One VP8 frame of `size` bytes in one packet. */
  frame({ isKey, size = 100 }: { isKey: boolean; size?: number }): void {
    this.#time += 3_600
    const packet = Buffer.alloc(13 + size)
    packet.set([0x80, 0x80 | 96])
    packet.writeUInt32BE(this.#time, 4)
    packet.set([0x10, isKey ? 0 : 1], 12)
    this.packets.emit([packet])
  }
}

function setUp() {
  const clock = new FakeClock()
  const [main, small] = [new Source('main', codecs.vp8), new Source('small', codecs.vp8)]
  const audio = new Source('audio', codecs.g722)
  const screencast = new Listeners<Buffer>()
  const sent: { channel: string; bytes: Uint8Array }[] = []
  const redis = { isAway: false }
  const feeds = new Feeds({
    capture: {
      videos: new Map([main, small].map((source) => [source.id, source])),
      audio,
      screencast: { watch: (listener) => screencast.add(listener) },
    },
    bus: {
      sendBytes: async (channel, bytes) => {
        if (redis.isAway) {
          throw new Error('away')
        }
        sent.push({ channel, bytes })
      },
    },
    greet: (send) => send(Uint8Array.of(1)),
    audience: () => 0,
    clock,
    log: silentLog,
  })
  const frames = () => sent.map(({ bytes }) => decodePiece(bytes)?.frame ?? expect.fail('no piece'))
  return { audio, clock, feeds, frames, main, redis, screencast, sent, small }
}

const mebibyte = 1024 * 1024

describe('the feeds of a room', () => {
  it('[STR-1340] a source runs while it is fed to somebody; what is not there is said', () => {
    const { feeds, main, small } = setUp()
    feeds.open({ feed: 'a', source: { is: 'video', id: '' } })
    feeds.open({ feed: 'b', source: { is: 'video', id: 'small' } })
    expect([main.users, small.users]).toEqual([1, 1])
    expect(() => feeds.open({ feed: 'c', source: { is: 'video', id: 'no' } })).toThrow('there is no video "no"')
    expect(() => feeds.open({ feed: 'c', source: { is: 'sound' } })).toThrow('g722 can not be sent over the thin line')
    feeds.close({ feed: 'a' })
    feeds.close({ feed: 'a' })
    feeds[Symbol.dispose]()
    expect([main.users, small.users]).toEqual([0, 0])
  })

  it('[STR-1341] begins with a key frame, which it asks for, and cuts what is long into pieces', () => {
    const { feeds, frames, main, sent } = setUp()
    feeds.open({ feed: 'a', source: { is: 'video', id: '' } })
    expect(main.keyFrames).toBe(1)
    main.frame({ isKey: false })
    main.frame({ isKey: true, size: 2 * chunkBytes })
    main.frame({ isKey: false })
    expect(frames().map(({ isKey, isPartial }) => [isKey, isPartial])).toEqual([
      [true, true],
      [true, true],
      [true, false],
      [false, false],
    ])
    expect(Math.max(...sent.map(({ bytes }) => bytes.length))).toBe(chunkBytes)
    expect(new Set(sent.map(({ channel }) => channel))).toEqual(new Set(['neko:feed:a']))
  })

  it('[STR-1342] sends no more than a window ahead of what was seen, and goes on with a key frame', () => {
    const { clock, feeds, frames, main, sent } = setUp()
    feeds.open({ feed: 'a', source: { is: 'video', id: '' } })
    main.frame({ isKey: true, size: mebibyte })
    main.frame({ isKey: false, size: mebibyte })
    const before = sent.length
    main.frame({ isKey: false })
    main.frame({ isKey: true })
    expect(sent.length).toBe(before)
    clock.advance(1_000)
    feeds.seen({ feed: 'a', bytes: mebibyte })
    expect(main.keyFrames).toBe(2)
    main.frame({ isKey: false })
    main.frame({ isKey: true })
    main.frame({ isKey: false })
    expect(
      frames()
        .slice(before)
        .map(({ isKey }) => isKey),
    ).toEqual([true, false])
  })

  it('[STR-1343] one plane that does not keep up costs another nothing', () => {
    const { feeds, main, sent } = setUp()
    for (const feed of ['slow', 'quick']) {
      feeds.open({ feed, source: { is: 'video', id: '' } })
    }
    for (let count = 0; count < 4; count++) {
      main.frame({ isKey: true, size: mebibyte })
      feeds.seen({ feed: 'quick', bytes: Number.MAX_SAFE_INTEGER })
    }
    const bytes = (feed: string) => sent.reduce((sum, one) => sum + (one.channel === `neko:feed:${feed}` ? one.bytes.length : 0), 0)
    expect(bytes('quick')).toBeGreaterThan(4 * mebibyte)
    expect(bytes('slow')).toBeLessThan(3 * mebibyte)
  })

  it('[STR-1344] ends where nobody says for five seconds that it arrives', () => {
    const { clock, feeds, main } = setUp()
    feeds.open({ feed: 'a', source: { is: 'video', id: '' } })
    for (let second = 0; second < 20; second++) {
      clock.advance(1_000)
      feeds.seen({ feed: 'a', bytes: 0 })
    }
    expect(main.users).toBe(1)
    clock.advance(6_000)
    expect(main.users).toBe(0)
    expect(() => feeds.seen({ feed: 'a', bytes: 0 })).toThrow('that feed has ended')
  })

  it('[STR-1345] after Redis was away, a key frame comes first', async () => {
    const { feeds, frames, main, redis, sent } = setUp()
    feeds.open({ feed: 'a', source: { is: 'video', id: '' } })
    main.frame({ isKey: true })
    redis.isAway = true
    main.frame({ isKey: false })
    await Promise.resolve()
    redis.isAway = false
    const before = sent.length
    main.frame({ isKey: false })
    main.frame({ isKey: true })
    expect(
      frames()
        .slice(before)
        .map(({ isKey }) => isKey),
    ).toEqual([true])
  })

  it('[STR-1346] the pointer is told to all feeds of it but one’s own, stills as they come', () => {
    const { feeds, frames, screencast, sent } = setUp()
    feeds.open({ feed: 'a', source: { is: 'channel' } })
    feeds.open({ feed: 'b', source: { is: 'jpeg' } })
    feeds.tellChannel(Uint8Array.of(2, 3), 'ann')
    screencast.emit(Buffer.of(9))
    expect(frames().map(({ format }) => format)).toEqual(['channel', 'channel', 'jpeg'])
    const told = frames()
      .slice(0, 2)
      .map(({ data }) => readAddressed(data))
    expect(told).toEqual([
      { except: '', message: Uint8Array.of(1) },
      { except: 'ann', message: Uint8Array.of(2, 3) },
    ])
    expect(sent.at(-1)?.channel).toBe('neko:feed:b')
    feeds.close({ feed: 'b' })
    expect(screencast.size).toBe(0)
  })
})
