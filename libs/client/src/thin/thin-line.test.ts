import { encodeChannel, encodeStreamFrame, type StreamFormat } from '@neko-edge/protocol'
import type { ChannelOutput } from '@neko-edge/protocol/channel'
import { FakeClock } from '@neko-edge/testing'
import { afterEach, describe, expect, it, vi } from 'vitest'
import type { SocketLike } from '../link.ts'
import { ThinLine, type ThinWish } from './thin-line.ts'

interface Socket {
  binaryType: string
  onopen: (() => void) | null
  onmessage: ((event: { data: unknown }) => void) | null
  onclose: (() => void) | null
  readonly said: { is: string; [field: string]: unknown }[]
  closedWith: number | undefined | 'open'
}

/** A line in a browser without WebCodecs, as Node is one, and the sockets that it opens. */
function setUp(wish: Partial<ThinWish> = {}) {
  const clock = new FakeClock()
  const sockets: Socket[] = []
  const waits: number[] = []
  const heard: ChannelOutput[] = []
  const roundTrips: (number | undefined)[] = []
  const shown: (string | undefined)[] = []
  // Of a canvas only its size and this much is used.
  const canvas = { width: 0, height: 0, getContext: () => null, dispatchEvent: () => true } as unknown as HTMLCanvasElement
  const line = new ThinLine(
    {
      clock,
      random: () => 0,
      url: () => 'ws://room/api/stream',
      openSocket: () => {
        const said: Socket['said'] = []
        const socket = {
          binaryType: 'blob',
          onopen: null,
          onmessage: null,
          onclose: null,
          said,
          closedWith: 'open' as const,
          send: (text: string) => void said.push(JSON.parse(text)),
          close(code?: number) {
            this.closedWith = code as never
          },
        }
        sockets.push(socket)
        return socket as unknown as SocketLike
      },
      wish: { video: undefined, isPictureOff: false, isHeld: false, volume: 1, ...wish },
      events: {
        onShown: (picture) => shown.push(picture?.picture),
        onWaiting: ({ attempt }) => waits.push(attempt),
        onChannel: (message) => heard.push(message),
        onRoundTrip: (ms) => roundTrips.push(ms),
        onSoundBlocked: () => {},
      },
    },
    canvas,
  )
  const socket = () => sockets.at(-1) as Socket
  const frame = (format: StreamFormat, data: Uint8Array) =>
    socket().onmessage?.({ data: encodeStreamFrame({ format, isKey: true, isPartial: false, time: 0, data }).buffer })
  return { clock, frame, heard, line, roundTrips, shown, socket, sockets, waits }
}

describe('the thin line of a browser', () => {
  afterEach(() => vi.unstubAllGlobals())

  it('[WEB-1340] says what it can show, and when that changes, and not the same again', () => {
    const { line, socket } = setUp({ video: 'small' })
    expect(socket().binaryType).toBe('arraybuffer')
    socket().onopen?.()
    expect(socket().said.filter(({ is }) => is === 'wish')).toEqual([{ is: 'wish', picture: 'jpeg', id: 'small', sound: false }])
    line.wish = { video: 'small', isPictureOff: false, isHeld: false, volume: 0.4 }
    line.wish = { video: undefined, isPictureOff: false, isHeld: false, volume: 0.4 }
    line.wish = { video: undefined, isPictureOff: true, isHeld: false, volume: 0.4 }
    expect(
      socket()
        .said.filter(({ is }) => is === 'wish')
        .slice(1),
    ).toEqual([
      { is: 'wish', picture: 'jpeg', sound: false },
      { is: 'wish', picture: 'none', sound: false },
    ])
  })

  it('[WEB-1341] tells of each picture once it is done with it, also of one that can not be read', async () => {
    const { frame, line, socket } = setUp()
    socket().onopen?.()
    frame('jpeg', Uint8Array.of(1))
    frame('jpeg', Uint8Array.of(2))
    await new Promise((resolve) => setImmediate(resolve))
    expect(socket().said.filter(({ is }) => is === 'seen')).toEqual([
      { is: 'seen', pictures: 1 },
      { is: 'seen', pictures: 2 },
    ])
    expect(line.statistics()).toMatchObject({ videoBytes: 2, codec: 'JPEG', path: 'websocket' })
  })

  it('[WEB-1342] measures the round trip, and hears of the pointer', () => {
    const { clock, frame, heard, roundTrips, socket } = setUp()
    socket().onopen?.()
    const time = Number(socket().said.find(({ is }) => is === 'ping')?.['time'])
    clock.advance(35)
    frame('channel', encodeChannel({ is: 'pong', clientTime: time, serverTime: 0 }))
    frame('channel', encodeChannel({ is: 'cursor-position', x: 3, y: 4 }))
    expect(roundTrips.at(-1)).toBe(35)
    expect(heard).toEqual([{ is: 'cursor-position', x: 3, y: 4 }])
  })

  it('[WEB-1343] comes back with back-off when it is cut, and when nobody answers', () => {
    const { clock, line, roundTrips, socket, sockets, waits } = setUp()
    socket().onopen?.()
    socket().onclose?.()
    expect([sockets.length, waits]).toEqual([1, [1]])
    clock.advance(250)
    socket().onopen?.()
    expect(sockets).toHaveLength(2)
    clock.advance(6_000)
    expect(sockets[1]?.closedWith).toBeUndefined()
    expect([waits, roundTrips.at(-1)]).toEqual([[1, 2], undefined])
    clock.advance(500)
    expect(sockets).toHaveLength(3)
    line.close()
    expect([sockets[2]?.closedWith, clock.pending]).toEqual([1000, 0])
  })

  it('[WEB-1344] a video that the room has no more gives way to the best; odd messages harm nobody', () => {
    const { socket } = setUp({ video: 'gone' })
    socket().onopen?.()
    for (const data of ['', '[]', 'null', '{"is":"refused"}', new ArrayBuffer(0), new ArrayBuffer(9), 7, undefined]) {
      socket().onmessage?.({ data })
    }
    socket().onmessage?.({ data: JSON.stringify({ is: 'refused', what: 'video', reason: 'there is no video "gone"' }) })
    expect(
      socket()
        .said.filter(({ is }) => is === 'wish')
        .at(-1),
    ).toEqual({ is: 'wish', picture: 'jpeg', sound: false })
  })

  it('[WEB-1345] sound alone counts as shown at once, and a pointer elsewhere is told', () => {
    const { line, shown, socket } = setUp({ isPictureOff: true })
    expect(line.point({ x: 1, y: 2 })).toBe(false)
    socket().onopen?.()
    expect(shown).toEqual(['jpeg'])
    expect(line.point({ x: 1, y: 2 })).toBe(true)
    expect(socket().said.at(-1)).toEqual({ is: 'move', x: 1, y: 2 })
  })

  it('[WEB-1990] who stops it is sent neither picture nor sound, and who goes on is, again', () => {
    vi.stubGlobal('AudioDecoder', class {})
    const { line, socket } = setUp()
    socket().onopen?.()
    const wish = { video: undefined, isPictureOff: false, volume: 1 }
    line.wish = { ...wish, isHeld: true }
    line.wish = { ...wish, isHeld: false }
    const wishes = socket().said.filter(({ is }) => is === 'wish')
    expect(wishes.map(({ picture, sound }) => [picture, sound])).toEqual([
      ['jpeg', true],
      ['none', false],
      ['jpeg', true],
    ])
  })

  it('[WEB-1991] still pictures that help out give way to video after a minute, then after two, and never once it is closed', () => {
    vi.stubGlobal('VideoDecoder', class {})
    const { clock, frame, line, socket } = setUp()
    const wait = (ms: number) => {
      for (let at = 0; at < ms; at += 1_000) {
        frame('channel', encodeChannel({ is: 'pong', clientTime: clock.now(), serverTime: 0 }))
        clock.advance(1_000)
      }
    }
    const wished = () =>
      socket()
        .said.filter(({ is }) => is === 'wish')
        .at(-1)?.['picture']
    const refuse = () => socket().onmessage?.({ data: JSON.stringify({ is: 'refused', what: 'video', reason: 'not now' }) })
    socket().onopen?.()
    expect(wished()).toBe('video')
    for (const minutes of [1, 2, 4]) {
      refuse()
      wait(minutes * 60_000 - 1_000)
      expect(wished()).toBe('jpeg')
      wait(1_000)
      expect(wished()).toBe('video')
    }
    refuse()
    line.close()
    expect(clock.pending).toBe(0)
  })
})
