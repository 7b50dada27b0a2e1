import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Browser, firefox, type Page } from 'playwright-core'

const bridge = fileURLToPath(new URL('firefox-bridge.ts', import.meta.url))

/** Sound and picture without a click, a microphone that hums and may be used, media over loopback, nothing that reaches out to the network. */
const firefoxUserPrefs = {
  'media.autoplay.default': 0,
  'media.navigator.streams.fake': true,
  'media.navigator.permission.disabled': true,
  'media.peerconnection.ice.loopback': true,
  'media.peerconnection.ice.obfuscate_host_addresses': false,
  'media.gmp-manager.updateEnabled': false,
  'network.captive-portal-service.enabled': false,
  'app.update.enabled': false,
}

/** Debian's real Firefox, without a window, with a profile that goes with it. */
export class TestFirefox implements AsyncDisposable {
  readonly #browser: Browser
  readonly #folder: string

  private constructor(browser: Browser, folder: string) {
    this.#browser = browser
    this.#folder = folder
  }

  static async open(): Promise<TestFirefox> {
    const folder = await mkdtemp(join(tmpdir(), 'neko-firefox-'))
    // This Firefox tells nobody of its downloads: they are looked for where they are saved.
    const prefs = { ...firefoxUserPrefs, 'browser.download.folderList': 2, 'browser.download.dir': folder }
    const browser = await firefox.launch({ channel: 'moz-firefox', executablePath: bridge, headless: true, firefoxUserPrefs: prefs })
    return new TestFirefox(browser, folder)
  }

  /** The files that its pages have saved. */
  async downloads(): Promise<string[]> {
    return (await readdir(this.#folder)).map((name) => join(this.#folder, name))
  }

  /** Pages of `size` pixels, each a person of its own. */
  async newPage(size = { width: 1280, height: 720 }): Promise<Page> {
    return (await this.#browser.newContext({ viewport: size })).newPage()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#browser.close()
    await rm(this.#folder, { recursive: true, force: true })
  }
}
