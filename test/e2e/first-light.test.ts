import { until } from '@neko-edge/kit'
import { TestBrowser } from '@neko-edge/testing/chromium'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { DeskPage, redField, target, textField } from './desk-page.ts'
import { RoomPage } from './room-page.ts'
import { Stack } from './stack.ts'

const isNear = (colour: readonly number[], wanted: readonly number[]) =>
  colour.every((value, index) => Math.abs(value - (wanted[index] ?? 0)) < 60)

describe('a desktop in a browser', () => {
  let desk: DeskPage
  let stack: Stack
  let browser: TestBrowser
  let ann: RoomPage
  let bob: RoomPage

  beforeAll(async () => {
    desk = await DeskPage.open()
    stack = await Stack.open({ appUrl: desk.url })
    browser = await TestBrowser.open()
    await desk.place(0, 0)
    ann = await RoomPage.enter(browser, { url: stack.url, name: 'ann', password: 'neko' })
    bob = await RoomPage.enter(browser, { url: stack.url, name: 'bob', password: 'neko' })
  })

  afterAll(async () => {
    await browser?.[Symbol.asyncDispose]()
    await stack?.[Symbol.asyncDispose]()
    await desk?.[Symbol.asyncDispose]()
  })

  async function waitForColour(page: RoomPage, where: { x: number; y: number }, colour: readonly number[]): Promise<void> {
    const place = await desk.place(where.x, where.y)
    let last: readonly number[] = []
    await until(
      async () => {
        last = await page.colour(place.x, place.y)
        return isNear(last, colour)
      },
      { ms: 10_000, what: `colour ${colour.join()} at ${place.x},${place.y}` },
    ).catch((error: unknown) => {
      throw new Error(`${String(error)}; it was ${last.join()}`)
    })
  }

  it('[E2E-1] shows the desktop, moving, to everybody who comes in', async () => {
    for (const page of [ann, bob]) {
      await page.sees(10)
      await waitForColour(page, redField, [255, 0, 0])
      await waitForColour(page, target, [255, 255, 255])
    }
  })

  it('[E2E-2] changes nothing for somebody who has not the controls', async () => {
    await ann.takeControl()
    await bob.waitForHost('other')
    desk.forget()
    const place = await desk.place(target.x, target.y)
    await bob.click(place.x, place.y)
    await bob.page.keyboard.type('nothing')
    // The host's click comes after bob's: when it has arrived, his would have, too.
    const text = await desk.place(textField.x, textField.y)
    await ann.click(text.x, text.y)
    await desk.report('click', ({ x, y }) => Math.abs(x - text.x) < 3 && Math.abs(y - text.y) < 3)
    expect(desk.reports.filter(({ is }) => is !== 'ready')).toHaveLength(1)
  })

  it('[E2E-3] brings a click to its pixel, and the change back to every viewer', async () => {
    const place = await desk.place(target.x, target.y)
    await ann.click(place.x, place.y)
    await desk.report('click', ({ x, y }) => Math.abs(x - place.x) < 3 && Math.abs(y - place.y) < 3)
    for (const page of [ann, bob]) {
      await waitForColour(page, target, [0, 0, 0])
    }
  })

  it('[E2E-4] brings typed text to the desktop, keys of other layouts included', async () => {
    const place = await desk.place(textField.x, textField.y)
    await ann.click(place.x, place.y)
    await desk.report('click', ({ x }) => Math.abs(x - place.x) < 3)
    for (const key of ['H', 'i', ' ', 'é', 'ß', '中', '€', 'Ω']) {
      await ann.page.keyboard.press(key === ' ' ? 'Space' : key).catch(() => ann.page.keyboard.insertText(key))
    }
    await desk.report('typed', ({ text }) => text.endsWith('Hi éß中€Ω'))
  })

  it('[E2E-5] lets everybody hear the desktop', async () => {
    for (const page of [ann, bob]) {
      await until(async () => (await page.loudness()) > 0.01, { ms: 15_000, what: 'sound' })
    }
  })

  it('[E2E-6] gives the controls back', async () => {
    await ann.page.getByRole('button', { name: /release control/i }).click()
    await bob.waitForHost('none')
    await bob.takeControl()
    await ann.waitForHost('other')
  })

  it('[E2E-7] stops within five seconds and leaves nothing', async () => {
    const { ms, left } = await stack.stop()
    expect(left).toEqual([])
    expect(ms).toBeLessThan(5_000)
  })
})
