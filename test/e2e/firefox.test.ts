import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { networkInterfaces, tmpdir } from 'node:os'
import { join } from 'node:path'
import { until } from '@neko-edge/kit'
import { TestFirefox } from '@neko-edge/testing/firefox'
import { V3Viewer } from '@neko-edge/testing/viewer'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { DeskPage, redField, target, textField } from './desk-page.ts'
import { RoomPage } from './room-page.ts'
import { Stack } from './stack.ts'

const token = 'the-token-of-the-rooms'

/** Firefox reaches no media on loopback: an address of this machine that is another. */
const ownAddress = () =>
  Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .find(({ family, internal }) => family === 'IPv4' && !internal)?.address ?? '127.0.0.1'

describe('the page in Firefox', () => {
  let folder: string
  let desk: DeskPage
  let stack: Stack
  let firefox: TestFirefox
  /** An administrator, in Firefox. */
  let ann: RoomPage
  let bob: V3Viewer

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'neko-firefox-'))
    desk = await DeskPage.open()
    const env = {
      NEKO_FILETRANSFER_ENABLED: 'true',
      NEKO_FILETRANSFER_DIR: folder,
      NEKO_WEBRTC_NAT1TO1: ownAddress(),
      NEKO_ROOMS_API_TOKEN: token,
    }
    stack = await Stack.open({ appUrl: desk.url, env })
    bob = await V3Viewer.open({ url: stack.url, username: 'bob', password: 'neko' })
    firefox = await TestFirefox.open()
  })

  afterAll(async () => {
    await firefox?.[Symbol.asyncDispose]()
    await bob?.[Symbol.asyncDispose]()
    await stack?.[Symbol.asyncDispose]()
    await desk?.[Symbol.asyncDispose]()
    await rm(folder, { recursive: true, force: true })
  })

  const open = async (panel: string) => {
    if ((await ann.page.locator(`[data-panel=${panel}]`).count()) === 0) {
      await ann.page.locator(`[data-opens=${panel}]`).click()
    }
  }

  const isRed = ([r, g, b]: readonly [number, number, number]) => r > 180 && g < 90 && b < 90

  it('[WEB-1540] comes in, and shows the desktop over WebRTC', async () => {
    ann = await RoomPage.enter(firefox, { url: stack.url, name: 'ann', password: 'admin' })
    await ann.waitForPath('udp')
    await ann.sees(10)
    const place = await desk.place(redField.x, redField.y)
    await until(async () => isRed(await ann.colour(place.x, place.y)), { ms: 20_000, what: 'the red field' })
  })

  it('[WEB-1541] takes control; a click arrives where it was made, and keys as they were typed', async () => {
    await ann.takeControl()
    const place = await desk.place(target.x, target.y)
    await ann.click(place.x, place.y)
    await desk.report('click', ({ x, y }) => Math.abs(x - place.x) + Math.abs(y - place.y) <= 4)
    const field = await desk.place(textField.x, textField.y)
    await ann.click(field.x, field.y)
    await ann.page.keyboard.type('Fox 1')
    await desk.report('typed', ({ text }) => text.includes('Fox 1'))
  })

  it('[WEB-2002] hands the controls over from the menu of somebody, and takes them again when he lets go', async () => {
    await open('people')
    await ann.page.locator('li[data-session^=bob] button').click()
    await ann.page.getByRole('menuitem', { name: 'Give the controls' }).click()
    await bob.event('control/host', { where: (payload) => (payload as { host_id?: string }).host_id === bob.session.id })
    bob.send('control/release')
    await ann.takeControl()
  })

  it('[WEB-2003] stops the picture and goes on, and chooses how good it is', async () => {
    await ann.page.getByRole('button', { name: 'Pause the picture' }).click()
    await ann.page.locator('.resume').click()
    await ann.sees(3)
    await ann.page.getByRole('button', { name: 'Statistics' }).click()
    for (const [quality, isSeen] of [
      ['Sound only', false],
      ['Automatic', true],
    ] as const) {
      await ann.page.getByRole('button', { name: 'Quality' }).click()
      await ann.page.getByRole('menuitemradio', { name: quality }).click()
      const frames = async () => Number.parseFloat(await ann.statistic('Frames per second'))
      await until(async () => (await frames()) > 0 === isSeen, { ms: 10_000, what: quality })
    }
    await ann.page.getByRole('button', { name: 'Statistics' }).click()
  })

  it('[WEB-2004] is heard in the desktop, until the microphone is off', async () => {
    await ann.page.getByRole('button', { name: 'Turn the microphone on' }).click()
    await until(async () => (await stack.heard()) > 2_000, { ms: 15_000, what: 'the microphone in the desktop' })
    await ann.page.getByRole('button', { name: 'Turn the microphone off' }).click()
    await ann.page.getByRole('button', { name: 'Turn the microphone on' }).waitFor()
  })

  it('[WEB-1542] chats, both ways', async () => {
    await open('chat')
    const field = ann.page.getByRole('textbox', { name: 'Write a message' })
    await field.fill('from **Firefox**')
    await field.press('Enter')
    await bob.event('chat/message', { where: (payload) => JSON.stringify(payload).includes('from **Firefox**') })
    bob.send('chat/message', { text: 'to *Firefox*' })
    await ann.page.locator('.said[data-from^=bob] em', { hasText: 'Firefox' }).waitFor()
  })

  it('[WEB-1543] takes text to the desktop through the clipboard panel, and back from it', async () => {
    await open('clipboard')
    const panel = ann.page.getByRole('textbox', { name: 'Clipboard' })
    await panel.fill('panel text')
    const field = await desk.place(textField.x, textField.y)
    await ann.click(field.x, field.y)
    await ann.page.keyboard.press('Control+a')
    await ann.page.getByRole('button', { name: 'Paste in the desktop' }).click()
    await desk.report('typed', ({ text }) => text === 'panel text')
    // Elsewhere in the field, or it were a double click: behind the text.
    await ann.click(field.x + 100, field.y + 35)
    await ann.page.keyboard.type(' and more')
    await desk.report('typed', ({ text }) => text === 'panel text and more')
    await ann.page.keyboard.press('Control+a')
    await ann.page.keyboard.press('Control+c')
    await until(async () => (await panel.inputValue()) === 'panel text and more', {
      ms: 10_000,
      what: 'the text of the desktop in the panel',
    })
  })

  it('[WEB-1544] uploads, downloads and deletes a file', async () => {
    await open('files')
    const text = 'some words\n'.repeat(5_000)
    await ann.page.locator('input[name=upload]').setInputFiles({ name: 'fox.txt', mimeType: 'text/plain', buffer: Buffer.from(text) })
    await ann.page.locator('[data-file="fox.txt"]').waitFor()
    expect(await readFile(join(folder, 'fox.txt'), 'utf8')).toBe(text)
    await ann.page.getByRole('button', { name: 'Download fox.txt' }).click()
    const saved = await until(async () => (await firefox.downloads()).find((path) => path.endsWith('fox.txt')), {
      ms: 10_000,
      what: 'the file',
    })
    await until(async () => (await readFile(saved, 'utf8')) === text, { ms: 5_000, what: 'all of the file' })
    await ann.page.getByRole('button', { name: 'Delete fox.txt' }).click()
    await ann.page.getByRole('button', { name: 'Really delete fox.txt?' }).click()
    await ann.page.locator('[data-file="fox.txt"]').waitFor({ state: 'detached' })
  })

  it('[WEB-1994] without WebRTC, shows video over the WebSocket, and brings a click into the desktop', async () => {
    const cleo = await RoomPage.enter(firefox, {
      url: stack.url,
      name: 'cleo',
      password: 'admin',
      first: 'delete globalThis.RTCPeerConnection',
    })
    await cleo.waitForPath('websocket')
    await cleo.sees(5)
    await cleo.page.getByRole('button', { name: 'Take over' }).click()
    await cleo.waitForHost('me')
    const place = await desk.place(target.x, target.y)
    desk.forget()
    await cleo.click(place.x, place.y)
    await desk.report('click', ({ x, y }) => Math.abs(x - place.x) + Math.abs(y - place.y) <= 4)
    await cleo.page.close()
  })

  it('[WEB-1545] administers: a lock, the size of the desktop, and somebody who is removed', async () => {
    await open('settings')
    await ann.page.getByRole('switch', { name: 'Only administrators control' }).click()
    await bob.event('system/settings', { where: (payload) => JSON.stringify(payload).includes('"locked_controls":true') })
    await ann.page.locator('select[name=resolution]').selectOption('1024x768@60')
    await bob.event('screen/updated', { ms: 10_000, where: (payload) => JSON.stringify(payload).includes('"width":1024') })
    await open('people')
    await ann.page.locator('li[data-session^=bob] button').click()
    await ann.page.getByRole('menuitem', { name: 'Remove from the room' }).click()
    await ann.page.getByRole('menuitem', { name: 'Really remove?' }).click()
    await bob.event('system/disconnect')
  })

  it('[V2-1953] shows a room in AV1; its pipeline leaves the format open, and Firefox crashes on 4:4:4', async () => {
    const pipeline =
      'ximagesrc display-name={display} show-pointer=false use-damage=false ! video/x-raw,framerate=25/1 ! videoconvert ! queue ! av1enc'
    const encoding = 'usage-profile=realtime cpu-used=10 end-usage=cbr target-bitrate=1000 min-quantizer=4 max-quantizer=56'
    const config = {
      'capture.video.codec': 'av1',
      'capture.video.pipeline': `${pipeline} ${encoding} lag-in-frames=0 keyframe-max-dist=25 ! appsink name=appsink`,
      'desktop.app_url': 'data:text/html,%3Cbody%20bgcolor=red%3E',
    }
    const room = { id: 'av1', user_password: 'neko', admin_password: 'admin', config }
    const headers = { authorization: `Bearer ${token}` }
    const made = await fetch(`${stack.url}/api/rooms`, { method: 'POST', headers, body: JSON.stringify(room) })
    expect(made.status, await made.text()).toBe(201)
    const fox = await RoomPage.enter(firefox, { url: `${stack.url}/room/av1`, name: 'fox', password: 'neko' })
    await fox.sees(10)
    await until(async () => isRed(await fox.colour(200, 400)), { ms: 10_000, what: 'a red desktop' })
  })
})
