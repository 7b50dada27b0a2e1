import type { NekoView } from '@neko-edge/client/view'
import { until } from '@neko-edge/kit'
import { TestBrowser } from '@neko-edge/testing/chromium'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { DeskPage, target, textField } from './desk-page.ts'
import { RoomPage } from './room-page.ts'
import { Site } from './site.ts'
import { Stack } from './stack.ts'

describe('<neko-view> on the page of another site', () => {
  let desk: DeskPage
  let stack: Stack
  let browser: TestBrowser
  /** Sites that the configuration names, and that it does not. */
  let friend: Site
  let framer: Site
  let stranger: Site
  let page: RoomPage

  beforeAll(async () => {
    desk = await DeskPage.open()
    friend = await Site.open()
    framer = await Site.open()
    stranger = await Site.open()
    stack = await Stack.open({
      appUrl: desk.url,
      env: { NEKO_SERVER_CORS: friend.origin, NEKO_SERVER_FRAME_ANCESTORS: framer.origin },
    })
    browser = await TestBrowser.open()
    page = new RoomPage(await browser.newPage())
    await desk.place(0, 0)
  })

  afterAll(async () => {
    for (const each of [browser, stack, friend, framer, stranger, desk]) {
      await each?.[Symbol.asyncDispose]()
    }
  })

  /** The three lines of README. */
  const lines = (attributes: string) => `<!doctype html>
<script type="module" src="${stack.url}/neko-view.js"></script>
<neko-view src="${stack.url}/" ${attributes}></neko-view>`

  async function visit(site: Site, html: string): Promise<Page> {
    site.html = html
    await page.page.goto(site.origin)
    return page.page
  }

  /** The sessions of the server, as it tells an administrator. */
  async function sessions(): Promise<{ id: string; profile: { name: string }; state: { is_connected: boolean } }[]> {
    const ask = async (path: string, init: RequestInit) => (await fetch(`${stack.url}${path}`, init)).json()
    const body = JSON.stringify({ username: 'warden', password: 'admin' })
    const { token } = (await ask('/api/login', { method: 'POST', headers: { 'content-type': 'application/json' }, body })) as {
      token: string
    }
    const headers = { authorization: `Bearer ${token}` }
    const all = (await ask('/api/sessions', { headers })) as Awaited<ReturnType<typeof sessions>>
    await fetch(`${stack.url}/api/logout`, { method: 'POST', headers })
    return all.filter(({ profile }) => profile.name !== 'warden')
  }

  /** Who is in the room. */
  const names = async () =>
    (await sessions())
      .filter(({ state }) => state.is_connected)
      .map(({ profile }) => profile.name)
      .toSorted()

  it('[WEB-1430] three lines show the room, of a size that one sees, and bring a click into the desktop', async () => {
    await visit(friend, lines('name="Anna" password="neko" controls'))
    await page.sees(3)
    const { width, height } = await page.page.locator('neko-view').evaluate((view) => view.getBoundingClientRect())
    expect(Math.abs(width / height - 16 / 9)).toBeLessThan(0.02)
    await page.page.getByRole('button', { name: 'Take control' }).click()
    await page.page.getByRole('button', { name: 'Release control' }).waitFor()
    const place = await desk.place(target.x, target.y)
    await page.click(place.x, place.y)
    await desk.report('click', ({ x, y }) => Math.abs(x - place.x) < 3 && Math.abs(y - place.y) < 3)
    expect(await names()).toEqual(['Anna'])
  })

  it('[WEB-1993] the session of an element ends with its page, also when that is loaded anew', async () => {
    const where = await visit(friend, lines('name="Anna" password="neko"'))
    await page.sees(2)
    const before = await sessions()
    await where.reload()
    await page.sees(2)
    await until(async () => (await sessions()).length === 1, { ms: 5_000, what: 'one session' })
    expect(await sessions()).not.toEqual(before)
    await where.goto('about:blank')
    await until(async () => (await sessions()).length === 0, { ms: 5_000, what: 'no session' })
  })

  it('[WEB-1431] a site that is not named is told so, gets no session, no socket and no answer to read', async () => {
    const where = await visit(stranger, lines('name="Mallory" password="neko"'))
    const said = where.locator('neko-view [part=state]')
    await said.filter({ hasText: 'NEKO_SERVER_CORS' }).waitFor()
    const outcome = await where.evaluate(async (url) => {
      const socket = new WebSocket(`${url.replace('http', 'ws')}/api/ws?token=x`)
      const ended = await new Promise((resolve) => {
        socket.onopen = () => resolve('open')
        socket.onclose = ({ code }) => resolve(code)
      })
      const read = await fetch(`${url}/api/whoami`).then(
        () => 'read',
        () => 'refused',
      )
      return [ended, read]
    }, stack.url)
    expect(outcome).toEqual([1006, 'refused'])
    expect(await names()).not.toContain('Mallory')
  })

  it('[WEB-1432] the page is shown in frames of sites that are named, and in no others; it hears no messages', async () => {
    const shown = async (site: Site) => {
      const where = await visit(site, `<!doctype html><iframe src="${stack.url}/?embed=1" width=900 height=600></iframe>`)
      const frame = where.frames().find((each) => each.parentFrame() !== null)
      await until(() => frame?.url() !== '' && frame?.url() !== 'about:blank', { ms: 10_000, what: 'the frame has gone somewhere' })
      return frame
    }
    for (const site of [friend, framer]) {
      const frame = await shown(site)
      await frame?.getByRole('heading', { name: 'Join the room' }).waitFor()
      await page.page.evaluate(() => {
        for (const message of [{ event: 'system/disconnect' }, { usr: 'x', pwd: 'neko' }, 'login', null, { event: 'control/request' }]) {
          frames[0]?.postMessage(message, '*')
        }
      })
      // The frame has taken the messages when it answers to one that came later.
      expect(await frame?.evaluate(() => document.querySelector('.login')?.getAttribute('data-state'))).toBe('signed-out')
    }
    const frame = await shown(stranger)
    await until(() => frame?.url().startsWith('chrome-error:'), { ms: 10_000, what: 'the frame is refused' })
  })

  it('[WEB-1433] what a page styles does not reach into the element, and nothing of the element reaches out', async () => {
    const hostile = `<style>
      * { font-size: 77px; letter-spacing: 33px; text-transform: uppercase; line-height: 5; direction: rtl; visibility: hidden }
      video, textarea, img, button, div, [part] { display: none !important; opacity: 0 !important; pointer-events: none !important; position: static !important }
      neko-view { visibility: visible; width: 640px }
    </style>`
    const where = await visit(friend, lines('name="Anna" password="neko" controls').replace('<!doctype html>', `<!doctype html>${hostile}`))
    await page.sees(2)
    const inside = await where.locator('neko-view').evaluate((view) => {
      const of = (part: string) => getComputedStyle(view.shadowRoot?.querySelector(`[part~=${part}]`) as Element)
      const { fontSize, letterSpacing, textTransform, visibility } = of('button')
      const { display, opacity, position } = of('video')
      return { fontSize, letterSpacing, textTransform, visibility, display, opacity, position, events: of('surface').pointerEvents }
    })
    expect(inside).toEqual({
      fontSize: '14px',
      letterSpacing: 'normal',
      textTransform: 'none',
      visibility: 'visible',
      display: 'block',
      opacity: '1',
      position: 'absolute',
      events: 'auto',
    })
    await where.getByRole('button', { name: 'Mute' }).click()
    await where.getByRole('button', { name: 'Unmute' }).waitFor()
    // The same page with and without: its own elements look the same.
    const look = () =>
      where.evaluate(() => {
        const probes = ['video', 'textarea', 'button', 'img', 'p'].map((tag) => document.body.appendChild(document.createElement(tag)))
        const looks = probes.map((probe) => [...getComputedStyle(probe)].map((key) => getComputedStyle(probe).getPropertyValue(key)).join())
        for (const probe of probes) {
          probe.remove()
        }
        return [looks, document.styleSheets.length, document.adoptedStyleSheets.length]
      })
    const withIt = await look()
    await where.locator('neko-view').evaluate((view) => view.remove())
    expect(await look()).toEqual(withIt)
  })

  it('[WEB-1434] attributes change what runs, methods act in the desktop, events tell with their detail', async () => {
    const where = await visit(friend, lines('name="Anna" password="neko" muted volume="0.25" view-only'))
    await page.sees(2)
    const view = where.locator('neko-view')
    expect(await view.evaluate((el: NekoView) => [el.muted, el.volume, el.viewOnly])).toEqual([true, 0.25, true])
    await view.evaluate((el: NekoView) => {
      const heard: unknown[] = []
      Object.assign(globalThis, { heard })
      for (const type of ['controlchange', 'volumechange', 'controlrefused', 'statechange', 'clipboardchange'] as const) {
        el.addEventListener(type, (event) => heard.push([type, event.detail]))
      }
    })
    const heard = (type: string) =>
      where.evaluate((wanted) => {
        const all = (globalThis as unknown as { heard: [string, unknown][] }).heard
        return all.filter(([name]) => name === wanted).map(([, detail]) => detail)
      }, type)
    // View-only: a click asks for nothing.
    await page.click(300, 300)
    await view.evaluate((el: NekoView) => {
      el.viewOnly = false
      el.muted = false
      el.volume = 0.5
      el.keyboardLayout = 'us'
      el.requestControl()
    })
    const mine = await until(async () => (await heard('controlchange'))[0], { ms: 10_000, what: 'the controls' })
    expect(mine).toMatchObject({ isMine: true, name: 'Anna' })
    expect((await heard('volumechange')).at(-1)).toEqual({ volume: 0.5, muted: false })
    const field = await desk.place(textField.x, textField.y)
    desk.forget()
    await page.click(field.x, field.y)
    await desk.report('click')
    await view.evaluate((el: NekoView) => el.sendText('by script é'))
    await desk.report('typed', ({ text }) => text.includes('by script é'))
    // Ctrl+A, Ctrl+X: what was there is gone, and is in the clipboard of whoever has the controls.
    await view.evaluate((el: NekoView) => {
      el.sendKeys(0xffe3, 0x61)
      el.sendKeys(0xffe3, 0x78)
    })
    await desk.report('typed', ({ text }) => text === '')
    await until(async () => (await heard('clipboardchange')).some((detail) => JSON.stringify(detail).includes('by script')), {
      ms: 10_000,
      what: 'the clipboard',
    })
    const shot = await view.evaluate(async (el: NekoView) => {
      const blob = await el.screenshot()
      const bitmap = await createImageBitmap(blob)
      return [blob.type, bitmap.width, bitmap.height]
    })
    expect(shot).toEqual(['image/png', 1280, 720])
    const anna = (await sessions()).find(({ state }) => state.is_connected)
    await view.evaluate((el: NekoView) => {
      el.name = 'Anna the second'
      el.controls = true
    })
    await where.getByRole('button', { name: 'Take control' }).waitFor()
    await page.sees(2)
    await until(async () => (await names()).join() === 'Anna the second', { ms: 10_000, what: 'one session, of the new name' })
    expect((await sessions()).map(({ id }) => id)).not.toContain(anna?.id)
    await view.evaluate((el: NekoView) => el.disconnect())
    await until(async () => (await names()).length === 0, { ms: 10_000, what: 'no session' })
    await view.evaluate((el: NekoView) => el.connect())
    await page.sees(2)
  })

  it('[WEB-1435] several on one page; one that moves keeps its connection, one that goes leaves nothing behind', async () => {
    const where = await visit(friend, lines('name="Anna" password="neko"'))
    await page.sees(2)
    await where.evaluate(() => {
      const opened: WeakRef<WebSocket | RTCPeerConnection>[] = []
      Object.assign(globalThis, { opened })
      const watched = <A extends unknown[], T extends WebSocket | RTCPeerConnection>(original: new (...all: A) => T) =>
        new Proxy(original, {
          construct(of, all: A) {
            const made = new of(...all)
            opened.push(new WeakRef(made))
            return made
          },
        })
      Object.assign(globalThis, { WebSocket: watched(WebSocket), RTCPeerConnection: watched(RTCPeerConnection) })
    })
    const openNow = () =>
      where.evaluate(() => {
        const { opened } = globalThis as unknown as { opened: WeakRef<WebSocket | RTCPeerConnection>[] }
        const all = opened.flatMap((ref) => ref.deref() ?? [])
        return all.filter((it) => ('readyState' in it ? it.readyState < 2 : it.connectionState !== 'closed')).length
      })
    const first = await sessions()
    await where.evaluate(() =>
      document.body.appendChild(document.createElement('section')).append(document.querySelector('neko-view') ?? ''),
    )
    expect(await openNow()).toBe(0)
    await page.sees(2)
    expect(await sessions()).toEqual(first)
    const cdp = await where.context().newCDPSession(where)
    const listeners = async () => {
      await cdp.send('HeapProfiler.collectGarbage')
      return (await cdp.send('Memory.getDOMCounters')).jsEventListeners
    }
    const before = await listeners()
    const rounds = 3
    for (let round = 0; round < rounds; round += 1) {
      await where.evaluate((src) => {
        for (const name of ['Bob', 'Cleo']) {
          const view = Object.assign(document.createElement('neko-view'), { src, name, password: 'neko', controls: true })
          document.body.append(view)
        }
      }, `${stack.url}/`)
      await until(async () => (await names()).join() === 'Anna,Bob,Cleo', { ms: 15_000, what: 'three sessions' })
      await until(async () => (await openNow()) === 4, { ms: 15_000, what: 'two sockets and two peers' })
      await where.evaluate(() => {
        for (const view of document.querySelectorAll('body > neko-view')) {
          view.remove()
        }
      })
      await until(async () => (await openNow()) === 0, { ms: 10_000, what: 'nothing open' })
      await until(async () => (await sessions()).length === first.length, { ms: 10_000, what: 'no session more than before' })
    }
    // Garbage of the browser's own goes a moment later.
    let left = 0
    await until(
      async () => {
        left = (await listeners()) - before
        return left <= 0
      },
      { ms: 10_000, what: 'no listener left' },
    ).catch(() => expect.fail(`${left} listeners are left of ${2 * rounds} elements`))
  })
})
