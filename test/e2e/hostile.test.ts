import { until } from '@neko-edge/kit'
import { TestBrowser } from '@neko-edge/testing/chromium'
import type { Page, WebSocketRoute } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { RoomPage } from './room-page.ts'
import { Stack } from './stack.ts'

type Json = null | boolean | number | string | Json[] | { [key: string]: Json }

/** A sequence of numbers from 0 to 1 that is the same for the same seed (mulberry32). */
function randomOf(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}

const deep: Json = Array.from({ length: 200 }).reduce<Json>((inside) => [inside], [])
const odd: readonly Json[] = [
  null,
  true,
  -1,
  1e308,
  0.5,
  '',
  '\u202E<img src=x onerror=alert(1)>',
  'x'.repeat(10_000),
  [],
  {},
  [null],
  deep,
  // The key itself, not the prototype.
  JSON.parse('{"__proto__":{"is_admin":true},"constructor":1,"toString":2}') as Json,
]

/** The same value with one thing in it otherwise: replaced, taken out, or doubled. */
function mutated(value: Json, random: () => number): Json {
  const pick = <T>(all: readonly T[]) => all[Math.floor(random() * all.length)] as T
  if (value === null || typeof value !== 'object' || random() < 0.15) {
    return pick(odd)
  }
  if (Array.isArray(value)) {
    const at = Math.floor(random() * (value.length + 1))
    return random() < 0.3 ? [...value, ...value] : value.with(Math.min(at, Math.max(0, value.length - 1)), pick(odd))
  }
  const keys = Object.keys(value)
  const key = keys.length === 0 ? 'key' : pick(keys)
  const { [key]: inside = null, ...rest } = value
  return random() < 0.3 ? rest : { ...rest, [key]: mutated(inside, random) }
}

describe('a server that says odd things', () => {
  let stack: Stack
  let browser: TestBrowser

  beforeAll(async () => {
    stack = await Stack.open({ env: { NEKO_SESSION_INACTIVE_CURSORS: 'true' } })
    browser = await TestBrowser.open({ size: { width: 1400, height: 800 } })
  })

  afterAll(async () => {
    await browser?.[Symbol.asyncDispose]()
    await stack?.[Symbol.asyncDispose]()
  })

  /** Comes in through a proxy that sees, and may change, what the server says. */
  async function enter(name: string, change: (text: string) => string) {
    const errors: string[] = []
    let route: WebSocketRoute | undefined
    const prepare = async (page: Page) => {
      page.on('pageerror', (error) => errors.push(error.message))
      await page.routeWebSocket(/\/api\/ws/, (socket) => {
        route = socket
        const server = socket.connectToServer()
        server.onMessage((message) => socket.send(typeof message === 'string' ? change(message) : message))
      })
    }
    const room = await RoomPage.enter(browser, { url: stack.url, name, password: 'admin', prepare })
    return { room, errors, say: (text: string | Buffer) => route?.send(text), cut: () => route?.close() }
  }

  it('[WEB-1480] no message breaks the page: it goes on, and is true again after the next connection', async () => {
    const seed = Math.floor(Math.random() * 2 ** 31)
    const random = randomOf(seed)
    const seen: string[] = []
    const mallory = await enter('mallory', (text) => {
      seen.push(text)
      return text
    })
    const ann = await RoomPage.enter(browser, { url: stack.url, name: 'ann', password: 'neko' })
    await mallory.room.takeControl()
    await mallory.room.page.locator('neko-view').hover()
    // What ends a session, or the media, would do so rightly.
    const kinds = seen.filter((text) => !/"event":"(system\/disconnect|signal\/)/.test(text))
    expect(kinds.length).toBeGreaterThan(5)
    for (let round = 0; round < 600; round += 1) {
      const text = kinds[round % kinds.length] ?? ''
      const message = JSON.stringify(mutated(JSON.parse(text) as Json, random))
      mallory.say(random() < 0.05 ? message.slice(0, message.length / 2) : random() < 0.02 ? Buffer.from(message) : message)
    }
    for (const panel of ['people', 'chat', 'settings'] as const) {
      await mallory.room.page.locator(`[data-opens=${panel}]`).click({ timeout: 5_000 })
    }
    await mallory.room.page.locator('[data-panel=settings]').waitFor({ timeout: 5_000 })
    expect(mallory.errors, `seed ${seed}`).toEqual([])
    await mallory.cut()
    await mallory.room.page.locator('.room[data-state=live]').waitFor({ timeout: 15_000 })
    await mallory.room.page.locator('[data-opens=chat]').click()
    await ann.page.getByRole('textbox', { name: 'Write a message' }).fill('still here?')
    await ann.page.keyboard.press('Enter')
    await mallory.room.page.locator('.said', { hasText: 'still here?' }).waitFor({ timeout: 10_000 })
    await mallory.room.sees(3)
    expect(mallory.errors, `seed ${seed}`).toEqual([])
  })

  it('[WEB-1481] two thousand people scroll in less than a frame, and three hundred who come are one line', async () => {
    const crowd = 2_000
    const person = (index: number, init: { sessions: Record<string, { profile: object }> }) => {
      const id = `crowd-${index}`
      const [first] = Object.values(init.sessions)
      return {
        id,
        profile: { ...first?.profile, name: `Person ${index}`, is_admin: index % 50 === 0 },
        state: { is_connected: true, is_watching: index % 3 > 0, watching: true },
      }
    }
    let template: { sessions: Record<string, { profile: object }> } | undefined
    const teacher = await enter('teacher', (text) => {
      const message = JSON.parse(text)
      if (message.event !== 'system/init') {
        return text
      }
      template = structuredClone(message.payload)
      for (let index = 0; index < crowd; index += 1) {
        const one = person(index, message.payload)
        message.payload.sessions[one.id] = one
      }
      return JSON.stringify(message)
    })
    const { page } = teacher.room
    await page.locator('[data-opens=people]').click()
    await page.locator('[data-panel=people] li').first().waitFor({ timeout: 10_000 })
    expect(await page.locator('[data-panel=people] li').count()).toBeLessThan(60)
    const cdp = await page.context().newCDPSession(page)
    await cdp.send('Performance.enable')
    const busy = async () => {
      const { metrics } = await cdp.send('Performance.getMetrics')
      const of = (wanted: string) => metrics.find(({ name }) => name === wanted)?.value ?? 0
      return 1000 * (of('ScriptDuration') + of('LayoutDuration') + of('RecalcStyleDuration'))
    }
    const before = await busy()
    const { frames, last } = await page.locator('[data-panel=people] .rows').evaluate(
      (rows) =>
        new Promise<{ frames: number; last: string }>((resolve) => {
          let count = 0
          const step = () => {
            count += 1
            rows.scrollTop += 700
            const isAtEnd = rows.scrollTop + rows.clientHeight >= rows.scrollHeight - 1
            if (isAtEnd) {
              requestAnimationFrame(() => requestAnimationFrame(() => resolve({ frames: count, last: rows.textContent ?? '' })))
            } else {
              requestAnimationFrame(step)
            }
          }
          requestAnimationFrame(step)
        }),
    )
    const perFrame = ((await busy()) - before) / frames
    expect(frames).toBeGreaterThan(100)
    expect(last).toContain('Person 1999')
    // Of the 16.7 ms of a frame at 60 Hz, with all that the picture costs meanwhile.
    expect(perFrame).toBeLessThan(10)
    await page.getByRole('searchbox', { name: 'Find a person' }).fill('person 1234')
    await until(async () => (await page.locator('[data-panel=people] li').count()) === 1, { ms: 5_000, what: 'the one who was looked for' })
    await page.locator('[data-opens=chat]').click()
    for (let index = crowd; index < crowd + 300 && template; index += 1) {
      teacher.say(JSON.stringify({ event: 'session/created', payload: person(index, template) }))
    }
    await page.locator('.event', { hasText: '300 came' }).waitFor({ timeout: 10_000 })
    expect(await page.locator('.event').count()).toBe(1)
    expect(teacher.errors).toEqual([])
  })
})
