import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { SerialQueue } from '@neko-edge/kit'
import { type BrowserContext, chromium, type Page } from 'playwright-core'

/** Debian's Chromium: it decodes VP8, VP9 and H.264. */
const executablePath = '/usr/bin/chromium'

/** Nothing that reaches out to the network, and sound and picture without a click; `--no-sandbox` because tests run as root too. */
const flags = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--autoplay-policy=no-user-gesture-required',
  // A microphone that beeps. Allow it late: a browser that may use one tries other addresses of this machine than 127.0.0.1.
  '--use-fake-device-for-media-stream',
]

/** A real browser with a profile of its own, which goes with it. */
export class TestBrowser implements AsyncDisposable {
  readonly context: BrowserContext
  readonly #profile: string
  readonly #opening = new SerialQueue()

  private constructor(context: BrowserContext, profile: string) {
    this.context = context
    this.#profile = profile
  }

  /** Starts Chromium without a window; `size` of its pages in pixels, `args` are more of its flags. */
  static async open({
    size = { width: 1280, height: 720 },
    args = [],
  }: {
    size?: { width: number; height: number }
    args?: readonly string[]
  } = {}): Promise<TestBrowser> {
    const profile = await mkdtemp(join(tmpdir(), 'neko-chromium-'))
    const context = await chromium.launchPersistentContext(profile, {
      executablePath,
      headless: true,
      args: [...flags, ...args],
      viewport: size,
    })
    return new TestBrowser(context, profile)
  }

  /** A page in a window of its own: of several in one window, those behind are drawn once a second, and each click waits for that. */
  newPage(): Promise<Page> {
    return this.#opening.run(async () => {
      const browser = await this.context.browser()?.newBrowserCDPSession()
      const opened = this.context.waitForEvent('page')
      await browser?.send('Target.createTarget', { url: 'about:blank', newWindow: true })
      const page = await opened
      await browser?.detach()
      return page
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.context.close()
    // Chromium's helpers may still write while they end.
    await rm(this.#profile, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 })
  }
}
