import { until } from '@neko-edge/kit'
import type { Page } from 'playwright-core'

/** What opens a page: a browser of any make. */
export interface Browser {
  newPage(): Promise<Page>
}

/** Who comes in, where, and what is done to the page before anything of it runs. */
export interface EnterOptions {
  url: string
  name: string
  password: string
  /** Text of a script that runs before any of the page. */
  first?: string
  /** What else is done to the page before it is opened. */
  prepare?: (page: Page) => Promise<void>
}

/** A person in a browser, at our page. */
export class RoomPage {
  readonly page: Page

  constructor(page: Page) {
    this.page = page
  }

  /** Opens the page, comes in, and waits until the picture moves. */
  static async enter(browser: Browser, options: EnterOptions): Promise<RoomPage> {
    const room = await RoomPage.knock(browser, options)
    await room.sees(2)
    return room
  }

  /** Opens the page and comes in; the picture may be still to come. */
  static async knock(browser: Browser, { url, name, password, first, prepare }: EnterOptions): Promise<RoomPage> {
    const page = await browser.newPage()
    if (first !== undefined) {
      await page.addInitScript(first)
    }
    await prepare?.(page)
    await page.goto(url)
    await page.getByLabel(/name/i).first().fill(name)
    await page
      .getByLabel(/password/i)
      .first()
      .fill(password)
    await page.locator('button[type=submit]').click()
    return new RoomPage(page)
  }

  /** Frames decoded so far. */
  frames(): Promise<number> {
    return this.page.evaluate(async () => {
      const view = document.querySelector('neko-view')
      const counted = view?.shadowRoot?.querySelector('video')?.getVideoPlaybackQuality().totalVideoFrames ?? 0
      if (view && (view.shadowRoot?.querySelector('canvas') || counted === 0)) {
        // Our own element: a canvas itself counts nothing, nor does a video of Firefox that shows a stream.
        const { client } = view as unknown as { client: { statistics(): Promise<{ framesDecoded: number } | undefined> } }
        return (await client.statistics())?.framesDecoded ?? 0
      }
      return counted
    })
  }

  /** Waits for `count` new frames. Gives how long they took, in milliseconds. */
  async sees(count: number, ms = 20_000): Promise<number> {
    const startedAt = performance.now()
    let last = await this.frames().catch(() => 0)
    let seen = 0
    // A new picture starts counting anew: only growth is a new frame.
    await until(
      async () => {
        const now = await this.frames().catch(() => 0)
        seen += now > last ? now - last : 0
        last = now
        return seen >= count
      },
      { ms, what: `${count} new frames in the page` },
    )
    return performance.now() - startedAt
  }

  /** The colour of a pixel of the desktop, as this page decodes it. */
  colour(x: number, y: number): Promise<[number, number, number]> {
    return this.page.evaluate(
      ([px, py]) => {
        const inView = document.querySelector('neko-view')?.shadowRoot
        const video = inView?.querySelector('video')
        const picture = inView?.querySelector('canvas') ?? video
        const canvas = document.createElement('canvas')
        canvas.width = picture instanceof HTMLCanvasElement ? picture.width : (video?.videoWidth ?? 1)
        canvas.height = picture instanceof HTMLCanvasElement ? picture.height : (video?.videoHeight ?? 1)
        const context = canvas.getContext('2d')
        if (!picture || !context) {
          return [0, 0, 0] as [number, number, number]
        }
        context.drawImage(picture, 0, 0)
        const [r = 0, g = 0, b = 0] = context.getImageData(px, py, 1, 1).data
        return [r, g, b] as [number, number, number]
      },
      [x, y] as const,
    )
  }

  /** Where a pixel of the desktop is in this page. */
  async at(x: number, y: number): Promise<{ x: number; y: number }> {
    const box = await this.page.evaluate(() => {
      const inView = document.querySelector('neko-view')?.shadowRoot
      const [video, canvas] = [inView?.querySelector('video'), inView?.querySelector('canvas')]
      const { left = 0, top = 0, width = 0, height = 0 } = (canvas ?? video)?.getBoundingClientRect() ?? {}
      const [videoWidth, videoHeight] = canvas ? [canvas.width, canvas.height] : [video?.videoWidth ?? 1, video?.videoHeight ?? 1]
      return { left, top, width, height, videoWidth, videoHeight }
    })
    const scale = Math.min(box.width / box.videoWidth, box.height / box.videoHeight)
    return {
      x: box.left + (box.width - box.videoWidth * scale) / 2 + (x + 0.5) * scale,
      y: box.top + (box.height - box.videoHeight * scale) / 2 + (y + 0.5) * scale,
    }
  }

  async click(x: number, y: number): Promise<void> {
    const place = await this.at(x, y)
    await this.page.mouse.click(place.x, place.y)
  }

  /** A line of the statistics, which are open. */
  async statistic(name: string): Promise<string> {
    const row = this.page.locator('.statistics div', { has: this.page.locator('dt', { hasText: name }) })
    return (await row.locator('dd').textContent()) ?? ''
  }

  /** How loud the room is in this page: the root mean square of a quarter of a second, 0…1. */
  loudness(): Promise<number> {
    return this.page.evaluate(async () => {
      const video = document.querySelector('neko-view')?.shadowRoot?.querySelector('video')
      const stream = video?.srcObject
      if (!(stream instanceof MediaStream)) {
        return 0
      }
      const context = new AudioContext()
      await context.resume()
      const analyser = context.createAnalyser()
      analyser.fftSize = 8192
      context.createMediaStreamSource(stream).connect(analyser)
      const samples = new Float32Array(analyser.fftSize)
      await new Promise((resolve) => setTimeout(resolve, 300))
      analyser.getFloatTimeDomainData(samples)
      await context.close()
      return Math.sqrt(samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length)
    })
  }

  /** The way that the picture takes, as the status line has it; waits for one of `paths`. */
  async waitForPath(...paths: readonly string[]): Promise<string> {
    const status = this.page.locator(paths.map((path) => `.status[data-state=live][data-path=${path}]`).join(', '))
    await status.waitFor({ timeout: 15_000 })
    return (await status.textContent()) ?? ''
  }

  /** `none`, `me` or `other`: who has the controls, as the page shows. */
  async waitForHost(host: 'none' | 'me' | 'other'): Promise<void> {
    await this.page.locator(`.room[data-host=${host}]`).waitFor({ timeout: 10_000 })
  }

  async takeControl(): Promise<void> {
    await this.page.getByRole('button', { name: /take control/i }).click()
    await this.waitForHost('me')
  }
}
