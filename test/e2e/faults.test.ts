import { until } from '@neko-edge/kit'
import { TestBrowser } from '@neko-edge/testing/chromium'
import { V3Viewer } from '@neko-edge/testing/viewer'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { DeskPage, redField } from './desk-page.ts'
import { RoomPage } from './room-page.ts'
import { Stack } from './stack.ts'

/** What is killed: words of its command line, and how long its viewers may go without a picture, in milliseconds. */
const victims = [
  { name: 'the capture GStreamer', words: ['gst-launch-1.0', 'vp8enc'], ms: 5_000 },
  { name: 'the mediasoup worker', words: ['mediasoup-worker'], ms: 8_000 },
  { name: 'Xorg', words: ['/usr/lib/xorg/Xorg'], ms: 12_000 },
  { name: 'PulseAudio', words: ['pulseaudio'], ms: 5_000 },
  { name: 'the application', words: ['chromium', '--user-data-dir', '--no-first-run'], ms: 5_000 },
  { name: 'the capture node', words: ['main.ts', 'capture-node'], ms: 12_000 },
  { name: 'the control plane', words: ['main.ts', 'control-plane'], ms: 8_000 },
  { name: 'Redis', words: ['redis-server'], ms: 8_000 },
] as const

describe('every process may die', () => {
  let desk: DeskPage
  let stack: Stack
  let browser: TestBrowser
  let ann: RoomPage

  beforeAll(async () => {
    desk = await DeskPage.open()
    stack = await Stack.open({ appUrl: desk.url })
    browser = await TestBrowser.open()
    ann = await RoomPage.enter(browser, { url: stack.url, name: 'ann', password: 'admin' })
  })

  afterAll(async () => {
    await browser?.[Symbol.asyncDispose]()
    await stack?.[Symbol.asyncDispose]()
    await desk?.[Symbol.asyncDispose]()
  })

  /** Waits until the page shows the desktop as it is: its red field, in a picture that moves. */
  async function seesDesktop(): Promise<void> {
    await until(
      async () => {
        const place = await desk.place(redField.x, redField.y)
        const [r, g, b] = await ann.colour(place.x, place.y)
        return r > 180 && g < 90 && b < 90
      },
      { ms: 30_000, what: 'the desktop’s own picture' },
    )
  }

  it.each(victims)('[FLT-1] kill -9 of $name: the picture comes back without a reload', async ({ name, words, ms }) => {
    await ann.sees(5)
    const pid = await stack.find(...words)
    const gap = longestGap(ann)
    process.kill(pid, 'SIGKILL')
    await until(async () => (await stack.find(...words)) !== pid, { ms: 15_000, what: `${name} runs again` })
    await gap.settle()
    await ann.sees(10, 30_000)
    await seesDesktop()
    console.log(JSON.stringify({ killed: name, gapMs: Math.round(gap.ms()) }))
    expect(gap.ms()).toBeLessThan(ms)
  })

  it('[FLT-2] the room goes on as it was: session, admin rights and controls, after all of that', async () => {
    await ann.takeControl()
    expect(await ann.page.evaluate(() => performance.getEntriesByType('navigation').length)).toBe(1)
  })

  it('[FLT-3] a headless viewer sees sequence numbers go on over a new encoder run', async () => {
    await using viewer = await V3Viewer.open({ url: stack.url, username: 'meter', password: 'neko' })
    await viewer.watch()
    const meter = viewer.peer.video
    await until(() => meter.packets > 50, { ms: 10_000, what: 'packets' })
    const pid = await stack.find('gst-launch-1.0', 'vp8enc')
    process.kill(pid, 'SIGKILL')
    const before = meter.packets
    await until(() => meter.packets > before + 100, { ms: 10_000, what: 'packets of the new run' })
    expect(meter.missing).toBe(0)
  })

  it('[FLT-4] nothing is left after the stop', async () => {
    expect((await stack.stop()).left).toEqual([])
  })
})

/** The longest time without a new frame from now on, sampled ten times a second. */
function longestGap(page: RoomPage): { ms: () => number; settle: () => Promise<void> } {
  let last = performance.now()
  let frames = -1
  let longest = 0
  let isDone = false
  const loop = async () => {
    while (!isDone) {
      const now = await page.frames().catch(() => frames)
      if (now !== frames) {
        longest = Math.max(longest, performance.now() - last)
        last = performance.now()
        frames = now
      }
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  }
  const sampling = loop()
  return {
    ms: () => Math.max(longest, performance.now() - last),
    /** Waits for two seconds of an unbroken picture. */
    async settle() {
      await until(() => longest > 0 && performance.now() - last < 500, { ms: 30_000, what: 'a picture again' })
      const settledAt = performance.now()
      await until(() => performance.now() - settledAt > 2_000 && performance.now() - last < 500, {
        ms: 40_000,
        what: 'a picture that goes on',
      })
      isDone = true
      await sampling
      last = performance.now()
    },
  }
}
