import type { NekoView } from '@neko-edge/client/view'
import { until } from '@neko-edge/kit'
import { TestBrowser } from '@neko-edge/testing/chromium'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { DeskPage } from './desk-page.ts'
import { RoomPage } from './room-page.ts'
import { Stack } from './stack.ts'

const patience = { timeout: 10_000 }

describe('watching', () => {
  let desk: DeskPage
  let stack: Stack
  let browser: TestBrowser
  let ann: RoomPage
  let bob: RoomPage

  beforeAll(async () => {
    desk = await DeskPage.open()
    stack = await Stack.open({ appUrl: desk.url })
    browser = await TestBrowser.open({ size: { width: 1400, height: 800 } })
    ann = await RoomPage.enter(browser, { url: stack.url, name: 'ann', password: 'neko' })
    bob = await RoomPage.enter(browser, { url: stack.url, name: 'bob', password: 'neko' })
  })

  afterAll(async () => {
    await browser?.[Symbol.asyncDispose]()
    await stack?.[Symbol.asyncDispose]()
    await desk?.[Symbol.asyncDispose]()
  })

  it('[WEB-1470] the numbers behind the picture move, and the quality is a choice that the server hears', async () => {
    await bob.page.getByRole('button', { name: 'Statistics' }).click()
    await until(async () => Number.parseFloat(await bob.statistic('Frames per second')) > 3, { ms: 10_000, what: 'frames' })
    expect(await bob.statistic('Bit rate')).toMatch(/^\d+(\.\d)? [kM]bit\/s$/)
    expect(await bob.statistic('Packet loss')).toMatch(/ %$/)
    expect(await bob.statistic('Round trip')).toMatch(/ ms$/)
    await bob.page.getByRole('button', { name: 'Quality' }).click()
    await bob.page.getByRole('menuitemradio', { name: 'Sound only' }).click()
    await until(async () => (await bob.statistic('Frames per second')) === '0', { ms: 10_000, what: 'no frames' })
    await bob.page.getByRole('button', { name: 'Quality' }).click()
    await bob.page.getByRole('menuitemradio', { name: 'Automatic' }).click()
    await bob.sees(3)
    await bob.page.getByRole('button', { name: 'Statistics' }).click()
  })

  it('[WEB-1473] full screen shows the picture alone, with the bar within reach, and goes back', async () => {
    await bob.page.bringToFront()
    await bob.page.getByRole('button', { name: 'Full screen', exact: true }).click()
    await until(() => bob.page.evaluate(() => document.fullscreenElement?.classList.contains('room')), { ms: 5_000, what: 'full screen' })
    expect(await bob.page.locator('.head').isVisible()).toBe(false)
    await bob.page.mouse.move(700, 798)
    await bob.page.getByRole('button', { name: 'Leave full screen' }).click()
    await until(() => bob.page.evaluate(() => document.fullscreenElement === null), { ms: 5_000, what: 'the page again' })
  })

  it('[WEB-1474] a picture that somebody stops stays, for himself alone, until he goes on', async () => {
    await bob.page.getByRole('button', { name: 'Pause the picture' }).click()
    const resume = bob.page.locator('.resume')
    await resume.waitFor(patience)
    const before = await bob.frames()
    await ann.sees(10)
    expect(await bob.frames()).toBeLessThanOrEqual(before + 1)
    // The browser's own controls, as those of a small window, come to the same.
    await resume.click()
    await bob.sees(3)
    await bob.page.locator('neko-view').evaluate((view: NekoView) => view.video.pause())
    await resume.waitFor(patience)
    await resume.click()
    await bob.sees(3)
  })

  it('[WEB-2000] who wants no picture at once gets none before a click', async () => {
    const autoplay = async () => {
      await bob.page.locator('[data-opens=settings]').click()
      await bob.page.getByRole('switch', { name: 'Play the picture at once' }).click()
      await bob.page.locator('[data-opens=settings]').click()
    }
    await autoplay()
    await bob.page.reload()
    await bob.page.locator('.room[data-state=live]').waitFor(patience)
    await ann.sees(10)
    const isPaused = () => bob.page.locator('neko-view').evaluate((view: NekoView) => view.video.paused)
    expect(await isPaused()).toBe(true)
    await bob.page.locator('.resume').click()
    await bob.sees(3)
    expect(await isPaused()).toBe(false)
    await autoplay()
  })

  it('[WEB-1995] the picture goes on in a small window of its own, and comes back', async () => {
    await bob.page.bringToFront()
    const small = () => bob.page.evaluate(() => document.pictureInPictureElement?.localName)
    await bob.page.getByRole('button', { name: 'Picture in picture' }).click()
    await until(async () => (await small()) === 'neko-view', { ms: 5_000, what: 'the small window' })
    await bob.sees(3)
    await bob.page.getByRole('button', { name: 'Picture in picture' }).click()
    await until(async () => (await small()) === undefined, { ms: 5_000, what: 'the picture in the page' })
    await bob.sees(3)
  })

  it('[WEB-1996] who is asked for the controls hears it ring, unless sounds are off, and hands them over', async () => {
    await ann.takeControl()
    await ann.page.evaluate(() => {
      const tones: number[] = []
      Object.assign(globalThis, { tones })
      const start = OscillatorNode.prototype.start
      OscillatorNode.prototype.start = function (when) {
        tones.push(this.frequency.value)
        start.call(this, when)
      }
    })
    const tones = () => ann.page.evaluate(() => (globalThis as unknown as { tones: number[] }).tones.splice(0))
    const ask = async () => {
      await bob.page.getByRole('button', { name: 'Ask for control' }).click()
      await ann.page.locator('.notice', { hasText: 'bob asks for the controls' }).first().waitFor(patience)
    }
    await ask()
    expect(await tones()).toEqual([880, 660, 880, 660])
    await ann.page.getByRole('button', { name: 'Not now' }).click()
    await ann.page.locator('[data-opens=settings]').click()
    await ann.page.getByRole('switch', { name: 'Sounds for messages and requests' }).click()
    await ask()
    expect(await tones()).toEqual([])
    await ann.page.getByRole('button', { name: 'Hand over' }).click()
    await bob.waitForHost('me')
    await bob.page.getByRole('button', { name: 'Release control' }).click()
  })

  it('[WEB-2001] any emoji is found by its name and put into the message, and any short code is drawn', async () => {
    await bob.page.locator('[data-opens=chat]').click()
    await ann.page.locator('[data-opens=chat]').click()
    await bob.page.getByRole('button', { name: 'Emotes and emoji' }).click()
    await bob.page.getByRole('radio', { name: 'In the message' }).click()
    await bob.page.getByRole('button', { name: 'Flags' }).click()
    await bob.page.getByRole('button', { name: 'finland' }).click()
    await bob.page.getByRole('searchbox', { name: 'Find an emoji' }).fill('dinosaur rex')
    await bob.page.getByRole('button', { name: 't-rex' }).click()
    const field = bob.page.getByRole('textbox', { name: 'Write a message' })
    await field.pressSequentially(' :sauropod: :no_such: 10:30:00')
    await field.press('Enter')
    await ann.page.locator('.said .text', { hasText: '🇫🇮🦖 🦕 :no_such: 10:30:00' }).waitFor(patience)
    await bob.page.getByRole('button', { name: 'Used last' }).click()
    expect(await bob.page.locator('.emoji-picker .grid button').allTextContents()).toEqual(['🦖', '🇫🇮'])
  })

  it('[WEB-1475] where the browser wants a click before it plays sound, the picture comes at once and a button brings the sound', async () => {
    await using strict = await TestBrowser.open({ args: ['--autoplay-policy=document-user-activation-required'] })
    const eve = new RoomPage(await strict.newPage())
    const cdp = await strict.context.newCDPSession(eve.page)
    // Whatever Playwright itself asks of a page counts as a click there.
    const ask = async (expression: string) =>
      (await cdp.send('Runtime.evaluate', { expression, userGesture: false })).result.value as unknown
    await eve.page.goto(`${stack.url}/?usr=eve&pwd=neko`)
    await until(() => ask("document.querySelector('.sound-hint') !== null"), { ms: 15_000, what: 'the hint' })
    const frames = "document.querySelector('neko-view').video.getVideoPlaybackQuality().totalVideoFrames"
    await until(async () => Number(await ask(frames)) > 3, { ms: 10_000, what: 'the picture' })
    expect(await ask("document.querySelector('neko-view').muted")).toBe(true)
    const hint = eve.page.locator('.sound-hint')
    await hint.click()
    await until(async () => (await eve.loudness()) > 0.01, { ms: 15_000, what: 'sound' })
    expect(await eve.page.locator('neko-view').evaluate((view: NekoView) => [view.muted, view.video.paused])).toEqual([false, false])
  })
})
