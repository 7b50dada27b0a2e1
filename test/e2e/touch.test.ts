import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { until } from '@neko-edge/kit'
import { TestBrowser } from '@neko-edge/testing/chromium'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { DeskPage, redField, target, textField } from './desk-page.ts'
import { TestFingers } from './fingers.ts'
import { RoomPage } from './room-page.ts'
import { Stack } from './stack.ts'

/** What the X input driver of a desktop with a touch screen reads from its socket: 12 bytes each, places from 0 to 65535. */
interface DriverTouch {
  readonly kind: number
  readonly id: number
  readonly x: number
  readonly y: number
  readonly pressure: number
}

const begin = 18
const update = 19
const end = 20

describe('fingers on the picture', () => {
  let folder: string
  let driver: Server
  const touches: DriverTouch[] = []
  let desk: DeskPage
  let stack: Stack
  let browser: TestBrowser
  let ann: RoomPage
  let fingers: TestFingers

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'neko-touch-'))
    driver = createServer((socket) => {
      let rest = Buffer.alloc(0)
      socket.on('data', (chunk) => {
        rest = Buffer.concat([rest, chunk])
        for (; rest.length >= 12; rest = rest.subarray(12)) {
          const [kind, id, x] = [rest.readUInt8(0), rest.readUInt16LE(1), rest.readInt32LE(3)]
          touches.push({ kind, id, x, y: rest.readInt32LE(7), pressure: rest.readUInt8(11) })
        }
      })
      socket.on('error', () => {})
    })
    driver.listen(join(folder, 'touch.sock'))
    await once(driver, 'listening')
    desk = await DeskPage.open()
    stack = await Stack.open({ appUrl: desk.url, env: { NEKO_DESKTOP_INPUT_SOCKET: join(folder, 'touch.sock') } })
    browser = await TestBrowser.open({ size: { width: 1000, height: 800 } })
    ann = await RoomPage.enter(browser, { url: stack.url, name: 'ann', password: 'neko' })
    fingers = await TestFingers.on(ann.page)
    await ann.takeControl()
    await mode('mouse')
    await desk.place(0, 0)
  })

  afterAll(async () => {
    await browser?.[Symbol.asyncDispose]()
    await stack?.[Symbol.asyncDispose]()
    await desk?.[Symbol.asyncDispose]()
    driver.close()
    await rm(folder, { recursive: true, force: true })
  })

  async function mode(value: string): Promise<void> {
    await ann.page.locator('[data-opens=settings]').click()
    await ann.page.locator('select[name=touch]').selectOption(value)
    await ann.page.locator('[data-opens=settings]').click()
    await ann.page.locator('[data-panel]').waitFor({ state: 'detached' })
  }

  /** A point of the page in the desktop, on the screen and in our page. */
  async function pointAt(field: { x: number; y: number }) {
    const screen = await desk.place(field.x, field.y)
    return { screen, page: await ann.at(screen.x, screen.y) }
  }

  const isNear = (one: { x: number; y: number }, other: { x: number; y: number }, px = 4) =>
    Math.abs(one.x - other.x) <= px && Math.abs(one.y - other.y) <= px

  it('[WEB-1440] a tap clicks, a finger that stays opens the menu, one that moves drags, two scroll, and beside the picture is nothing', async () => {
    const { screen, page } = await pointAt(target)
    desk.forget()
    const box = await ann.page.locator('neko-view').evaluate((view) => view.getBoundingClientRect().toJSON())
    await fingers.tap({ x: box.x + box.width / 2, y: box.y + 3 })
    await fingers.tap(page)
    await desk.report('click', ({ button, x, y }) => button === 0 && isNear({ x, y }, screen))
    expect(desk.reports.filter(({ is }) => is === 'click')).toHaveLength(1)
    await fingers.down(0, page)
    await desk.report('click', ({ button, x, y }) => button === 2 && isNear({ x, y }, screen))
    await fingers.up(0)
    const red = await pointAt(redField)
    await fingers.down(0, red.page)
    await fingers.move({ 0: page })
    await fingers.up(0)
    await desk.report('drag', ({ from, to }) => isNear(from, red.screen) && isNear(to, screen))
    await fingers.down(0, page)
    await fingers.down(1, { x: page.x + 30, y: page.y })
    await fingers.move({ 0: { x: page.x, y: page.y - 120 }, 1: { x: page.x + 30, y: page.y - 120 } })
    await fingers.up(0, 1)
    // The content follows the fingers: up with them is down for the wheel.
    await desk.report('wheel', ({ deltaY }) => deltaY > 0)
  })

  it('[WEB-1441] two fingers magnify the view and move it, what one sees is what one hits, and a button shows everything again', async () => {
    const { screen, page } = await pointAt(target)
    await fingers.down(0, { x: page.x - 40, y: page.y })
    await fingers.down(1, { x: page.x + 40, y: page.y })
    await fingers.move({ 0: { x: page.x - 120, y: page.y }, 1: { x: page.x + 120, y: page.y } })
    await fingers.move({ 0: { x: page.x - 150, y: page.y - 40 }, 1: { x: page.x + 90, y: page.y - 40 } })
    await fingers.up(0, 1)
    const whole = ann.page.getByRole('button', { name: 'Whole picture' })
    await whole.waitFor()
    const now = await ann.at(screen.x, screen.y)
    expect(Math.hypot(now.x - page.x, now.y - page.y)).toBeGreaterThan(20)
    desk.forget()
    await fingers.tap(now)
    await desk.report('click', ({ x, y }) => isNear({ x, y }, screen))
    await whole.click()
    await whole.waitFor({ state: 'detached' })
    // The picture is drawn with the frame after the button went.
    await until(async () => isNear(await ann.at(screen.x, screen.y), page, 1), { ms: 2_000, what: 'the whole picture' })
  })

  it('[WEB-1442] as a trackpad a finger moves the pointer from where it is, and a tap anywhere clicks there', async () => {
    const { screen, page } = await pointAt(redField)
    await fingers.tap(page)
    await mode('trackpad')
    desk.forget()
    const pad = { x: page.x + 200, y: page.y + 200 }
    await fingers.down(0, pad)
    await fingers.move({ 0: { x: pad.x + 60, y: pad.y } }, 12)
    await fingers.up(0)
    await fingers.tap({ x: pad.x, y: pad.y + 50 })
    const { x, y } = await desk.report('click')
    expect(Math.abs(y - screen.y)).toBeLessThan(6)
    // 60 pixels of the page, a little faster than the finger, in pixels of a desktop that is shown smaller.
    expect(x - screen.x).toBeGreaterThan(60)
    expect(x - screen.x).toBeLessThan(300)
    await mode('mouse')
  })

  it('[WEB-1443] the keyboard of the screen opens when it is asked for, and not by tapping', async () => {
    const { page } = await pointAt(textField)
    const inputMode = () =>
      ann.page.evaluate(() => {
        const surface = document.querySelector('neko-view')?.shadowRoot?.activeElement
        return surface instanceof HTMLTextAreaElement ? surface.inputMode : 'no focus'
      })
    await fingers.tap(page)
    await until(async () => (await inputMode()) === 'none', { ms: 5_000, what: 'the focus without a keyboard' })
    const button = ann.page.getByRole('button', { name: 'Keyboard' })
    await button.click()
    expect(await inputMode()).toBe('text')
    await button.and(ann.page.locator('[aria-pressed=true]')).waitFor()
    await ann.page.keyboard.insertText('swiped ö')
    await desk.report('typed', ({ text }) => text.endsWith('swiped ö'))
    await button.click()
    await button.and(ann.page.locator('[aria-pressed=false]')).waitFor()
    desk.forget()
    await fingers.tap(page)
    await until(async () => (await inputMode()) === 'none', { ms: 5_000, what: 'no keyboard after it was closed' })
    await desk.report('click')
  })

  it('[WEB-1444] where the desktop has a touch screen, every finger reaches it as it is', async () => {
    await mode('auto')
    touches.length = 0
    desk.forget()
    const one = await ann.at(320, 180)
    const two = await ann.at(640, 360)
    await fingers.down(0, one)
    await fingers.down(1, two)
    await fingers.move({ 1: await ann.at(960, 360) }, 2)
    await fingers.up(0)
    await until(() => touches.some(({ kind }) => kind === end), { ms: 5_000, what: 'a finger is lifted in the desktop' })
    await fingers.cancel()
    await until(() => touches.filter(({ kind }) => kind === end).length === 2, { ms: 5_000, what: 'no finger stays down' })
    const places = (of: number) => touches.filter(({ kind }) => kind === of)
    const share = (value: number) => Math.round((100 * value) / 65_536)
    expect(places(begin).map(({ id, x, y }) => [id, share(x), share(y)])).toEqual([
      [0, 25, 25],
      [1, 50, 50],
    ])
    expect(
      places(update)
        .map(({ id, x, y }) => [id, share(x), share(y)])
        .at(-1),
    ).toEqual([1, 75, 50])
    expect(places(begin)[0]?.pressure).toBe(128)
    // No mouse beside the fingers.
    expect(desk.reports.filter(({ is }) => is === 'click')).toEqual([])
  })
})
