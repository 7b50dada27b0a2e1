import { troubleWords } from '@neko-edge/client/trouble'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { axe } from './axe.ts'
import { type Look, Looks } from './looks.ts'

/** Where the focus is, and how one sees it. */
interface Stop {
  readonly name: string
  readonly isSeen: boolean
  readonly place: string
}

/** Presses Tab from an element on until the focus leaves the page or comes round, and gives every stop. */
async function walk(page: Page, from: string): Promise<Stop[]> {
  const stops: Stop[] = []
  await page.locator(from).focus()
  for (;;) {
    const stop = await page.evaluate(stopOf)
    if (stop === undefined || stops.some(({ place }) => place === stop.place)) {
      return stops
    }
    stops.push(stop)
    await page.keyboard.press('Tab')
  }
}

/** Runs in the page. */
function stopOf(): Stop | undefined {
  const outer = document.activeElement
  const element = outer?.shadowRoot?.activeElement ?? outer
  if (!outer || !element || outer === document.body) {
    return undefined
  }
  const { outlineStyle, outlineWidth, boxShadow } = getComputedStyle(element)
  const label = element instanceof HTMLInputElement ? element.labels?.[0]?.textContent : element.textContent
  return {
    name: element.getAttribute('aria-label') ?? label ?? '',
    isSeen: (outlineStyle !== 'none' && Number.parseFloat(outlineWidth) >= 2) || boxShadow !== 'none',
    place: `${[...document.querySelectorAll('*')].indexOf(outer)}`,
  }
}

/** What has to be looked at again: with another theme the colours, in another window where things are and how large. All of it at a desk by day. */
function rulesOf(size: Look['size'], theme: Look['theme']): readonly string[] | undefined {
  if (size === 'desktop') {
    return theme === 'light' ? undefined : ['color-contrast']
  }
  return theme === 'light' ? ['target-size', 'scrollable-region-focusable', 'landmark-unique', 'region', 'aria-hidden-focus'] : []
}

const focused = (page: Page, attribute: string) => page.evaluate((name) => document.activeElement?.getAttribute(name), attribute)

describe('the page for everybody', () => {
  let looks: Looks

  beforeAll(async () => {
    looks = await Looks.open()
  })

  afterAll(async () => {
    await looks?.[Symbol.asyncDispose]()
  })

  it('[WEB-1510] axe finds nothing in any state of the page, light and dark, at a desk and on a phone, and the policy stops nothing', async () => {
    const found: string[] = []
    looks.context.on('console', (message) => {
      if (/Content Security Policy/i.test(message.text())) {
        found.push(message.text())
      }
    })
    for await (const { name, page, size, theme } of looks.each({ only: ['desktop', 'phone'] })) {
      const only = rulesOf(size, theme)
      const violations = only?.length === 0 ? [] : await axe(page, only && { only })
      found.push(...violations.map((violation) => `${name} ${size} ${theme}: ${violation}`))
    }
    expect(found).toEqual([])
  })

  it('[WEB-1997] whatever the server refuses a login with is said in words, with what to do', async () => {
    const page = await looks.newPage()
    let refusal: [status: number, message: string] = [500, '']
    await page.route('**/api/login', (route) => route.fulfill({ status: refusal[0], json: { code: refusal[0], message: refusal[1] } }))
    await page.locator('input[name=username]').fill('cleo')
    await page.locator('input[name=password]').fill('neko')
    for (const [status, message, code] of [
      [401, 'Unauthorized', 'wrong-password'],
      [403, 'logins are locked', 'room-locked'],
      [403, 'banned', 'banned'],
      [403, 'login is disabled for this session', 'login-disabled'],
      [404, '', 'not-found'],
      [422, 'session already connected', 'already-connected'],
      [503, 'the room is full, 2 of 2 members are here: try again later', 'room-full'],
      [503, 'the room is ending', 'room-ended'],
      [503, 'redis is away', 'server-busy'],
      [500, 'oops', 'server-failed'],
      [429, 'try again in 7 s', 'too-many-tries'],
    ] as const) {
      refusal = [status, message]
      await page.locator('button[type=submit]').click()
      const { says, remedy } = troubleWords[code]
      await page.locator(`[data-trouble=${code}]`).filter({ hasText: says }).filter({ hasText: remedy }).waitFor()
    }
    await page.getByRole('button', { name: /^Wait [67] s$/ }).waitFor()
    await page.close()
  })

  it('[WEB-1511] one comes in with the keyboard alone: name, password, its eye, the button', async () => {
    const page = await looks.newPage()
    const stops = await walk(page, 'input[name=username]')
    expect(stops.map(({ name }) => name)).toEqual(['Your name', 'Password', 'Show password', 'Join'])
    expect(stops.filter(({ isSeen }) => !isSeen)).toEqual([])
    await page.locator('input[name=username]').focus()
    await page.keyboard.press('Control+A')
    await page.keyboard.insertText('kay')
    await page.keyboard.press('Tab')
    await page.keyboard.insertText('neko')
    await page.keyboard.press('Enter')
    await page.locator('.room[data-state=live]').waitFor()
    await page.close()
  })

  it('[WEB-1512] everything in the room is a stop of the Tab key, in the order of the page, with a name and a mark that is seen', async () => {
    const page = await looks.rest()
    // At the controls the picture would keep the Tab key.
    await page.getByRole('button', { name: 'Release control' }).click()
    await page.locator('.room:not([data-host=me])').waitFor()
    await page.locator('[data-opens=people]').focus()
    await page.keyboard.press('Enter')
    expect(await focused(page, 'data-panel')).toBe('people')
    const stops = await walk(page, '[data-opens=chat]')
    expect(stops.filter(({ isSeen, name }) => !isSeen || name.trim() === '')).toEqual([])
    const at = (name: RegExp) => stops.findIndex((stop) => name.test(stop.name))
    const order = [
      /^Chat/,
      /^Settings/,
      /^Leave/,
      /^Shared desktop/,
      /^Close/,
      /^What to do with ann/,
      /^Take control/,
      /^Volume/,
      /^Full screen/,
    ].map(at)
    expect(order).not.toContain(-1)
    expect(order).toEqual(order.toSorted((a, b) => a - b))
    const buttons = await page.locator('button:visible').count()
    expect(stops.length).toBeGreaterThanOrEqual(buttons)
    await page.getByRole('button', { name: 'Take control' }).click()
    await page.locator('.room[data-host=me]').waitFor()
  })

  it('[WEB-1513] Escape closes a menu, then its panel, and the focus is each time where one came from', async () => {
    const page = await looks.rest()
    await page.locator('[data-opens=people]').focus()
    await page.keyboard.press('Enter')
    await page.locator('li[data-session]', { hasText: 'bob' }).locator('button').focus()
    await page.keyboard.press('Enter')
    await page.locator('[role=menuitem]:focus').waitFor()
    await page.keyboard.press('End')
    while ((await page.locator('[role=menuitem]:focus').textContent()) !== 'Permissions…') {
      await page.keyboard.press('ArrowUp')
    }
    await page.keyboard.press('Enter')
    await page.locator('dialog[open]').waitFor()
    for (let step = 0; step < 20; step++) {
      await page.keyboard.press('Tab')
      // Between the last stop and the first is the browser's own frame; never what is behind.
      expect(
        await page.evaluate(() => document.activeElement === document.body || document.activeElement?.closest('dialog') !== null),
      ).toBe(true)
    }
    await page.keyboard.press('Escape')
    await page.locator('dialog').waitFor({ state: 'detached' })
    expect(await focused(page, 'aria-label')).toBe('What to do with bob')
    await page.keyboard.press('Escape')
    await page.locator('.side').waitFor({ state: 'detached' })
    expect(await focused(page, 'data-opens')).toBe('people')
  })

  it('[WEB-1514] the picture takes every key, says how to get them back, and gives them back', async () => {
    const page = await looks.rest()
    await page.getByText('Ctrl+Alt+Shift gives the keyboard back').waitFor()
    await page.locator('neko-view').focus()
    await page.keyboard.press('Tab')
    await page.keyboard.press('Escape')
    expect(await page.evaluate(() => document.activeElement?.localName)).toBe('neko-view')
    const description = await page.evaluate(() => document.activeElement?.shadowRoot?.activeElement?.getAttribute('aria-description'))
    expect(description).toContain('Ctrl')
    await page.keyboard.press('Control+Alt+Shift')
    await page.locator('.bar :focus').waitFor()
  })

  it('[WEB-1515] nothing is cut off beside a window of 320 pixels', async () => {
    const page = await looks.rest()
    await page.setViewportSize({ width: 320, height: 640 })
    for (const panel of ['chat', 'people', 'files', 'settings']) {
      await page.locator(`[data-opens=${panel}]`).click()
      await page.locator(`[data-panel=${panel}]`).waitFor()
      const beside = await page.evaluate(() =>
        [...document.querySelectorAll('button, input, select, textarea')].flatMap((element) => {
          const { left, right, width } = element.getBoundingClientRect()
          return width > 0 && (left < -1 || right > innerWidth + 1) ? [element.outerHTML.slice(0, 120)] : []
        }),
      )
      expect(beside, panel).toEqual([])
      expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(320)
    }
  })

  it('[WEB-1516] what happens is said to screen readers: chat, notices, the connection, who has the controls', async () => {
    const page = await looks.rest()
    await page.locator('[data-opens=chat]').click()
    expect(await page.getByRole('log', { name: 'Chat' }).count()).toBe(1)
    expect(await page.getByRole('status').filter({ hasText: 'You have the controls' }).count()).toBe(1)
    expect(await page.getByRole('status').filter({ hasText: 'Live' }).count()).toBe(1)
    expect(await page.locator('.notices[aria-live=polite]').count()).toBe(1)
  })

  it('[WEB-1518] the panel that was open is open after a reload, and none where none was', async () => {
    const page = await looks.rest()
    await page.locator('[data-opens=people]').click()
    await page.locator('[data-panel=people]').waitFor()
    await page.reload()
    await page.locator('[data-panel=people]').waitFor()
    await looks.rest()
    await page.reload()
    await page.locator('.room[data-state=live]').waitFor()
    expect(await page.locator('.side').count()).toBe(0)
  })

  it('[WEB-1517] the browser finds nothing that keeps it from installing the page', async () => {
    const page = await looks.rest()
    const session = await page.context().newCDPSession(page)
    const { installabilityErrors } = await session.send('Page.getInstallabilityErrors')
    const { errors } = await session.send('Page.getAppManifest')
    expect([installabilityErrors, errors]).toEqual([[], []])
  })
})
