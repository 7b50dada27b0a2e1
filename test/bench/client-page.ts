import { readFile } from 'node:fs/promises'
import { delay, NekoError, until } from '@neko-edge/kit'
import { TestBrowser } from '@neko-edge/testing/chromium'
import type { CDPSession, Page, WebSocketRoute } from 'playwright-core'
import { sum, tenth } from './summary.ts'
import type { Target } from './target.ts'

const limitMs = 20_000
const clickMs = 2_000
const scrollMs = 3_000

/** What a page has used so far. */
export interface PageUsage {
  cpuSeconds: number
  /** In use after a garbage collection. */
  heapBytes: number
  nodes: number
  listeners: number
  /** Resident memory of its process. */
  processBytes: number
}

/** Our page in a browser of its own. */
export class ClientPage implements AsyncDisposable {
  readonly page: Page
  readonly #browser: TestBrowser
  readonly #session: CDPSession
  readonly #target: Target
  #socket: WebSocketRoute | undefined

  private constructor(parts: { page: Page; browser: TestBrowser; session: CDPSession; target: Target }) {
    this.page = parts.page
    this.#browser = parts.browser
    this.#session = parts.session
    this.#target = parts.target
  }

  static async open(target: Target): Promise<ClientPage> {
    const browser = await TestBrowser.open()
    const page = await browser.newPage()
    const session = await page.context().newCDPSession(page)
    await session.send('Performance.enable')
    await session.send('Network.enable')
    await session.send('Network.setCacheDisabled', { cacheDisabled: true })
    return new ClientPage({ page, browser, session, target })
  }

  /** Opens the page anew. Gives the milliseconds until it was painted. */
  async paint(): Promise<number> {
    await this.page.goto(this.#target.url)
    const time = await this.page.evaluate(
      () =>
        new Promise<number>((resolve) => {
          const observer = new PerformanceObserver((list) => {
            const [paint] = list.getEntriesByName('first-contentful-paint')
            if (paint) {
              resolve(paint.startTime)
            }
          })
          observer.observe({ type: 'paint', buffered: true })
        }),
    )
    // The login page fetches the rest once it is painted; somebody who types a name gives it the time.
    await this.page.waitForLoadState('networkidle')
    return time
  }

  /** Comes in. Gives the milliseconds from the click on the button to the first decoded frame. */
  async signIn(): Promise<number> {
    await this.page.locator('input[name=username]').fill('bench')
    await this.page.locator('input[name=password]').fill(this.#target.password)
    return this.page.evaluate(async () => {
      const startedAt = performance.now()
      document.querySelector<HTMLElement>('button[type=submit]')?.click()
      for (;;) {
        const video = document.querySelector('neko-view')?.shadowRoot?.querySelector('video')
        if (video && video.getVideoPlaybackQuality().totalVideoFrames > 0) {
          return performance.now() - startedAt
        }
        await new Promise((resolve) => requestAnimationFrame(resolve))
      }
    })
  }

  async signOut(): Promise<void> {
    await this.page.locator('.head button').last().click()
    await this.page.locator('main.login').waitFor()
  }

  /** Clicks on the picture until it changes, `count` times. Gives the milliseconds of each. */
  async clicks(count: number): Promise<number[]> {
    await this.page.locator('.control .primary').click()
    await this.page.locator('.room[data-host=me]').waitFor()
    const box = await this.page.locator('neko-view').boundingBox()
    if (!box) {
      throw new NekoError('internal', 'the page shows no picture')
    }
    const times: number[] = []
    for (let run = 0; run < count; run++) {
      await this.page.evaluate(watchClick, clickMs)
      await this.page.mouse.click(box.x + box.width * 0.3, box.y + box.height * 0.5)
      const time = await this.page.evaluate<number | null>('benchChange')
      if (time !== null) {
        times.push(time)
      }
      // Not in step with the frames.
      await delay(150 + ((run * 7) % 40))
    }
    return times
  }

  frames(): Promise<number> {
    return this.page.evaluate(() => {
      const video = document.querySelector('neko-view')?.shadowRoot?.querySelector('video')
      return video?.getVideoPlaybackQuality().totalVideoFrames ?? 0
    })
  }

  async usage(): Promise<PageUsage> {
    await this.#session.send('HeapProfiler.collectGarbage')
    const { metrics } = await this.#session.send('Performance.getMetrics')
    const of = (name: string) => metrics.find((metric) => metric.name === name)?.value ?? 0
    const [heapBytes, nodes, listeners] = [of('JSHeapUsedSize'), of('Nodes'), of('JSEventListeners')]
    return { cpuSeconds: of('ProcessTime'), heapBytes, nodes, listeners, processBytes: await this.#processBytes() }
  }

  wait(ms: number): Promise<void> {
    return delay(ms)
  }

  /** Tells the page of so many members more, as the server does. Gives the milliseconds until its list counts them. */
  async crowd(count: number): Promise<number> {
    const socket = await this.#hand()
    const id = await this.page.locator('.room').getAttribute('data-me')
    await this.page.locator('[data-opens=people]').click()
    const mine = await this.page.locator('.side.people > header .muted').textContent()
    const startedAt = performance.now()
    for (let member = 0; member < count; member++) {
      socket.send(JSON.stringify({ event: 'session/created', payload: sessionOf(`${id}-${member}`, `Member ${member}`) }))
    }
    await this.page.locator('.side.people > header .muted', { hasText: String(count + Number(mine)) }).waitFor({ timeout: limitMs })
    return performance.now() - startedAt
  }

  /** Scrolls the list of people from its one end to the other. */
  async scroll(): Promise<{ framesPerSecond: number; longestFrameMs: number }> {
    const times = await this.page.locator('.rows').evaluate(scrolling, scrollMs)
    return { framesPerSecond: tenth((1_000 * times.length) / sum(times)), longestFrameMs: tenth(Math.max(...times)) }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#browser[Symbol.asyncDispose]()
  }

  /** Of the one renderer that has done most; a browser may keep another in reserve. */
  async #processBytes(): Promise<number> {
    const browser = await this.page.context().browser()?.newBrowserCDPSession()
    const { processInfo = [] } = (await browser?.send('SystemInfo.getProcessInfo')) ?? {}
    await browser?.detach()
    const [busiest] = processInfo.filter(({ type }) => type === 'renderer').toSorted((a, b) => b.cpuTime - a.cpuTime)
    const status = await readFile(`/proc/${busiest?.id}/status`, 'utf8')
    return 1_024 * Number(/^VmRSS:\s*(\d+) kB/m.exec(status)?.[1])
  }

  /** A hand on the page's socket: it comes back through it, with the session that it has. */
  async #hand(): Promise<WebSocketRoute> {
    await this.page.routeWebSocket(/\/api\/ws/, (socket) => {
      this.#socket = socket
      socket.connectToServer()
    })
    await this.page.reload()
    await this.page.locator('.room[data-state=live]').waitFor({ timeout: limitMs })
    return until(() => this.#socket, { ms: limitMs, what: 'the socket of the page' })
  }
}

/** A member as `session/created` has it. */
function sessionOf(id: string, name: string): object {
  const profile = { name, is_admin: false, can_login: true, can_connect: true, can_watch: true, can_host: true, plugins: {} }
  const rights = { can_share_media: true, can_access_clipboard: true, sends_inactive_cursor: true, can_see_inactive_cursors: false }
  return { id, profile: { ...profile, ...rights }, state: { is_connected: true, is_watching: true } }
}

/** Puts into `benchChange` the milliseconds from the next click to another picture, or null where none comes within `limit`. Runs in the page. */
function watchClick(limit: number): void {
  const video = document.querySelector('neko-view')?.shadowRoot?.querySelector('video')
  const canvas = Object.assign(document.createElement('canvas'), { width: 1, height: 1 }).getContext('2d', { willReadFrequently: true })
  if (!video || !canvas) {
    throw new Error('the page shows no picture')
  }
  const brightness = () => {
    canvas.drawImage(video, video.videoWidth * 0.15, video.videoHeight * 0.8, 1, 1, 0, 0, 1, 1)
    return canvas.getImageData(0, 0, 1, 1).data[0] ?? 0
  }
  const before = brightness()
  const change = async (): Promise<number | null> => {
    const clickedAt = performance.now()
    while (performance.now() - clickedAt < limit) {
      await new Promise((resolve) => video.requestVideoFrameCallback(resolve))
      if (Math.abs(brightness() - before) > 128) {
        return performance.now() - clickedAt
      }
    }
    return null
  }
  const benchChange = new Promise<number | null>((resolve) => {
    addEventListener('pointerdown', () => resolve(change()), { capture: true, once: true })
  })
  Object.assign(globalThis, { benchChange })
}

/** Scrolls an element through in so many milliseconds. Gives how long each frame took. Runs in the page. */
async function scrolling(element: Element, ms: number): Promise<number[]> {
  const frame = () => new Promise<number>((resolve) => requestAnimationFrame(resolve))
  const times: number[] = []
  const startedAt = await frame()
  let last = startedAt
  while (last - startedAt < ms) {
    element.scrollTop = ((last - startedAt) / ms) * element.scrollHeight
    const now = await frame()
    times.push(now - last)
    last = now
  }
  return times
}
