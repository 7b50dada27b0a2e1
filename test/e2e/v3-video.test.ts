import { fileURLToPath } from 'node:url'
import { delay, until } from '@neko-edge/kit'
import { commandLineOf, freeUdpPort, UdpShaper } from '@neko-edge/testing'
import { TestBrowser } from '@neko-edge/testing/chromium'
import { loginV3 } from '@neko-edge/testing/viewer'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Stack } from './stack.ts'

const script = fileURLToPath(new URL('watcher.js', import.meta.url))

/** A picture that fills its rate, whatever the desktop shows. */
const rung = (width: number, height: number, rate: number) => ({
  gst_pipeline: [
    'videotestsrc is-live=true pattern=zone-plate kx2=20 ky2=20 kt=5',
    `video/x-raw,width=${width},height=${height},framerate=15/1`,
    `vp8enc deadline=1 cpu-used=8 end-usage=cbr target-bitrate=${rate} max-quantizer=63 keyframe-max-dist=75`,
    'appsink name=appsink',
  ].join(' ! '),
})
const widths = { hq: 640, mq: 320, lq: 160 } as const
type Rung = keyof typeof widths

interface Seen {
  width: number
  frames: number
  bytes: number
  audioPackets: number
}

class Viewer {
  readonly page: Page

  constructor(page: Page) {
    this.page = page
  }

  static async open(
    browser: TestBrowser,
    { url, name, request, ports }: { url: string; name: string; request: unknown; ports?: [number, number] },
  ) {
    const { token } = await loginV3({ url, username: name, password: 'neko' })
    const page = await browser.newPage()
    await page.goto(`${url}/health`)
    await page.addScriptTag({ path: script })
    await page.evaluate(
      (options) => (globalThis as never as { watcher: { open(options: unknown): Promise<void> } }).watcher.open(options),
      {
        token,
        request,
        ports,
      },
    )
    return new Viewer(page)
  }

  run<T>(expression: string): Promise<T> {
    return this.page.evaluate<T>(expression)
  }

  send(event: string, payload: unknown): Promise<void> {
    return this.run(`watcher.send(${JSON.stringify(event)}, ${JSON.stringify(payload)})`)
  }

  seen(): Promise<Seen> {
    return this.run('watcher.peer ? watcher.seen() : { width: 0, frames: 0, bytes: 0, audioPackets: 0 }')
  }

  /** Waits until the picture of a rung arrives, and moves. */
  async sees(name: Rung, ms = 15_000): Promise<void> {
    const { frames } = await this.seen()
    await until(async () => ((await this.seen()).width === widths[name] && (await this.seen()).frames > frames ? true : undefined), {
      ms,
      what: `the picture of ${name}`,
      everyMs: 100,
    }).catch(async (error: unknown) => {
      throw new Error(`${String(error)}; it sees ${JSON.stringify(await this.seen())}`)
    })
  }

  /** Ends the connection, as a client does that is closed in peace. */
  async leave(): Promise<void> {
    await this.run('watcher.peer.close()')
    await this.page.close()
  }

  last(event: string): Promise<unknown> {
    return this.run(`watcher.last(${JSON.stringify(event)})`)
  }

  count(event: string): Promise<number> {
    return this.run(`watcher.messages.filter((message) => message.event === ${JSON.stringify(event)}).length`)
  }
}

describe('the quality ladder', () => {
  let stack: Stack
  let browser: TestBrowser
  let mediaPort: number

  beforeAll(async () => {
    mediaPort = await freeUdpPort()
    stack = await Stack.open({
      env: {
        NEKO_DESKTOP_APP: 'sleep 100000',
        NEKO_CAPTURE_VIDEO_IDS: 'hq mq lq',
        NEKO_CAPTURE_VIDEO_PIPELINES: JSON.stringify({
          hq: rung(640, 360, 1_500_000),
          mq: rung(320, 180, 500_000),
          lq: rung(160, 90, 120_000),
        }),
        NEKO_WEBRTC_ESTIMATOR_ENABLED: 'true',
        NEKO_WEBRTC_UDPMUX: String(mediaPort),
      },
    })
    browser = await TestBrowser.open()
  })

  afterAll(async () => {
    await browser?.[Symbol.asyncDispose]()
    await stack?.[Symbol.asyncDispose]()
  })

  /** The rungs whose encoders run. */
  async function encoders(): Promise<string[]> {
    const lines = await Promise.all((await stack.processes()).map(({ pid }) => commandLineOf(pid)))
    return Object.entries(widths).flatMap(([name, width]) => (lines.some((line) => line.includes(`width=${width},`)) ? [name] : []))
  }

  it('[VID-1] gives what is asked for by id, by the next step and by default, and runs no encoder that nobody watches', async () => {
    expect(await encoders()).toEqual([])
    const ann = await Viewer.open(browser, { url: stack.url, name: 'ann', request: { video: { selector: { id: 'mq', type: 'EXACT' } } } })
    await ann.sees('mq')
    expect(await encoders()).toEqual(['mq'])
    await ann.send('signal/video', { selector: { id: 'mq', type: 'lower' } })
    await ann.sees('lq')
    expect(await ann.last('signal/video')).toEqual({ disabled: false, id: 'lq', video: 'lq', auto: false })
    await ann.send('signal/video', { selector: { id: 'lq', type: 'higher' } })
    await ann.sees('mq')
    for (const selector of [{ id: 'lq', type: 'lower' }, { id: 'hq', type: 'higher' }, { id: 'nope', type: 'nearest' }, {}]) {
      await ann.send('signal/video', { selector })
    }
    // Each change was told once, and what can not be not at all.
    await ann.send('signal/audio', { disabled: true })
    await until(async () => JSON.stringify(await ann.last('signal/audio')) === '{"disabled":true}', { ms: 5_000, what: 'signal/audio' })
    expect(await ann.count('signal/video')).toBe(3)
    await ann.leave()
    await until(async () => (await encoders()).length === 0, { ms: 15_000, what: 'the encoders stop', everyMs: 200 })
  })

  it('[VID-2] stops picture or sound on request, and says so once', async () => {
    const ann = await Viewer.open(browser, { url: stack.url, name: 'ann', request: { video: { selector: { id: 'lq' } } } })
    await ann.sees('lq')
    await until(async () => (await ann.seen()).audioPackets > 5, { ms: 5_000, what: 'sound' })
    await ann.send('signal/video', { disabled: true, selector: { id: 'nope' } })
    await ann.send('signal/audio', { disabled: true })
    await until(async () => JSON.stringify(await ann.last('signal/audio')) === '{"disabled":true}', { ms: 5_000, what: 'signal/audio' })
    // The stream did not exist: what stood before it in the request counts, without a word.
    expect(await ann.count('signal/video')).toBe(1)
    await until(async () => (await encoders()).length === 0, { ms: 15_000, what: 'the encoder stops', everyMs: 200 })
    const still = await ann.seen()
    await ann.send('signal/video', { disabled: false })
    await ann.sees('lq')
    expect((await ann.seen()).frames).toBeGreaterThan(still.frames)
    expect(await ann.last('signal/video')).toEqual({ disabled: false, id: 'lq', video: 'lq', auto: false })
    await ann.leave()
  })

  it('[VID-3] follows the path of a viewer who leaves the choice to us, 5 → 0.5 → 5 Mbit/s, while the others keep their picture', async () => {
    await using shaper = await UdpShaper.open({ host: '127.0.0.1', port: mediaPort }, { rate: 5_000_000, seed: 7 })
    const [thin, wide] = [
      await Viewer.open(browser, { url: stack.url, name: 'thin', request: { auto: true }, ports: [mediaPort, shaper.port] }),
      await Viewer.open(browser, { url: stack.url, name: 'wide', request: { video: { selector: { id: 'hq' } } } }),
    ]
    await wide.sees('hq')
    await thin.sees('hq', 30_000)
    expect(await thin.last('signal/video')).toMatchObject({ auto: true, id: 'hq' })
    shaper.change({ rate: 500_000 })
    // The picture and the word of it, both of the same lower rung.
    const isLower = async () => {
      const { id } = (await thin.last('signal/video')) as { id: Rung }
      return id !== 'hq' && (await thin.seen()).width === widths[id]
    }
    await until(isLower, { ms: 30_000, what: 'a lower rung', everyMs: 100 })
    await wide.sees('hq')
    shaper.change({ rate: 5_000_000 })
    await thin.sees('hq', 40_000)
    await wide.sees('hq')
    expect(await wide.count('signal/video')).toBe(1)
  })

  it('[VID-1200] estimates the path from the moment that a viewer leaves the choice to us until he takes it back, in one session', async () => {
    await using shaper = await UdpShaper.open({ host: '127.0.0.1', port: mediaPort }, { rate: 5_000_000, seed: 3 })
    const request = { video: { selector: { id: 'hq' } } }
    const ann = await Viewer.open(browser, { url: stack.url, name: 'ann', request, ports: [mediaPort, shaper.port] })
    const isOffered = () => ann.run<boolean>("watcher.peer.remoteDescription.sdp.includes('transport-cc')")
    const shows = async () => widths[((await ann.last('signal/video')) as { id: Rung }).id]
    await ann.sees('hq')
    expect([await isOffered(), shaper.feedbacks]).toEqual([false, 0])
    await ann.send('signal/video', { auto: true })
    await until(() => shaper.feedbacks > 10, { ms: 10_000, what: 'feedback for the estimate' })
    expect(await isOffered()).toBe(true)
    shaper.change({ rate: 400_000 })
    const isLower = async () => (await shows()) < widths.hq && (await ann.seen()).width === (await shows())
    await until(isLower, { ms: 30_000, what: 'a lower rung', everyMs: 100 })
    shaper.change({ rate: 5_000_000 })
    // However little the estimate gave the path at last: what is asked for by name comes.
    await ann.send('signal/video', { selector: { id: 'hq' }, auto: false })
    await ann.sees('hq')
    await until(async () => !(await isOffered()), { ms: 10_000, what: 'an offer without transport-cc' })
    await ann.sees('hq')
    const { feedbacks } = shaper
    await ann.sees('hq')
    expect(shaper.feedbacks).toBe(feedbacks)
    expect(await ann.last('signal/video')).toEqual({ disabled: false, id: 'hq', video: 'hq', auto: false })
    expect([await ann.count('signal/provide'), await ann.count('signal/close')]).toEqual([1, 0])
    await ann.leave()
  })

  it('[VID-4] goes on by itself after the network was gone for three seconds, with the same peer', async () => {
    await using shaper = await UdpShaper.open({ host: '127.0.0.1', port: mediaPort }, { rate: 20_000_000 })
    const request = { video: { selector: { id: 'lq' } } }
    const ann = await Viewer.open(browser, { url: stack.url, name: 'ann', request, ports: [mediaPort, shaper.port] })
    await ann.sees('lq')
    shaper.change({ loss: 1 })
    await delay(3_000)
    const still = await ann.seen()
    shaper.change({ loss: 0 })
    await ann.sees('lq', 5_000)
    expect((await ann.seen()).frames).toBeGreaterThan(still.frames)
    expect([await ann.count('signal/provide'), await ann.count('signal/close')]).toEqual([1, 0])
    await ann.leave()
  })
})
