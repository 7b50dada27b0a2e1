import { FakeClock } from '@neko-edge/testing'
import { describe, expect, it } from 'vitest'
import { Cell } from './cell.ts'
import { Ladder, type OpenThin, type ThinPicture } from './ladder.ts'
import type { SocketLike } from './link.ts'
import type { Flow } from './media.ts'
import type { WebRtcPath } from './stats.ts'
import type { ThinOptions, ThinWish } from './thin/thin-line.ts'

interface Opened {
  readonly options: ThinOptions
  wish: ThinWish
  isClosed: boolean
}

const shown: ThinPicture = { picture: 'video', canvas: {} as HTMLCanvasElement }

/** `loads`: whether the code of the thin line can be had. */
function setUp({ hasWebRtc = true, loads = true } = {}) {
  const clock = new FakeClock()
  const flow = new Cell<Flow>('none')
  const path = new Cell<WebRtcPath | undefined>(undefined)
  const roundTripMs = new Cell<number | undefined>(undefined)
  const calls: string[] = []
  const opened: Opened[] = []
  const can = { load: loads }
  const openThin: OpenThin = async (options) => {
    if (!can.load) {
      throw new Error('no such file')
    }
    const thin: Opened = { options, wish: options.wish, isClosed: false }
    opened.push(thin)
    return Object.assign(thin, {
      point: () => true,
      statistics: () => ({ path: 'websocket' }) as never,
      close: () => {
        thin.isClosed = true
      },
    })
  }
  const ladder = new Ladder({
    clock,
    random: () => 0,
    media: {
      isOff: !hasWebRtc,
      flow,
      path,
      roundTripMs,
      start: () => void calls.push('start'),
      stop: () => void calls.push('stop'),
      stats: async () => undefined,
    },
    url: () => 'ws://room/api/stream',
    openSocket: () => ({}) as SocketLike,
    openThin,
    onChannel: () => {},
  })
  const loaded = () => Promise.resolve()
  return { calls, can, clock, flow, ladder, loaded, opened, path, roundTripMs, isOpen: () => opened.map(({ isClosed }) => !isClosed) }
}

describe('the ladder', () => {
  it('[WEB-1320] WebRTC has three seconds; then the thin line helps out, and goes when WebRTC flows', async () => {
    const { calls, clock, flow, isOpen, ladder, loaded, opened, path } = setUp()
    ladder.start()
    expect(calls).toEqual(['start'])
    clock.advance(2_999)
    expect(opened).toEqual([])
    clock.advance(1)
    await loaded()
    expect(isOpen()).toEqual([true])
    opened[0]?.options.events.onShown(shown)
    expect([ladder.shown.value, ladder.path.value]).toEqual([shown, 'websocket'])
    path.set('tcp')
    expect(ladder.path.value).toBe('websocket')
    flow.set('up')
    expect(isOpen()).toEqual([false])
    expect([ladder.shown.value, ladder.path.value]).toEqual([undefined, 'tcp'])
  })

  it('[WEB-1321] a path that flows in time needs no thin line; one that falls silent does at once, one that ends after three seconds', async () => {
    const { clock, flow, isOpen, ladder, loaded, opened } = setUp()
    ladder.start()
    clock.advance(1_000)
    flow.set('up')
    clock.advance(60_000)
    expect(opened).toEqual([])
    flow.set('silent')
    await loaded()
    expect(isOpen()).toEqual([true])
    flow.set('up')
    flow.set('none')
    clock.advance(2_999)
    expect(isOpen()).toEqual([false])
    clock.advance(1)
    await loaded()
    expect(isOpen()).toEqual([false, true])
  })

  it('[WEB-1322] without WebRTC it is there at once, and once', async () => {
    const { isOpen, ladder, loaded } = setUp({ hasWebRtc: false })
    ladder.start()
    await loaded()
    expect(isOpen()).toEqual([true])
    ladder.start()
    await loaded()
    expect(isOpen()).toEqual([true])
  })

  it('[WEB-1323] who stops, or flows, while the code is loading, is left without a thin line', async () => {
    const { clock, flow, isOpen, ladder, loaded } = setUp()
    ladder.start()
    clock.advance(3_000)
    flow.set('up')
    await loaded()
    expect(isOpen()).toEqual([false])
    flow.set('silent')
    ladder.stop()
    await loaded()
    expect(isOpen()).toEqual([false, false])
    expect(clock.pending).toBe(0)
  })

  it('[WEB-1324] a code that does not load is asked for again', async () => {
    const { can, clock, isOpen, ladder, loaded } = setUp({ hasWebRtc: false, loads: false })
    ladder.start()
    await loaded()
    await loaded()
    can.load = true
    clock.advance(5_000)
    await loaded()
    expect(isOpen()).toEqual([true])
  })

  it('[WEB-1325] while the room’s socket is away no line is begun, and one that is there goes on', async () => {
    const { clock, isOpen, ladder, loaded, opened } = setUp()
    ladder.start()
    ladder.pause()
    clock.advance(60_000)
    expect(opened).toEqual([])
    ladder.start()
    clock.advance(3_000)
    await loaded()
    ladder.pause()
    expect(isOpen()).toEqual([true])
  })

  it('[WEB-1326] what one wishes for reaches the line that is there, and the next one', async () => {
    const { flow, ladder, loaded, opened } = setUp()
    ladder.start()
    ladder.choose({ id: 'small' })
    ladder.setVolume(0.5)
    flow.set('up')
    flow.set('silent')
    await loaded()
    expect(opened[0]?.options.wish).toEqual({ video: 'small', isPictureOff: false, isHeld: false, volume: 0.5 })
    expect(ladder.videoOf(['main', 'small'])).toEqual({ id: 'small', video: 'small', auto: false, disabled: false })
    ladder.choose({ auto: true })
    ladder.choose({ disabled: true })
    ladder.setVolume(0)
    ladder.setHeld(true)
    expect(opened[0]?.wish).toEqual({ video: undefined, isPictureOff: true, isHeld: true, volume: 0 })
    expect(ladder.videoOf(['main', 'small'])).toEqual({ id: 'main', video: 'main', auto: true, disabled: true })
  })

  it('[WEB-1327] round trip and next try are those of what is shown', async () => {
    const { ladder, loaded, opened, roundTripMs } = setUp({ hasWebRtc: false })
    ladder.start()
    await loaded()
    const { events } = opened[0]?.options ?? expect.fail('no line')
    events.onWaiting({ attempt: 1, retryAt: 4_000 })
    expect(ladder.waiting.value).toEqual({ attempt: 1, retryAt: 4_000 })
    events.onShown(shown)
    events.onRoundTrip(40)
    roundTripMs.set(7)
    expect([ladder.waiting.value, ladder.roundTripMs.value]).toEqual([undefined, 40])
    events.onShown(undefined)
    expect(ladder.roundTripMs.value).toBe(7)
  })
})
