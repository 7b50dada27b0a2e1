import { randomBytes } from 'node:crypto'
import { systemClock, until } from '@neko-edge/kit'
import { expect, test } from 'vitest'
import { type Offer, SelectionOwner } from '../../src/desktop/selection-owner.ts'
import { SelectionReader } from '../../src/desktop/selection-reader.ts'
import { openTestDesktop, type TestDesktop } from './open.fixture.ts'

const selection = 'CLIPBOARD'
const png = randomBytes(1_000_000)

/** Another application's side of the clipboard. */
async function otherApplication(
  it: TestDesktop,
): Promise<{ copy: (...offers: Offer[]) => Promise<unknown>; paste: (target: string) => Promise<Buffer>; owner: SelectionOwner }> {
  const { connection } = await it.openWindow()
  const owner = await SelectionOwner.open(connection, { selection, clock: systemClock })
  const reader = await SelectionReader.open(connection)
  return { owner, copy: (...offers) => owner.own(offers), paste: (target) => reader.read(selection, target) }
}

test('[DSK-40] text, HTML and an image of 1 MB are set at once, and applications take what they like', async () => {
  await using it = await openTestDesktop()
  const { paste } = await otherApplication(it)
  await it.desktop.setClipboard({ text: 'grüß 中', html: '<b>grüß</b>', image: { mime: 'image/png', bytes: png } })
  expect((await paste('UTF8_STRING')).toString()).toBe('grüß 中')
  expect((await paste('text/plain;charset=utf-8')).toString()).toBe('grüß 中')
  expect((await paste('STRING')).toString('latin1')).toBe('grüß ?')
  expect((await paste('text/html')).toString()).toBe('<b>grüß</b>')
  expect((await paste('image/png')).equals(png)).toBe(true)
  expect((await paste('TIMESTAMP')).readUInt32LE(0)).toBeGreaterThan(0)
  await expect(paste('image/jpeg')).rejects.toMatchObject({ code: 'notFound' })
  expect(it.warnings).toEqual([])
})

test('[DSK-41] what an application copied is read: text, HTML, an image of 1 MB and the list of its kinds', async () => {
  await using it = await openTestDesktop()
  const { copy } = await otherApplication(it)
  const utf16 = Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from('<i>ü</i>', 'utf16le')])
  await copy(
    { target: 'UTF8_STRING', bytes: Buffer.from('häh') },
    { target: 'text/html', bytes: utf16 },
    { target: 'image/png', bytes: png },
  )
  expect(await it.desktop.clipboardText()).toBe('häh')
  expect(await it.desktop.clipboardHtml()).toBe('<i>ü</i>')
  expect(Buffer.from(await it.desktop.clipboardData('image/png')).equals(png)).toBe(true)
  expect(await it.desktop.clipboardTargets()).toEqual(['text/html', 'image/png'])
})

test('[DSK-42] every new owner of the clipboard is told, ourselves too', async () => {
  await using it = await openTestDesktop()
  const { copy } = await otherApplication(it)
  let changes = 0
  it.desktop.onClipboard(() => changes++)
  await it.desktop.setClipboard({ text: 'one' })
  await until(() => changes === 1, { ms: 2_000, what: 'our own change' })
  await copy({ target: 'UTF8_STRING', bytes: Buffer.from('two') })
  await until(() => changes === 2, { ms: 2_000, what: 'the change of the application' })
  expect(await it.desktop.clipboardText()).toBe('two')
})

test('[DSK-43] an empty clipboard: no text, no kinds, empty HTML', async () => {
  await using it = await openTestDesktop()
  await it.desktop.setClipboard({ text: 'gone soon' })
  await it.desktop.setClipboard({})
  await expect(it.desktop.clipboardText()).rejects.toMatchObject({ code: 'notFound' })
  await expect(it.desktop.clipboardData('image/png')).rejects.toMatchObject({ code: 'notFound' })
  await expect(it.desktop.clipboardData('no type')).rejects.toMatchObject({ code: 'invalid' })
  expect(await it.desktop.clipboardTargets()).toEqual([])
  expect(await it.desktop.clipboardHtml()).toBe('')
})

test('[DSK-44] an owner that never answers costs three seconds, not for ever', { timeout: 15_000 }, async () => {
  await using it = await openTestDesktop()
  const window = await it.openWindow()
  const atom = await window.connection.atom(selection)
  window.connection.send((x) => x.SetSelectionOwner(window.id, atom, 0))
  await window.connection.settle()
  await expect(it.desktop.clipboardText()).rejects.toMatchObject({ code: 'timeout' })
})

test('[DSK-45] several readings at once do not get in each other’s way', async () => {
  await using it = await openTestDesktop()
  const { copy } = await otherApplication(it)
  await copy({ target: 'UTF8_STRING', bytes: Buffer.from('text') }, { target: 'image/png', bytes: png })
  const all = await Promise.all([it.desktop.clipboardData('image/png'), it.desktop.clipboardText(), it.desktop.clipboardData('image/png')])
  expect(all.map((part) => part.length)).toEqual([png.length, 4, png.length])
})
