import { writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { silentLog, until } from '@neko-edge/kit'
import { FakeClock } from '@neko-edge/testing'
import { expect, test } from 'vitest'
import { openX11Desktop } from '../../src/desktop/x11-desktop.ts'
import { openTestDesktop } from './open.fixture.ts'
import { startXorg } from './xorg.fixture.ts'

test('[DSK-70] the X server is killed: told once, input does nothing, questions fail', async () => {
  await using it = await openTestDesktop()
  const reasons: string[] = []
  it.desktop.onClosed((reason) => reasons.push(reason))
  const pending = expect(it.desktop.clipboardText()).rejects.toThrow()
  it.xorg.kill()
  await until(() => reasons.length > 0, { ms: 2_000, what: 'the news' })
  await pending
  it.desktop.move(1, 1)
  it.desktop.key(0xffe1, true)
  it.desktop.key(0xe9, true)
  it.desktop.releaseAll()
  await expect(it.desktop.screenshot(90)).rejects.toMatchObject({ code: 'unavailable' })
  await expect(it.desktop.pointer()).rejects.toMatchObject({ code: 'unavailable' })
  await expect(it.desktop.setScreen({ width: 800, height: 600, rate: 60 })).rejects.toMatchObject({ code: 'unavailable' })
  await expect(it.desktop.setClipboard({ text: 'x' })).rejects.toMatchObject({ code: 'unavailable' })
  await expect(it.desktop.drop(['/tmp/a'], 1, 1)).rejects.toMatchObject({ code: 'unavailable' })
  it.desktop.onClosed((reason) => reasons.push(reason))
  expect(reasons).toHaveLength(2)
})

test('[DSK-71] without the cookie, with a wrong one, or without a server, it says that the display is unavailable', async () => {
  await using xorg = await startXorg()
  const wrong = join(xorg.folder, 'wrong')
  await writeFile(wrong, 'nothing')
  const open = (options: { display: string; authority?: string }) => openX11Desktop({ ...options, log: silentLog })
  await expect(open({ display: xorg.display })).rejects.toMatchObject({ code: 'unavailable' })
  await expect(open({ display: xorg.display, authority: wrong })).rejects.toMatchObject({ code: 'unavailable' })
  await expect(open({ display: xorg.display, authority: `${wrong}-not` })).rejects.toMatchObject({ code: 'unavailable' })
  await expect(open({ display: ':31999', authority: xorg.authority })).rejects.toMatchObject({ code: 'unavailable' })
})

test('[DSK-72] closing leaves no timer, and may be done twice', async () => {
  const clock = new FakeClock()
  await using it = await openTestDesktop({ clock })
  await it.desktop[Symbol.asyncDispose]()
  await it.desktop[Symbol.asyncDispose]()
  expect(clock.pending).toBe(0)
})

test('[DSK-73] fingers reach the touch driver’s socket, scaled; forgotten ones are lifted after 10 s', async () => {
  const clock = new FakeClock()
  await using xorg = await startXorg()
  const path = join(xorg.folder, 'touch')
  const received: Buffer[] = []
  const server = createServer((socket) => socket.on('data', (chunk) => received.push(chunk)))
  await new Promise<void>((resolve) => server.listen(path, resolve))
  await using _server = { [Symbol.asyncDispose]: async () => void server.close() }
  await using desktop = await openX11Desktop({ display: xorg.display, authority: xorg.authority, log: silentLog, clock, touchSocket: path })
  const bytes = () => Buffer.concat(received)
  const message = (index: number) => {
    const at = bytes().subarray(index * 12)
    return [at.readUInt8(0), at.readUInt16LE(1), at.readInt32LE(3), at.readInt32LE(7), at.readUInt8(11)]
  }
  expect(desktop.isTouchSupported).toBe(true)
  expect(desktop.touch({ kind: 'update', id: 7, x: 0, y: 0, pressure: 0 })).toBe(false)
  expect(desktop.touch({ kind: 'begin', id: 7, x: 640, y: 360, pressure: 255 })).toBe(true)
  expect(desktop.touch({ kind: 'begin', id: 7, x: 640, y: 360, pressure: 255 })).toBe(false)
  expect(desktop.touch({ kind: 'update', id: 7, x: 100_000, y: -4, pressure: 999 })).toBe(true)
  expect(desktop.touch({ kind: 'end', id: 7, x: 1, y: 1, pressure: 0 })).toBe(true)
  expect(desktop.touch({ kind: 'begin', id: 8, x: 0, y: 0, pressure: 1 })).toBe(true)
  clock.advance(11_000)
  await until(() => bytes().length === 60, { ms: 2_000, what: 'five messages' })
  expect([0, 1, 2, 3, 4].map(message)).toEqual([
    [18, 7, 32_767, 32_767, 255],
    [19, 7, 65_483, 0, 255],
    [20, 7, 51, 91, 0],
    [18, 8, 0, 0, 1],
    [20, 8, -1, -1, 0],
  ])
})

test('[DSK-74] without the touch driver there is no touch, and trying is harmless', async () => {
  await using it = await openTestDesktop({ touchSocket: '/nonexistent/neko.sock' })
  expect(it.desktop.isTouchSupported).toBe(false)
  expect(it.desktop.touch({ kind: 'begin', id: 1, x: 1, y: 1, pressure: 1 })).toBe(false)
})
