import type { TestBrowser } from '@neko-edge/testing/chromium'
import type { Page, WebSocketRoute } from 'playwright-core'

/** Where a page is opened, and how. */
export interface Site {
  readonly browser: TestBrowser
  /** Of the page, without what a link adds. */
  readonly url: string
  readonly language: string
}

/** A page at our server, and a hand on its socket: what a server might say at any time is said to it. */
export class Visitor {
  readonly page: Page
  #socket: WebSocketRoute | undefined

  private constructor(page: Page) {
    this.page = page
  }

  static async open(
    { browser, url, language }: Site,
    link: Readonly<Record<string, string>> = {},
    { cuts = false }: { cuts?: boolean } = {},
  ): Promise<Visitor> {
    const page = await browser.newPage()
    const visitor = new Visitor(page)
    await page.emulateMedia({ reducedMotion: 'reduce' })
    await page.routeWebSocket(/\/api\/ws/, (socket) => {
      visitor.#socket = socket
      if (!cuts) {
        socket.connectToServer()
      }
    })
    await page.goto(`${url}?${new URLSearchParams({ ...link, lang: language })}`)
    return visitor
  }

  async signIn(name: string, password: string): Promise<void> {
    await this.page.locator('input[name=username]').fill(name)
    await this.page.locator('input[name=password]').fill(password)
    await this.page.locator('button[type=submit]').click()
  }

  async live(): Promise<void> {
    await this.page.locator('.room[data-state=live]').waitFor({ timeout: 20_000 })
  }

  get me(): Promise<string | null> {
    return this.page.locator('.room').getAttribute('data-me')
  }

  /** The connection falls, without a word. */
  cut(): void {
    void this.#socket?.close({ code: 4000 })
  }

  tell(event: string, payload: unknown): void {
    this.#socket?.send(JSON.stringify({ event, payload }))
  }

  async open(panel: string): Promise<void> {
    if ((await this.page.locator(`[data-panel=${panel}]`).count()) === 0) {
      await this.page.locator(`[data-opens=${panel}]`).click()
    }
    await this.page.locator(`[data-panel=${panel}]`).waitFor()
  }

  /** Back to the room with nothing open. */
  async rest(): Promise<void> {
    for (const open of ['dialog', '.menu']) {
      if ((await this.page.locator(open).count()) > 0) {
        await this.page.keyboard.press('Escape')
      }
    }
    if ((await this.page.locator('.side').count()) > 0) {
      await this.page.locator('.side > header button').click()
    }
  }
}
