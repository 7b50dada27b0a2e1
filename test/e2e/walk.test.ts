import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { NekoView } from '@neko-edge/client/view'
import { until } from '@neko-edge/kit'
import { TestBrowser } from '@neko-edge/testing/chromium'
import type { Locator, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { DeskPage, fileField, pictureField, richField, target, textField } from './desk-page.ts'
import { RoomPage } from './room-page.ts'
import { Stack } from './stack.ts'

const patience = { timeout: 10_000 }

describe('the page, line by line', () => {
  let folder: string
  let desk: DeskPage
  let stack: Stack
  let browser: TestBrowser
  /** An administrator. */
  let ann: RoomPage
  let bob: RoomPage

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'neko-walk-'))
    desk = await DeskPage.open()
    stack = await Stack.open({
      appUrl: desk.url,
      env: {
        NEKO_FILETRANSFER_ENABLED: 'true',
        NEKO_FILETRANSFER_DIR: folder,
        NEKO_FILETRANSFER_USER_UPLOAD: 'true',
        NEKO_DESKTOP_FILE_CHOOSER_DIALOG: 'true',
        NEKO_OPENINAPP_ENABLED: 'true',
        NEKO_OPENINAPP_OPEN_COMMAND: 'curl -s',
      },
    })
    browser = await TestBrowser.open({ size: { width: 1400, height: 800 } })
    await allow('clipboard-read', 'clipboard-write')
    ann = await RoomPage.enter(browser, { url: stack.url, name: 'ann', password: 'admin' })
    bob = await RoomPage.enter(browser, { url: stack.url, name: 'bob', password: 'neko' })
    await desk.place(0, 0)
  })

  afterAll(async () => {
    await browser?.[Symbol.asyncDispose]()
    await stack?.[Symbol.asyncDispose]()
    await desk?.[Symbol.asyncDispose]()
    await rm(folder, { recursive: true, force: true })
  })

  const allow = (...permissions: string[]) => browser.context.grantPermissions(permissions, { origin: stack.url })

  async function panel({ page }: RoomPage, name: string): Promise<Locator> {
    const side = page.locator(`[data-panel=${name}]`)
    if ((await side.count()) === 0) {
      await page.locator(`[data-opens=${name}]`).click()
    }
    await side.waitFor(patience)
    return side
  }

  /** Signs in on a fresh page and gives what it is told. */
  async function knock(address: string, password = 'neko'): Promise<{ page: Page; trouble: Locator }> {
    const page = await browser.newPage()
    await page.goto(address)
    await page.locator('input[name=username]').fill('cleo')
    await page.locator('input[name=password]').fill(password)
    await page.locator('button[type=submit]').click()
    return { page, trouble: page.locator('[data-trouble]') }
  }

  async function annHosts(): Promise<void> {
    if ((await ann.page.locator('.room[data-host=me]').count()) === 0) {
      await ann.takeControl()
    }
  }

  async function clickField(person: RoomPage, field: { x: number; y: number }): Promise<void> {
    const place = await desk.place(field.x, field.y)
    desk.forget()
    await person.click(place.x, place.y)
    await desk.report('click', ({ x, y }) => Math.abs(x - place.x) < 3 && Math.abs(y - place.y) < 3)
  }

  it('[WEB-1460] whoever is not let in reads why, and what to do', async () => {
    const wrong = await knock(stack.url, 'guessed')
    await wrong.trouble
      .and(wrong.page.locator('[data-trouble=wrong-password]'))
      .filter({ hasText: 'Check it and try again' })
      .waitFor(patience)
    await wrong.page.close()
    await panel(ann, 'settings')
    const lock = ann.page.getByRole('switch', { name: 'Nobody new comes in' })
    await lock.click()
    await ann.page.locator('input[name=lock-login]:checked').waitFor(patience)
    const locked = await knock(stack.url)
    await locked.page.locator('[data-trouble=room-locked]').filter({ hasText: 'Ask an administrator' }).waitFor(patience)
    await lock.click()
    await ann.page.locator('input[name=lock-login]:not(:checked)').waitFor(patience)
    await locked.page.locator('button[type=submit]').click()
    await locked.page.locator('.room[data-state=live]').waitFor(patience)
    await locked.page.close()
    const away = await browser.newPage()
    await away.goto(stack.url)
    // The name is remembered, the password is not.
    expect([await away.locator('input[name=username]').inputValue(), await away.locator('input[name=password]').inputValue()]).toEqual([
      'cleo',
      '',
    ])
    await away.route('**/api/login', (route) => route.abort())
    await away.locator('button[type=submit]').click()
    await away.locator('[data-trouble=server-away]').filter({ hasText: 'Check your network' }).waitFor(patience)
    await away.close()
  })

  it('[WEB-1461] a banned person is told so and stays out until an administrator lets the address in again', async () => {
    const { page: cleo } = await knock(stack.url)
    await cleo.locator('.room[data-state=live]').waitFor(patience)
    await panel(ann, 'people')
    await ann.page.locator('li[data-session^=cleo] button').click()
    await ann.page.getByRole('menuitem', { name: 'Ban the address' }).click()
    await ann.page.getByRole('menuitem', { name: 'Really ban it?' }).click()
    await cleo.locator('[data-trouble=banned]').waitFor(patience)
    await cleo.close()
    const again = await knock(stack.url)
    await again.page.locator('[data-trouble=banned]').filter({ hasText: 'Only an administrator' }).waitFor(patience)
    await panel(ann, 'settings')
    await ann.page.getByRole('button', { name: 'Let 127.0.0.1 in again' }).click()
    await ann.page.getByRole('button', { name: 'Let 127.0.0.1 in again' }).waitFor({ state: 'detached', ...patience })
    await again.page.locator('button[type=submit]').click()
    await again.page.locator('.room[data-state=live]').waitFor(patience)
    await again.page.close()
  })

  it('[WEB-1462] an invitation comes in by itself, as it says, and leaves nothing in the address', async () => {
    const page = await browser.newPage()
    await page.goto(`${stack.url}/?usr=dora&pwd=neko&volume=0.3&lang=de&show_side=0&mute_chat=1&scroll=20&kept=1`)
    await page.locator('.room[data-state=live]').waitFor(patience)
    expect(page.url()).toBe(`${stack.url}/?kept=1`)
    await page.getByRole('button', { name: 'Steuerung übernehmen' }).waitFor(patience)
    expect(await page.locator('[data-panel]').count()).toBe(0)
    expect(await page.locator('neko-view').evaluate((view: NekoView) => [view.volume, view.scrollSpeed].map(Number))).toEqual([0.3, 2])
    for (const [look, bars] of [
      ['embed', 1],
      ['cast', 0],
    ] as const) {
      await page.goto(`${stack.url}/?usr=dora&pwd=neko&${look}=1`)
      await page.locator(`.room[data-look=${look}][data-state=live]`).waitFor(patience)
      expect([await page.locator('.head').count(), await page.locator('.bar').count()]).toEqual([0, bars])
    }
    // Each time anew, and none of the times before is left.
    const sessions = await ann.page.locator('neko-view').evaluate((view: NekoView) => view.client?.api.request('GET', 'api/sessions'))
    expect((sessions as { profile: { name: string } }[]).filter(({ profile }) => profile.name === 'dora')).toHaveLength(1)
    await page.evaluate(() => localStorage.clear())
    await page.close()
  })

  it('[WEB-1463] a microphone that one turns on is heard in the desktop, until it is off; without a webcam there the page offers none', async () => {
    const on = bob.page.getByRole('button', { name: 'Turn the microphone on' })
    await on.click()
    await bob.page.locator('.notice', { hasText: 'allow it in the address bar' }).waitFor(patience)
    await allow('microphone')
    await on.click()
    await until(async () => (await stack.heard()) > 2_000, { ms: 15_000, what: 'the microphone in the desktop' })
    expect(await bob.page.locator('[data-shares=video]').count()).toBe(0)
    await bob.page.getByRole('button', { name: 'Turn the microphone off' }).click()
    await on.waitFor(patience)
    await bob.sees(3)
    await browser.context.clearPermissions()
    await allow('clipboard-read', 'clipboard-write')
  })

  it('[WEB-1464] what is copied in the desktop comes with its formatting and as a picture, and so it goes back', async () => {
    await annHosts()
    await ann.page.bringToFront()
    await clickField(ann, richField)
    await ann.page.evaluate(async () => {
      const blob = (text: string, type: string) => new Blob([text], { type })
      const item = { 'text/plain': blob('thick', 'text/plain'), 'text/html': blob('<b>thick</b>', 'text/html') }
      await navigator.clipboard.write([new ClipboardItem(item)])
    })
    await ann.page.keyboard.press('Control+v')
    await desk.report('rich', ({ html }) => /<(b|strong|span)[^>]*>thick/.test(html))
    await ann.page.evaluate(() => navigator.clipboard.writeText('before'))
    await ann.page.keyboard.press('Control+a')
    await ann.page.keyboard.press('Control+c')
    const local = () =>
      ann.page.evaluate(async () => {
        const [item] = await navigator.clipboard.read()
        return item?.types.includes('text/html') ? await (await item.getType('text/html')).text() : ''
      })
    await until(async () => (await local()).includes('thick'), { ms: 10_000, what: 'formatted text in the own clipboard' })
    const place = await desk.place(pictureField.x, pictureField.y)
    await ann.click(place.x, place.y)
    await desk.report('copied')
    await ann.page.getByRole('button', { name: 'Clipboard' }).click()
    await ann.page.getByRole('button', { name: 'Get the picture' }).click()
    const picture = ann.page.locator('img.clipboard-picture')
    await picture.waitFor(patience)
    await until(() => picture.evaluate((image) => image instanceof HTMLImageElement && image.naturalWidth === 40), {
      ms: 5_000,
      what: 'it is whole',
    })
    const saved = ann.page.waitForEvent('download')
    await ann.page.getByRole('button', { name: 'Save the picture' }).click()
    expect((await readFile(await (await saved).path())).subarray(1, 4).toString()).toBe('PNG')
  })

  it('[WEB-1465] a file that is dropped on the picture is dropped in the desktop; its file dialog becomes one here', async () => {
    await annHosts()
    const place = await desk.place(target.x, target.y)
    const at = await ann.at(place.x, place.y)
    await ann.page.locator('.stage').evaluate((stage, { x, y }) => {
      const dataTransfer = new DataTransfer()
      dataTransfer.items.add(new File(['dropped bytes'], 'größe.txt', { type: 'text/plain' }))
      for (const type of ['dragover', 'drop']) {
        stage.dispatchEvent(new DragEvent(type, { dataTransfer, clientX: x, clientY: y, bubbles: true, cancelable: true }))
      }
    }, at)
    expect(await desk.report('files', ({ way }) => way === 'dropped')).toMatchObject({ names: ['größe.txt'], bytes: 13 })
    await clickField(ann, fileField)
    const dialog = ann.page.getByRole('dialog', { name: 'The application asks for a file' })
    await dialog.waitFor({ timeout: 15_000 })
    expect(await bob.page.getByRole('dialog').count()).toBe(0)
    await ann.page
      .locator('input[name=dialog]')
      .setInputFiles({ name: 'chosen.txt', mimeType: 'text/plain', buffer: Buffer.from('chosen bytes') })
    expect(await desk.report('files', ({ way }) => way === 'chosen', 20_000)).toMatchObject({ names: ['chosen.txt'], bytes: 12 })
    await dialog.waitFor({ state: 'detached', ...patience })
    await clickField(ann, fileField)
    await dialog.waitFor({ timeout: 15_000 })
    const file = (name: string) => ({ name, mimeType: 'text/plain', buffer: Buffer.from(name) })
    await ann.page.locator('input[name=dialog]').setInputFiles([file('one.txt'), file('two.txt'), file('three.txt')])
    const { names } = await desk.report('files', ({ way, bytes }) => way === 'chosen' && bytes === 23, 20_000)
    expect(names.toSorted()).toEqual(['one.txt', 'three.txt', 'two.txt'])
    await dialog.waitFor({ state: 'detached', ...patience })
  })

  it('[WEB-1466] an upload shows how far it is, and is gone without a trace when it is cancelled', async () => {
    await panel(bob, 'files')
    const cdp = await browser.context.newCDPSession(bob.page)
    await cdp.send('Network.enable')
    await cdp.send('Network.emulateNetworkConditions', { offline: false, latency: 0, downloadThroughput: -1, uploadThroughput: 300_000 })
    await bob.page
      .locator('input[name=upload]')
      .setInputFiles({ name: 'slow.bin', mimeType: 'application/octet-stream', buffer: Buffer.alloc(8_000_000) })
    const progress = bob.page.locator('[data-transfer="slow.bin"] progress')
    await until(() => progress.evaluate((bar) => bar instanceof HTMLProgressElement && bar.value > 0 && bar.value < 1), {
      ms: 10_000,
      what: 'the progress',
    })
    await bob.page.getByRole('button', { name: 'Cancel slow.bin' }).click()
    await bob.page.locator('[data-transfer="slow.bin"]').waitFor({ state: 'detached', ...patience })
    await cdp.detach()
    await until(async () => (await readdir(folder)).length === 0, { ms: 10_000, what: 'nothing of it' })
  })

  it('[WEB-1467] an administrator changes the size of the desktop, opens a link in it, and reads why a broadcast does not start', async () => {
    await annHosts()
    const side = await panel(ann, 'settings')
    await side.locator('input[name=link]').fill(`${desk.url}opened/by-ann`)
    await side.getByRole('button', { name: 'Open', exact: true }).click()
    await desk.report('opened', ({ path }) => path === '/opened/by-ann')
    await panel(bob, 'chat')
    const sizes = side.locator('select[name=resolution]')
    await sizes.selectOption('1024x576@30')
    await bob.page.locator('.event', { hasText: 'ann changed the resolution to 1024 × 576' }).waitFor(patience)
    await until(() => bob.page.locator('neko-view').evaluate((view: NekoView) => view.video.videoWidth === 1024), {
      ms: 15_000,
      what: 'its new size',
    })
    await sizes.selectOption('1280x720@30')
    await until(() => bob.page.locator('neko-view').evaluate((view: NekoView) => view.video.videoWidth === 1280), {
      ms: 15_000,
      what: 'its old size',
    })
    await side.locator('input[name=broadcast]').fill('http://127.0.0.1/live')
    await side.getByRole('button', { name: 'Start' }).click()
    const why = 'That did not work: broadcast URL "http://127.0.0.1/live": must begin with rtmp:// or rtmps:// and name a host'
    await ann.page.locator('.notice', { hasText: why }).waitFor(patience)
  })

  it('[WEB-1468] every pixel is hit at any zoom and density, nothing beside the picture, and the pointer is as large as the picture', async () => {
    await annHosts()
    const cdp = await browser.context.newCDPSession(ann.page)
    for (const [width, height, scale] of [
      [1100, 900, 2],
      [1400, 500, 1.25],
    ] as const) {
      await cdp.send('Emulation.setDeviceMetricsOverride', { width, height, deviceScaleFactor: scale, mobile: false })
      await clickField(ann, target)
      const box = await ann.page.locator('neko-view').evaluate((view) => view.getBoundingClientRect().toJSON())
      const isWide = box.width / box.height > 16 / 9
      desk.forget()
      await ann.page.mouse.click(box.x + (isWide ? 4 : box.width / 2), box.y + (isWide ? box.height / 2 : 4))
      const place = await desk.place(textField.x, textField.y)
      await ann.click(place.x, place.y)
      await desk.report('click', ({ x }) => Math.abs(x - place.x) < 3)
      expect(desk.reports.filter(({ is }) => is === 'click')).toHaveLength(1)
      const cursor = await ann.page
        .locator('neko-view')
        .evaluate((view) => getComputedStyle(view.shadowRoot?.querySelector('textarea') as Element).cursor)
      expect(cursor).toContain('image-set')
    }
    await cdp.send('Emulation.clearDeviceMetricsOverride')
  })

  it('[WEB-1469] the wheel scrolls by pixels and by lines; a key that is held when one goes elsewhere is let go of', async () => {
    await annHosts()
    await clickField(ann, textField)
    const place = await ann.at(...(Object.values(await desk.place(target.x, target.y)) as [number, number]))
    await ann.page.mouse.move(place.x, place.y)
    desk.forget()
    await ann.page.mouse.wheel(0, 300)
    await desk.report('wheel', ({ deltaY }) => deltaY > 0)
    desk.forget()
    await ann.page.locator('neko-view').evaluate((view, { x, y }) => {
      const surface = view.shadowRoot?.querySelector('textarea')
      surface?.dispatchEvent(new WheelEvent('wheel', { deltaY: -3, deltaMode: 1, clientX: x, clientY: y, bubbles: true, cancelable: true }))
    }, place)
    await desk.report('wheel', ({ deltaY }) => deltaY < 0)
    await ann.page.keyboard.down('Shift')
    await ann.page.evaluate(() => dispatchEvent(new Event('blur')))
    await desk.report('released')
    await ann.page.keyboard.up('Shift')
  })

  it('[WEB-1472] where hosting is implicit a click on the picture takes the controls from whoever has them, and arrives', async () => {
    await annHosts()
    await panel(ann, 'settings')
    const implicit = ann.page.getByRole('switch', { name: 'A click on the picture takes control' })
    await implicit.click()
    await bob.page.locator('.room[data-control=free]').waitFor(patience)
    await clickField(bob, target)
    await ann.waitForHost('other')
    expect(await ann.page.locator('.bar .who').textContent()).toContain('bob has the controls')
    await implicit.click()
    await bob.page.getByRole('button', { name: 'Release control' }).click()
    await ann.waitForHost('none')
  })

  it('[WEB-1476] what an input method composes arrives once, when it is chosen', async () => {
    await annHosts()
    await clickField(ann, textField)
    const cdp = await browser.context.newCDPSession(ann.page)
    for (const text of ['n', 'に', 'にほ']) {
      await cdp.send('Input.imeSetComposition', { text, selectionStart: text.length, selectionEnd: text.length })
    }
    await cdp.send('Input.insertText', { text: '日本' })
    const { text } = await desk.report('typed', ({ text: typed }) => typed.endsWith('日本'))
    expect(text).not.toMatch(/[nにほ]/)
  })

  it('[WEB-1471] names, messages and file names of others stay text, whatever is in them', async () => {
    const hostile = `<img src=x onerror="document.title='owned'">\u202Egnp.exe${'W'.repeat(200)}`
    await panel(bob, 'settings')
    await bob.page.locator('input[name=displayname]').evaluate((field) => field.removeAttribute('maxlength'))
    await bob.page.locator('input[name=displayname]').fill(hostile)
    await bob.page.getByRole('button', { name: 'Change' }).click()
    const people = await panel(ann, 'people')
    const row = people.locator('li', { hasText: 'onerror' })
    await row.waitFor(patience)
    expect(await row.locator('bdi').textContent()).toBe(hostile)
    expect(await row.locator('bdi > *').count()).toBe(0)
    expect(await row.evaluate((element) => element.scrollWidth <= element.clientWidth + 1)).toBe(true)
    const long = `**a** <script>document.title='owned'</script> \u202Eevil ${'x'.repeat(9_900)}`
    await bob.page.locator('neko-view').evaluate((view: NekoView, text) => view.client?.chat.say(text), long)
    await bob.page
      .locator('neko-view')
      .evaluate((view: NekoView) =>
        view.client?.files.upload([new File(['x'], `a<b onmouseover=alert(1)>\u202Egpj.exe`, { type: 'text/plain' })]),
      )
    await panel(ann, 'chat')
    const said = ann.page.locator('.said').last()
    await said.locator('strong', { hasText: 'a' }).waitFor(patience)
    const shown = await said.locator('.text').evaluate((element) => ({
      text: element.textContent ?? '',
      scripts: element.querySelectorAll('script, img, b').length,
      fits: element.scrollWidth <= element.clientWidth + 1,
    }))
    expect([shown.scripts, shown.fits, shown.text.startsWith("a <script>document.title='owned'</script>")]).toEqual([0, true, true])
    const files = await panel(ann, 'files')
    await files.locator('li', { hasText: 'onmouseover' }).waitFor(patience)
    expect(await files.locator('.file-list b').count()).toBe(0)
    expect([await ann.page.title(), await bob.page.title()]).toEqual(['neko', 'neko'])
    expect(await ann.page.evaluate(() => document.documentElement.scrollWidth <= innerWidth)).toBe(true)
  })
})
