import { until } from '@neko-edge/kit'
import { freeUdpPort, TcpRelay, UdpShaper } from '@neko-edge/testing'
import { TestBrowser } from '@neko-edge/testing/chromium'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { DeskPage, redField, target } from './desk-page.ts'
import { RoomPage } from './room-page.ts'
import { Stack } from './stack.ts'

/** Media goes to `port`, and every state of the connection that the page shows is noted with its words. */
const script = (server: number, port: number) => `
  const candidates = /( udp \\d+ 127\\.0\\.0\\.1 )${server} /gi
  const accept = RTCPeerConnection.prototype.setRemoteDescription
  RTCPeerConnection.prototype.setRemoteDescription = function ({ type, sdp }) {
    return accept.call(this, { type, sdp: sdp.replace(candidates, '$1${port} ') })
  }
  const add = RTCPeerConnection.prototype.addIceCandidate
  RTCPeerConnection.prototype.addIceCandidate = function (init) {
    return add.call(this, { ...init, candidate: init.candidate.replace(candidates, '$1${port} ') })
  }
  globalThis.noted = []
  new MutationObserver(() => {
    const state = document.querySelector('.room')?.dataset.state
    const words = document.querySelector('.overlay h2')?.textContent
    const note = state + (words ? ': ' + words : '')
    if (state && noted.at(-1) !== note) noted.push(note)
  }).observe(document, { subtree: true, childList: true, attributes: true, characterData: true })`

/** From the end of a trouble to a picture that moves, in milliseconds. */
const backMs = 15_000

describe('a page that loses its connection', () => {
  let desk: DeskPage
  let stack: Stack
  let browser: TestBrowser
  let relay: TcpRelay
  let shaper: UdpShaper
  /** Behind a network that can be cut. */
  let ann: RoomPage
  let bob: RoomPage

  beforeAll(async () => {
    desk = await DeskPage.open()
    const mediaPort = await freeUdpPort()
    stack = await Stack.open({ appUrl: desk.url, env: { NEKO_WEBRTC_UDPMUX: String(mediaPort) } })
    relay = await TcpRelay.open({ host: '127.0.0.1', port: Number(new URL(stack.url).port) })
    shaper = await UdpShaper.open({ host: '127.0.0.1', port: mediaPort }, { rate: 100_000_000 })
    browser = await TestBrowser.open()
    const first = script(mediaPort, shaper.port)
    ann = await RoomPage.enter(browser, { url: relay.url, name: 'ann', password: 'admin', first })
    bob = await RoomPage.enter(browser, { url: stack.url, name: 'bob', password: 'neko' })
    expect(shaper.counts.sent).toBeGreaterThan(10)
    await bob.page.locator('[data-opens=people]').click()
  })

  afterAll(async () => {
    await browser?.[Symbol.asyncDispose]()
    await relay?.[Symbol.asyncDispose]()
    await shaper?.[Symbol.asyncDispose]()
    await stack?.[Symbol.asyncDispose]()
    await desk?.[Symbol.asyncDispose]()
  })

  const forget = () => ann.page.evaluate('noted.length = 0')
  const noted = () => ann.page.evaluate<string[]>('noted')
  const shown = (words: RegExp) => until(async () => (await noted()).some((note) => words.test(note)), { ms: backMs, what: `${words}` })

  /** The picture moves, nothing was reloaded, both pages agree on who has the controls, and what ann does arrives in the desktop. */
  async function isBack(): Promise<void> {
    await ann.page.locator('.room[data-state=live]').waitFor({ timeout: backMs })
    await ann.sees(5, backMs)
    const hosts = async () =>
      `${await ann.page.locator('.room').getAttribute('data-host')} ${await bob.page.locator('.room').getAttribute('data-host')}`
    await until(async () => ['me other', 'none none'].includes(await hosts()), { ms: backMs, what: 'one truth about the controls' })
    if ((await hosts()) === 'none none') {
      await ann.takeControl()
      await bob.waitForHost('other')
    }
    await until(
      async () => {
        const place = await desk.place(redField.x, redField.y)
        const [r, g] = await ann.colour(place.x, place.y)
        return r > 180 && g < 90
      },
      { ms: 30_000, what: 'the picture of the desktop as it is' },
    )
    const place = await desk.place(target.x, target.y)
    desk.forget()
    await ann.click(place.x, place.y)
    await desk.report('click', ({ x, y }) => Math.abs(x - place.x) + Math.abs(y - place.y) <= 4)
    expect(await ann.page.evaluate(() => performance.getEntriesByType('navigation').length)).toBe(1)
  }

  it('[WEB-1520] socket cut: the picture goes on, the page says so and is back, with the controls', async () => {
    await ann.takeControl()
    await forget()
    relay.cut()
    await shown(/^(reconnecting|joining)/)
    await ann.sees(5)
    await isBack()
    await ann.waitForHost('me')
  })

  it('[WEB-1521] network gone for ten seconds: the page says what is wrong, and is back by itself', async () => {
    await forget()
    const goneAt = performance.now()
    relay.hold()
    shaper.isGone = true
    await shown(/^(reconnecting|loading): ./)
    await until(() => performance.now() - goneAt > 10_000, { ms: 12_000, what: 'ten seconds' })
    relay.release()
    shaper.isGone = false
    await isBack()
  })

  it('[WEB-1522] control plane killed: the picture goes on, the page says so and is back, with the controls', async () => {
    await forget()
    process.kill(await stack.find('main.ts', 'control-plane'), 'SIGKILL')
    await shown(/^reconnecting/)
    await isBack()
    await ann.waitForHost('me')
  })

  it('[WEB-1523] capture node killed: the page says so, and shows the new desktop as soon as there is one', async () => {
    await forget()
    process.kill(await stack.find('main.ts', 'capture-node'), 'SIGKILL')
    await shown(/^(reconnecting|loading)/)
    await isBack()
  })

  it('[WEB-1524] laptop asleep until the room has counted it as gone: back by itself when it wakes', async () => {
    const session = await ann.page.context().newCDPSession(ann.page)
    await session.send('Page.setWebLifecycleState', { state: 'frozen' })
    relay.hold()
    relay.cut()
    shaper.isGone = true
    await bob.page.locator('li[data-session^=ann]').waitFor({ state: 'detached', timeout: 30_000 })
    await bob.waitForHost('none')
    relay.release()
    shaper.isGone = false
    await session.send('Page.setWebLifecycleState', { state: 'active' })
    await bob.page.locator('li[data-session^=ann]').waitFor({ timeout: backMs })
    await isBack()
  })
})
