import { until } from '@neko-edge/kit'
import sharp from 'sharp'
import { expect, test } from 'vitest'
import type { CursorImage, ScreenSize } from '../../src/desktop/desktop.ts'
import { openTestDesktop } from './open.fixture.ts'
import type { TestWindow } from './test-window.fixture.ts'

test('[DSK-30] a size that X does not know is made, and told to listeners', async () => {
  await using it = await openTestDesktop()
  const seen: ScreenSize[] = []
  it.desktop.onScreen((size) => seen.push(size))
  expect(it.desktop.screen()).toEqual({ width: 1280, height: 720, rate: 30 })
  const wanted = { width: 1000, height: 700, rate: 50 }
  expect(await it.desktop.setScreen(wanted)).toEqual(wanted)
  expect(it.desktop.screen()).toEqual(wanted)
  expect(await it.desktop.setScreen({ width: 1927, height: 1081, rate: 0 })).toEqual({ width: 1920, height: 1081, rate: 60 })
  // Made before: no second mode of the same name.
  expect(await it.desktop.setScreen(wanted)).toEqual(wanted)
  expect(seen).toEqual([wanted, { width: 1920, height: 1081, rate: 60 }, wanted])
  expect(it.warnings).toEqual([])
})

test('[DSK-31] sizes that cannot be are refused, and the old one stays', async () => {
  await using it = await openTestDesktop()
  for (const size of [
    { width: 0, height: 0, rate: 60 },
    { width: 40_000, height: 700, rate: 60 },
    { width: 1000, height: 700.5, rate: 60 },
    { width: 800, height: 600, rate: -1 },
    { width: 64, height: 64, rate: 10 },
  ]) {
    await expect(it.desktop.setScreen(size)).rejects.toMatchObject({ code: 'unprocessable' })
  }
  expect(it.desktop.screen()).toEqual({ width: 1280, height: 720, rate: 30 })
})

test('[DSK-32] the list is that of the start: sorted, nothing above 60 Hz, above 30 only tens', async () => {
  await using it = await openTestDesktop()
  const list = it.desktop.configurations()
  expect(list).toContainEqual({ width: 1920, height: 1080, rate: 60 })
  expect(list).toContainEqual({ width: 1280, height: 720, rate: 30 })
  expect(list.filter(({ rate }) => rate > 60 || (rate > 30 && rate % 10 !== 0))).toEqual([])
  expect(list).toEqual(list.toSorted((a, b) => b.width - a.width || b.height - a.height || b.rate - a.rate))
  await it.desktop.setScreen({ width: 1000, height: 700, rate: 50 })
  expect(it.desktop.configurations()).toEqual(list)
})

test('[DSK-33] changes asked for together are made one after the other', async () => {
  await using it = await openTestDesktop()
  const sizes = [1024, 1280, 1600].map((width) => ({ width, height: 768, rate: 25 }))
  expect(await Promise.all(sizes.map((size) => it.desktop.setScreen(size)))).toEqual(sizes)
  expect(it.desktop.screen()).toEqual(sizes[2])
})

test('[DSK-34] a screenshot is a JPEG of what is on the screen, in its size and quality', async () => {
  await using it = await openTestDesktop()
  await it.openWindow()
  await it.desktop.setScreen({ width: 800, height: 600, rate: 60 })
  const jpeg = await it.desktop.screenshot(90)
  const { width, height, format } = await sharp(jpeg).metadata()
  expect({ width, height, format }).toEqual({ width: 800, height: 600, format: 'jpeg' })
  const { channels } = await sharp(jpeg).stats()
  for (const [i, level] of [0x20, 0x40, 0x80].entries()) {
    // JPEG is lossy.
    expect(Math.abs((channels[i]?.mean ?? 0) - level)).toBeLessThan(3)
  }
  expect((await it.desktop.screenshot(500)).length).toBeGreaterThan((await it.desktop.screenshot(-3)).length)
})

/** A cursor of one colour, 16 × 16, as the window's. */
function showCursor({ connection, id }: TestWindow, colour: { R: number; G: number; B: number }): void {
  connection.send((x) => {
    const [bitmap, gc, cursor] = [x.AllocID(), x.AllocID(), x.AllocID()]
    x.CreatePixmap(bitmap, id, 1, 16, 16)
    x.CreateGC(gc, bitmap, { foreground: 1 })
    x.PolyFillRectangle(bitmap, gc, [0, 0, 16, 16])
    x.CreateCursor(cursor, bitmap, bitmap, colour, colour, 3, 5)
    x.ChangeWindowAttributes(id, { cursor })
  })
}

test('[DSK-35] the cursor is known from the start, and each new one is told once, as a PNG', async () => {
  await using it = await openTestDesktop()
  const window = await it.openWindow()
  expect(it.desktop.cursor()?.png.length).toBeGreaterThan(0)
  const seen: CursorImage[] = []
  it.desktop.onCursor((image) => seen.push(image))
  showCursor(window, { R: 0xffff, G: 0x8080, B: 0 })
  await until(() => seen.length === 1, { ms: 2_000, what: 'the cursor' })
  showCursor(window, { R: 0, G: 0, B: 0xffff })
  await until(() => seen.length === 2, { ms: 2_000, what: 'the next cursor' })
  const [first, second] = seen
  expect(first).toMatchObject({ width: 16, height: 16, hotX: 3, hotY: 5 })
  expect(it.desktop.cursor()).toBe(second)
  expect(second?.serial).not.toBe(first?.serial)
  const pixels = await sharp(first?.png).raw().toBuffer({ resolveWithObject: true })
  expect(pixels.info).toMatchObject({ width: 16, height: 16, channels: 4 })
  expect([...pixels.data.subarray(0, 4)]).toEqual([0xff, 0x80, 0, 0xff])
})
