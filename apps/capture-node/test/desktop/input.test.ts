import { until } from '@neko-edge/kit'
import { FakeClock } from '@neko-edge/testing'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { openTestDesktop } from './open.fixture.ts'
import type { TestWindow } from './test-window.fixture.ts'

const shift = 0xffe1
const control = 0xffe3

/** What the X server itself says is down: the buttons and modifiers of the pointer's state. */
async function serverState({ connection }: TestWindow): Promise<number> {
  const { keyMask } = await connection.ask<{ keyMask: number }>('the pointer', (x, callback) => x.QueryPointer(connection.root, callback))
  return keyMask
}

test('[DSK-1] the pointer goes to the pixel, and X keeps it on the screen', async () => {
  await using it = await openTestDesktop()
  it.desktop.move(321, 234)
  expect(await it.desktop.pointer()).toEqual({ x: 321, y: 234 })
  it.desktop.move(1_000_000, -7)
  expect(await it.desktop.pointer()).toEqual({ x: 1279, y: 0 })
})

test('[DSK-2] a button arrives where the pointer is; one that comes again before it went up is let go first', async () => {
  await using it = await openTestDesktop()
  const window = await it.openWindow()
  it.desktop.move(50, 60)
  it.desktop.button(1, true)
  it.desktop.button(1, true)
  it.desktop.button(3, false)
  it.desktop.button(1, false)
  it.desktop.pressButton(9)
  const events = []
  while (events.length < 7) {
    events.push(await window.nextButton())
  }
  expect(events.map(({ is, code, x, y }) => [is, code, x, y])).toEqual([
    ['MotionNotify', 0, 50, 60],
    ['ButtonPress', 1, 50, 60],
    ['ButtonRelease', 1, 50, 60],
    ['ButtonPress', 1, 50, 60],
    ['ButtonRelease', 1, 50, 60],
    ['ButtonPress', 9, 50, 60],
    ['ButtonRelease', 9, 50, 60],
  ])
})

test('[DSK-3] the wheel clicks as often as asked, vertical first, at most 100 times, with Control where asked', async () => {
  await using it = await openTestDesktop()
  const window = await it.openWindow()
  const clicks = async (count: number) => {
    const seen = []
    while (seen.length < count) {
      const { is, code, mods } = await window.nextButton()
      if (is === 'ButtonPress') {
        seen.push([code, mods])
      }
    }
    return seen
  }
  it.desktop.scroll(-1, 2, false)
  expect(await clicks(3)).toEqual([
    [4, 0],
    [4, 0],
    [7, 0],
  ])
  it.desktop.scroll(1, -1, true)
  expect(await clicks(2)).toEqual([
    [5, 4],
    [6, 4],
  ])
  it.desktop.scroll(0, 32_767, false)
  it.desktop.button(2, true)
  expect(await clicks(101)).toEqual([...Array.from({ length: 100 }, () => [4, 0]), [2, 0]])
})

test('[DSK-4] scrolling with Control leaves a Control that was locked before', async () => {
  await using it = await openTestDesktop()
  await it.desktop.setModifiers({ control: true })
  it.desktop.scroll(0, 1, true)
  expect((await it.desktop.modifiers()).control).toBe(true)
})

test('[DSK-5] what is held for 10 s is released by itself', async () => {
  const clock = new FakeClock()
  await using it = await openTestDesktop({ clock })
  const window = await it.openWindow()
  it.desktop.key(shift, true)
  it.desktop.button(1, true)
  await it.desktop.pointer()
  expect(await serverState(window)).toBe(0x101)
  clock.advance(9_000)
  it.desktop.key(shift, true)
  await it.desktop.pointer()
  expect(await serverState(window)).toBe(0x101)
  clock.advance(2_000)
  await until(async () => (await serverState(window)) === 0, { ms: 2_000, what: 'the release' })
})

test('[DSK-6] a desktop that closes lets go of everything', async () => {
  await using it = await openTestDesktop()
  const window = await it.openWindow()
  it.desktop.key(control, true)
  it.desktop.button(1, true)
  await it.desktop.pointer()
  await it.desktop[Symbol.asyncDispose]()
  await until(async () => (await serverState(window)) === 0, { ms: 2_000, what: 'the release' })
})

test('[DSK-7] whatever is pressed and released, nothing is down after releaseAll', { timeout: 60_000 }, async () => {
  await using it = await openTestDesktop()
  const window = await it.openWindow()
  const pressed = async () => {
    const keymap = await window.connection.ask<Buffer>('the keys', (x, callback) => x.QueryKeymap(callback))
    return keymap.some((byte) => byte !== 0) || (await serverState(window)) !== 0
  }
  const keysym = fc.constantFrom(
    shift,
    0xffe2,
    control,
    0xffe9,
    0xffeb,
    0xfe03,
    0x61,
    0x41,
    0xe9,
    0xdf,
    0x0100_4e2d,
    0xff0d,
    0xff09,
    0xfe20,
  )
  const action = fc.oneof(
    fc.record({ on: fc.constant('key' as const), code: keysym, isDown: fc.boolean() }),
    fc.record({ on: fc.constant('button' as const), code: fc.integer({ min: 0, max: 9 }), isDown: fc.boolean() }),
  )
  await fc.assert(
    fc.asyncProperty(fc.array(action, { maxLength: 40 }), async (actions) => {
      for (const { on, code, isDown } of actions) {
        it.desktop[on](code, isDown)
      }
      it.desktop.releaseAll()
      await it.desktop.pointer()
      expect(await pressed()).toBe(false)
    }),
    { numRuns: 60 },
  )
})
