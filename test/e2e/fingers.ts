import type { CDPSession, Page } from 'playwright-core'

interface Place {
  x: number
  y: number
}

/** Fingers on the touch screen of a real browser, through the same door as those of a device: the DevTools protocol. */
export class TestFingers {
  readonly #cdp: CDPSession
  /** Where each finger is that is down. */
  readonly #down = new Map<number, Place>()

  private constructor(cdp: CDPSession) {
    this.#cdp = cdp
  }

  static async on(page: Page): Promise<TestFingers> {
    const cdp = await page.context().newCDPSession(page)
    await cdp.send('Emulation.setTouchEmulationEnabled', { enabled: true, maxTouchPoints: 5 })
    return new TestFingers(cdp)
  }

  async down(id: number, at: Place): Promise<void> {
    this.#down.set(id, at)
    await this.#tell('touchStart')
  }

  /** Brings fingers to places in steps, as hands do; all at once. */
  async move(to: Readonly<Record<number, Place>>, steps = 6): Promise<void> {
    const from = new Map(this.#down)
    for (let step = 1; step <= steps; step += 1) {
      for (const [key, target] of Object.entries(to)) {
        const start = from.get(Number(key)) ?? target
        const along = (a: number, b: number) => a + ((b - a) * step) / steps
        this.#down.set(Number(key), { x: along(start.x, target.x), y: along(start.y, target.y) })
      }
      await this.#tell('touchMove')
    }
  }

  async up(...ids: number[]): Promise<void> {
    for (const id of ids) {
      this.#down.delete(id)
      await this.#tell('touchEnd')
    }
  }

  /** The system takes all of them away. */
  async cancel(): Promise<void> {
    this.#down.clear()
    await this.#tell('touchCancel')
  }

  async tap(at: Place): Promise<void> {
    await this.down(0, at)
    await this.up(0)
  }

  async #tell(type: 'touchStart' | 'touchMove' | 'touchEnd' | 'touchCancel'): Promise<void> {
    const touchPoints = [...this.#down].map(([id, { x, y }]) => ({ id, x, y, force: 0.5 }))
    await this.#cdp.send('Input.dispatchTouchEvent', { type, touchPoints })
  }
}
