import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { until } from '@neko-edge/kit'
import { TestBrowser } from '@neko-edge/testing/chromium'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { DeskPage, textField } from './desk-page.ts'
import { RoomPage } from './room-page.ts'
import { Stack } from './stack.ts'

/** Opens a panel of the page, if it is not open. */
async function open(page: Page, panel: string): Promise<void> {
  if ((await page.locator(`[data-panel=${panel}]`).count()) === 0) {
    await page.locator(`[data-opens=${panel}]`).click()
  }
  await page.locator(`[data-panel=${panel}]`).waitFor()
}

async function choose(page: Page, person: string, action: string): Promise<void> {
  await open(page, 'people')
  await page.locator(`li[data-session^=${person}] button`).click()
  await page.getByRole('menuitem', { name: action }).click()
}

describe('the page, as the other person sees it', () => {
  let folder: string
  let desk: DeskPage
  let stack: Stack
  let browser: TestBrowser
  /** An administrator. */
  let ann: RoomPage
  let bob: RoomPage

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'neko-page-'))
    desk = await DeskPage.open()
    stack = await Stack.open({
      appUrl: desk.url,
      env: {
        NEKO_FILETRANSFER_ENABLED: 'true',
        NEKO_FILETRANSFER_DIR: folder,
        NEKO_FILETRANSFER_USER_UPLOAD: 'true',
        NEKO_FILETRANSFER_USER_DOWNLOAD: 'true',
        NEKO_SESSION_INACTIVE_CURSORS: 'true',
      },
    })
    browser = await TestBrowser.open({ size: { width: 1400, height: 800 } })
    ann = await RoomPage.enter(browser, { url: stack.url, name: 'ann', password: 'admin' })
    bob = await RoomPage.enter(browser, { url: stack.url, name: 'bob', password: 'neko' })
  })

  afterAll(async () => {
    await browser?.[Symbol.asyncDispose]()
    await stack?.[Symbol.asyncDispose]()
    await desk?.[Symbol.asyncDispose]()
    await rm(folder, { recursive: true, force: true })
  })

  it('[WEB-160] a message arrives with its Markdown and without its markup, and counts as unread until it is seen', async () => {
    await open(bob.page, 'people')
    await open(ann.page, 'chat')
    const field = ann.page.getByRole('textbox', { name: 'Write a message' })
    await field.fill('**bold** <img src=x onerror="document.title=1"> https://example.org/a')
    await field.press('Enter')
    await bob.page.locator('.unread', { hasText: '1' }).waitFor()
    await open(bob.page, 'chat')
    const said = bob.page.locator('.said[data-from^=ann]').last()
    await said.locator('strong', { hasText: 'bold' }).waitFor()
    expect(await said.locator('.text').textContent()).toBe('bold <img src=x onerror="document.title=1"> https://example.org/a')
    expect(await said.locator('a').getAttribute('href')).toBe('https://example.org/a')
    expect(await bob.page.title()).toBe('neko')
    await until(async () => (await bob.page.locator('.unread').count()) === 0, { ms: 5_000, what: 'nothing unread' })
  })

  it('[WEB-161] an emote flies over the picture of both', async () => {
    await open(bob.page, 'chat')
    await bob.page.getByRole('button', { name: 'Emotes and emoji' }).click()
    const flies = (page: Page) => page.locator('.emote-rain [data-emote=party]').first().waitFor({ state: 'attached', timeout: 5_000 })
    const seen = Promise.all([flies(ann.page), flies(bob.page)])
    await bob.page.locator('.emotes [data-emote=party]').click()
    await seen
  })

  it('[WEB-162] somebody who is muted can not write, and can again afterwards', async () => {
    await choose(ann.page, 'bob', 'Mute in the chat')
    await bob.page.getByText('An administrator has muted you.').waitFor()
    await ann.page.locator('li[data-session^=bob] [data-muted]').waitFor()
    await choose(ann.page, 'bob', 'Unmute in the chat')
    await bob.page.getByRole('textbox', { name: 'Write a message' }).waitFor()
  })

  it('[WEB-163] the controls are asked for, given from the menu, and taken back', async () => {
    await ann.takeControl()
    await bob.waitForHost('other')
    await bob.page.getByRole('button', { name: 'Ask for control' }).click()
    await ann.page.locator('.notice', { hasText: 'bob asks for the controls' }).getByRole('button', { name: 'Not now' }).click()
    await choose(ann.page, 'bob', 'Give the controls')
    await bob.waitForHost('me')
    await choose(ann.page, 'bob', 'Take the controls away')
    await bob.waitForHost('none')
  })

  it('[WEB-164] permissions change at once what the other may', async () => {
    await choose(ann.page, 'bob', 'Permissions…')
    const mayHost = ann.page.getByRole('switch', { name: 'May take the controls' })
    await mayHost.click()
    await bob.page.locator('.room[data-control=forbidden]').waitFor()
    await mayHost.click()
    await bob.page.locator('.room[data-control=free]').waitFor()
    await ann.page.keyboard.press('Escape')
  })

  it('[WEB-165] a lock stands with who set it, and the others see it', async () => {
    await open(ann.page, 'settings')
    const lock = ann.page.getByRole('switch', { name: 'Only administrators control' })
    await lock.click()
    await ann.page.getByText('Set by ann').waitFor()
    await bob.page.locator('.room[data-control=locked]').waitFor()
    await open(bob.page, 'chat')
    await bob.page.locator('.event', { hasText: 'ann locked the controls' }).waitFor()
    await lock.click()
    await bob.page.locator('.room[data-control=free]').waitFor()
  })

  it('[WEB-166] a file that one uploads the other downloads whole, and what one deletes is gone for both', async () => {
    await open(ann.page, 'files')
    await open(bob.page, 'files')
    const text = 'some words\n'.repeat(20_000)
    await bob.page
      .locator('input[name=upload]')
      .setInputFiles({ name: 'words & more.txt', mimeType: 'text/plain', buffer: Buffer.from(text) })
    await ann.page.locator('[data-file="words & more.txt"]').waitFor()
    const download = ann.page.waitForEvent('download')
    await ann.page.getByRole('button', { name: 'Download words & more.txt' }).click()
    expect(await readFile(await (await download).path(), 'utf8')).toBe(text)
    await ann.page.getByRole('button', { name: 'Delete words & more.txt' }).click()
    await ann.page.getByRole('button', { name: 'Really delete words & more.txt?' }).click()
    await bob.page.locator('[data-file="words & more.txt"]').waitFor({ state: 'detached' })
    expect(await readdir(folder)).toEqual([])
  })

  it('[WEB-167] what lies in the folder is told to everybody; locked files are shown to administrators only', async () => {
    await writeFile(join(folder, 'found.txt'), 'x')
    await ann.page.getByRole('button', { name: 'Look again' }).click()
    await bob.page.locator('[data-file="found.txt"]').waitFor()
    await open(ann.page, 'settings')
    await ann.page.getByRole('switch', { name: 'Only administrators use files' }).click()
    await bob.page.getByText('An administrator has locked the files.').waitFor()
    await ann.page.getByRole('switch', { name: 'Only administrators use files' }).click()
    await bob.page.locator('[data-file="found.txt"]').waitFor()
  })

  it('[WEB-168] a locked input changes nothing in the desktop', async () => {
    await ann.takeControl()
    await open(ann.page, 'settings')
    const lock = ann.page.getByRole('switch', { name: 'Lock my input' })
    const place = await desk.place(textField.x, textField.y)
    desk.forget()
    await lock.click()
    await ann.click(place.x - 200, place.y)
    await ann.page.keyboard.type('nothing')
    await ann.page.getByRole('button', { name: 'Unlock my input' }).click()
    await ann.click(place.x, place.y)
    // What was done before it would have come before it.
    await desk.report('click', ({ x }) => Math.abs(x - place.x) < 3)
    expect(desk.reports.filter(({ is }) => is !== 'ready')).toHaveLength(1)
  })

  it('[WEB-169] where one points without the controls an administrator sees, with the name', async () => {
    const place = await bob.at(300, 300)
    const moves = async () => {
      await bob.page.mouse.move(place.x + Math.random() * 20, place.y)
      return ann.page.evaluate(() => document.querySelector('neko-view')?.shadowRoot?.querySelector('[part=other-cursor]')?.textContent)
    }
    await until(async () => (await moves()) === 'bob', { ms: 10_000, what: "bob's cursor in ann's page" })
  })

  it('[WEB-170] what is written in the clipboard panel is in the clipboard of the desktop', async () => {
    await ann.page.getByRole('button', { name: 'Clipboard' }).click()
    await ann.page.getByRole('textbox', { name: 'Clipboard' }).fill('from the panel')
    const place = await desk.place(textField.x, textField.y)
    await ann.click(place.x, place.y)
    await ann.page.getByRole('button', { name: 'Paste in the desktop' }).click()
    await desk.report('typed', ({ text }) => text.includes('from the panel'))
  })

  it('[WEB-171] another language and theme change the page at once, and stay', async () => {
    await open(bob.page, 'settings')
    await bob.page.locator('select[name=theme]').selectOption('dark')
    await until(() => bob.page.evaluate(() => document.documentElement.dataset['theme'] === 'dark'), { ms: 5_000, what: 'the dark theme' })
    await bob.page.locator('select[name=language]').selectOption('de')
    await bob.page.getByRole('heading', { name: 'Einstellungen' }).waitFor()
    expect(await bob.page.evaluate(() => document.documentElement.lang)).toBe('de')
    await bob.page.locator('select[name=language]').selectOption('en')
    await bob.page.getByRole('heading', { name: 'Settings' }).waitFor()
  })

  it('[WEB-172] somebody who is removed is told so, and may sign in again', async () => {
    await choose(ann.page, 'bob', 'Remove from the room')
    await ann.page.getByRole('menuitem', { name: 'Really remove?' }).click()
    await bob.page.locator('[data-trouble=kicked]').waitFor()
    await open(ann.page, 'chat')
    await ann.page.locator('.event', { hasText: 'bob left' }).last().waitFor()
  })
})
