import { expect, test } from 'vitest'
import type { Extension } from 'x11'
import { EventInbox } from '../../src/desktop/event-inbox.ts'
import { openTestDesktop } from './open.fixture.ts'
import type { TestWindow } from './test-window.fixture.ts'

const shift = 0xffe1
const control = 0xffe3
const alt = 0xffe9
const altGr = 0xfe03
const tab = 0xff09
const isoLeftTab = 0xfe20
const han = 0x0100_4e2d

/** Lets the window hear of keys through XInput 2 alone, as GTK 3 and Firefox do; gives the next such keycode. */
async function listenWithXInput2({ connection, id }: TestWindow): Promise<() => Promise<number>> {
  const { majorOpcode } = await connection.ask<Extension>('XInput', (x, callback) => x.QueryExtension('XInputExtension', callback))
  const version = Buffer.from([majorOpcode, 47, 2, 0, 2, 0, 2, 0])
  await connection.askRaw('the version of XInput', version, () => undefined)
  const select = Buffer.alloc(20)
  select.set([majorOpcode, 46, 5, 0])
  select.writeUInt32LE(id, 4)
  select.writeUInt16LE(1, 8)
  // All master devices, one word of mask: KeyPress (2).
  select.writeUInt16LE(1, 12)
  select.writeUInt16LE(1, 14)
  select.writeUInt32LE(1 << 2, 16)
  connection.send((x) => {
    x.ChangeWindowAttributes(id, { eventMask: 0 })
    x.seq_num++
    x.pack_stream.put(select)
    x.pack_stream.submit()
  })
  await connection.settle()
  const inbox = new EventInbox(connection, (event): event is Extract<typeof event, { name?: undefined }> => event.rawData[0] === 35)
  return async () => (await inbox.next(2_000, 'an XInput 2 key')).rawData.readUInt32LE(16)
}

test('[DSK-10] a key goes down and up as the keysym that was asked for; repeats are swallowed', async () => {
  await using it = await openTestDesktop()
  const window = await it.openWindow()
  it.desktop.key(0x61, true)
  it.desktop.key(0x61, true)
  it.desktop.key(0x61, false)
  it.desktop.key(0x61, false)
  it.desktop.key(0x62, true)
  const events = [await window.nextKey(), await window.nextKey(), await window.nextKey()]
  expect(events.map(({ is, keysym }) => [is, keysym])).toEqual([
    ['down', 0x61],
    ['up', 0x61],
    ['down', 0x62],
  ])
})

test('[DSK-11] Shift and then A presses the key of a, not a borrowed one', async () => {
  await using it = await openTestDesktop()
  const window = await it.openWindow()
  it.desktop.key(shift, true)
  it.desktop.key(0x41, true)
  it.desktop.key(shift, false)
  it.desktop.key(0x41, false)
  it.desktop.key(0x61, true)
  const events = [await window.nextKey(), await window.nextKey(), await window.nextKey(), await window.nextKey(), await window.nextKey()]
  expect(events).toEqual([
    { is: 'down', keysym: shift, mods: 0 },
    { is: 'down', keysym: 0x41, mods: 1 },
    { is: 'up', keysym: shift, mods: 1 },
    { is: 'up', keysym: 0x61, mods: 0 },
    { is: 'down', keysym: 0x61, mods: 0 },
  ])
})

test('[DSK-12] keys that the layout lacks arrive, with and without Shift', async () => {
  await using it = await openTestDesktop()
  const window = await it.openWindow()
  const wanted = [0xe9, 0xdf, han, 0x41, 0x1008_ff13, 0x0101_f600, 0x0100_0416]
  for (const keysym of wanted) {
    it.desktop.key(keysym, true)
    it.desktop.key(keysym, false)
  }
  expect(await window.nextPresses(wanted.length)).toEqual(wanted)
  it.desktop.key(shift, true)
  it.desktop.key(0xe9, true)
  expect(await window.nextPresses(2)).toEqual([shift, 0xe9])
  expect(it.warnings).toEqual([])
})

test('[DSK-13] foreign keys are recycled, the one used longest ago first, and never one that is held', async () => {
  await using it = await openTestDesktop()
  const window = await it.openWindow()
  it.desktop.key(han, true)
  expect(await window.nextPresses(1)).toEqual([han])
  for (let i = 1; i <= 200; i++) {
    it.desktop.key(han + i, true)
    it.desktop.key(han + i, false)
    expect(await window.nextPresses(1)).toEqual([han + i])
  }
  it.desktop.key(han, false)
  for (;;) {
    const { is, keysym } = await window.nextKey()
    if (is === 'up' && keysym === han) {
      break
    }
  }
  expect(it.warnings).toEqual([])
})

test('[DSK-14] Tab under Shift is the same key', async () => {
  await using it = await openTestDesktop()
  const window = await it.openWindow()
  it.desktop.key(shift, true)
  it.desktop.key(tab, true)
  expect(await window.nextPresses(2)).toEqual([shift, isoLeftTab])
})

test('[DSK-15] a chord: everything that was down is released, then the keys together', async () => {
  await using it = await openTestDesktop()
  const window = await it.openWindow()
  it.desktop.key(0x78, true)
  await it.desktop.press(control, alt, 0x63)
  const events = []
  while (events.length < 8) {
    events.push(await window.nextKey())
  }
  expect(events.map(({ is, keysym, mods }) => [is, keysym, mods])).toEqual([
    ['down', 0x78, 0],
    ['up', 0x78, 0],
    ['down', control, 0],
    ['down', alt, 4],
    ['down', 0x63, 12],
    ['up', 0x63, 12],
    ['up', alt, 12],
    ['up', control, 4],
  ])
})

test('[DSK-16] applications that listen to XInput 2 alone get keys, borrowed ones as well', async () => {
  await using it = await openTestDesktop()
  const window = await it.openWindow()
  const nextKeycode = await listenWithXInput2(window)
  it.desktop.key(0x61, true)
  expect(await nextKeycode()).toBe(38)
  it.desktop.key(han, true)
  expect(await nextKeycode()).toBeGreaterThan(8)
})

test('[DSK-17] another layout is loaded, told, and keys are looked up in it', async () => {
  await using it = await openTestDesktop()
  const window = await it.openWindow()
  expect(await it.desktop.keyboardMap()).toEqual({ layout: 'us', variant: '' })
  await it.desktop.setKeyboardMap({ layout: 'de', variant: 'nodeadkeys' })
  expect(await it.desktop.keyboardMap()).toEqual({ layout: 'de', variant: 'nodeadkeys' })
  // On a German keyboard: ß has a key, z is where y was, @ is AltGr and q.
  it.desktop.key(0xdf, true)
  it.desktop.key(0x7a, true)
  it.desktop.releaseAll()
  it.desktop.key(altGr, true)
  it.desktop.key(0x40, true)
  expect(await window.nextPresses(4)).toEqual([0xdf, 0x7a, altGr, 0x40])
})

test('[DSK-18] a Russian layout is found for the characters that a client names in Unicode', async () => {
  await using it = await openTestDesktop()
  const window = await it.openWindow()
  await it.desktop.setKeyboardMap({ layout: 'ru', variant: '' })
  it.desktop.key(0x0100_0444, true)
  // The layout names the letter Cyrillic_ef: the client's name for it did not need a borrowed key.
  expect(await window.nextPresses(1)).toEqual([0x06c6])
})

test('[DSK-19] borrowed keys work again after the layout was replaced', async () => {
  await using it = await openTestDesktop()
  const window = await it.openWindow()
  for (const layout of ['us', 'fr', 'us']) {
    await it.desktop.setKeyboardMap({ layout, variant: '' })
    it.desktop.key(han, true)
    it.desktop.key(han, false)
    expect(await window.nextPresses(1)).toEqual([han])
  }
})

test('[DSK-20] layouts that are malformed or unknown are refused, and the old one stays', async () => {
  await using it = await openTestDesktop()
  await expect(it.desktop.setKeyboardMap({ layout: '-print', variant: '' })).rejects.toMatchObject({ code: 'invalid' })
  await expect(it.desktop.setKeyboardMap({ layout: 'nowhere', variant: '' })).rejects.toMatchObject({ code: 'unprocessable' })
  expect(await it.desktop.keyboardMap()).toEqual({ layout: 'us', variant: '' })
})

test('[DSK-21] modifiers are locked and unlocked one by one, and told as they are', async () => {
  await using it = await openTestDesktop()
  const none = { shift: false, capslock: false, control: false, alt: false, numlock: false, meta: false, super: false, altgr: false }
  expect(await it.desktop.modifiers()).toEqual(none)
  await it.desktop.setModifiers({ capslock: true, numlock: true })
  await it.desktop.setModifiers({ capslock: false, alt: false })
  expect(await it.desktop.modifiers()).toEqual({ ...none, numlock: true })
  it.desktop.key(shift, true)
  expect(await it.desktop.modifiers()).toEqual({ ...none, numlock: true, shift: true })
})

test('[DSK-22] a key that stays down repeats, by the X server', async () => {
  await using it = await openTestDesktop()
  const window = await it.openWindow()
  it.desktop.key(0x61, true)
  expect(await window.nextPresses(3)).toEqual([0x61, 0x61, 0x61])
})

test('[DSK-23] keys are numbered as evdev does, which browsers take for their physical position', async () => {
  await using it = await openTestDesktop()
  const window = await it.openWindow()
  const nextKeycode = await listenWithXInput2(window)
  it.desktop.key(0xff52, true)
  expect(await nextKeycode()).toBe(111)
})

test('[DSK-24] every application hears of a new keyboard when a key is borrowed', async () => {
  await using it = await openTestDesktop()
  const { connection } = await it.openWindow()
  const inbox = new EventInbox(connection, (event): event is Extract<typeof event, { name: 'XkbEvent' }> => event.name === 'XkbEvent')
  // NewKeyboardNotify alone, as Chromium.
  connection.send(() => connection.xkb.SelectEvents(connection.xkb.UseCoreKbd, 1, 0, 1, 0, 0))
  await connection.settle()
  it.desktop.key(han, true)
  expect((await inbox.next(2_000, 'the news')).xkbType).toBe(0)
  expect(it.warnings).toEqual([])
})
