import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Keyboard, type KeyEventLike } from './keyboard.ts'

type Flags = Partial<KeyEventLike> & { on?: readonly string[] }

function setUp({ mac = false }: { mac?: boolean } = {}) {
  const said: string[] = []
  const locks: { capslock: boolean; numlock: boolean }[] = []
  const keyboard = new Keyboard({
    mac,
    press: (keysym, down) => said.push(`${down ? '+' : '-'}${keysym.toString(16)}`),
    locks: (state) => locks.push(state),
  })
  const event = (key: string, code: string, { on = [], ...flags }: Flags = {}): KeyEventLike => ({
    key,
    code,
    location: code.endsWith('Right') ? 2 : code.endsWith('Left') ? 1 : 0,
    ctrlKey: false,
    shiftKey: false,
    altKey: false,
    metaKey: false,
    isComposing: false,
    repeat: false,
    getModifierState: (name) => on.includes(name),
    ...flags,
  })
  return {
    keyboard,
    locks,
    down: (key: string, code: string, flags?: Flags) => keyboard.down(event(key, code, flags)),
    up: (key: string, code: string, flags?: Flags) => keyboard.up(event(key, code, flags)),
    /** What was pressed and let go since the last look. */
    said: () => said.splice(0).join(' '),
  }
}

describe('Keyboard', () => {
  it('[WEB-10] a key lets go of what it pressed, also when it means something else by then', () => {
    const { down, up, said } = setUp()
    down('Shift', 'ShiftLeft', { shiftKey: true })
    down('A', 'KeyA', { shiftKey: true })
    up('Shift', 'ShiftLeft')
    up('a', 'KeyA')
    expect(said()).toBe('+ffe1 +41 -ffe1 -41')
  })

  it('[WEB-11] repeats of a held key are swallowed: the desktop repeats by itself', () => {
    const { down, up, said } = setUp()
    down('x', 'KeyX')
    expect(down('x', 'KeyX', { repeat: true })).toBe(true)
    up('x', 'KeyX')
    expect(said()).toBe('+78 -78')
  })

  it('[WEB-12] dead keys and input methods are left to the browser, and what they compose is typed', () => {
    const { keyboard, down, said } = setUp()
    expect(down('Dead', 'Equal')).toBe(false)
    expect(down('e', 'KeyE', { isComposing: true })).toBe(false)
    expect(down('Process', 'KeyN')).toBe(false)
    expect(said()).toBe('')
    keyboard.type('é中\n')
    expect(said()).toBe('+e9 -e9 +1004e2d -1004e2d +ff0d -ff0d')
  })

  it('[WEB-13] AltGr makes a character: the character goes, without AltGr, and without the Control that Windows adds', () => {
    const { down, up, said } = setUp()
    down('Control', 'ControlLeft', { ctrlKey: true })
    down('AltGraph', 'AltRight', { ctrlKey: true, altKey: true, on: ['AltGraph'] })
    down('@', 'KeyQ', { ctrlKey: true, altKey: true, on: ['AltGraph'] })
    up('@', 'KeyQ', { ctrlKey: true, altKey: true, on: ['AltGraph'] })
    up('AltGraph', 'AltRight')
    up('Control', 'ControlLeft')
    expect(said()).toBe('+ffe3 -ffe3 +fe03 -fe03 +40 -40')
  })

  it('[WEB-14] on a Mac a key under Command is pressed and let go at once, since its release is never told', () => {
    const { down, up, said } = setUp({ mac: true })
    down('Meta', 'MetaLeft', { metaKey: true })
    down('c', 'KeyC', { metaKey: true })
    up('Meta', 'MetaLeft')
    expect(said()).toBe('+ffe3 +63 -63 -ffe3')
  })

  it('[WEB-14] on a Mac Option makes a character: the character goes without it', () => {
    const { down, up, said } = setUp({ mac: true })
    down('Alt', 'AltLeft', { altKey: true })
    down('@', 'KeyL', { altKey: true })
    up('@', 'KeyL', { altKey: true })
    up('Alt', 'AltLeft')
    expect(said()).toBe('+fe03 -fe03 +40 -40')
  })

  it('[WEB-15] modifiers follow the flags: one released elsewhere is let go, one pressed elsewhere is pressed', () => {
    const { down, up, said } = setUp()
    down('Control', 'ControlLeft', { ctrlKey: true })
    down('a', 'KeyA')
    up('a', 'KeyA')
    expect(said()).toBe('+ffe3 -ffe3 +61 -61')
    down('c', 'KeyC', { ctrlKey: true })
    up('c', 'KeyC', { ctrlKey: true })
    up('Control', 'ControlLeft')
    expect(said()).toBe('+ffe3 +63 -63 -ffe3')
  })

  it('[WEB-16] Caps and Num Lock are told by their state, never as keys', () => {
    const { keyboard, locks, down, up, said } = setUp()
    down('a', 'KeyA', { on: ['NumLock'] })
    up('a', 'KeyA', { on: ['NumLock'] })
    down('CapsLock', 'CapsLock', { on: ['NumLock', 'CapsLock'] })
    up('CapsLock', 'CapsLock', { on: ['NumLock', 'CapsLock'] })
    expect(locks).toEqual([
      { capslock: false, numlock: true },
      { capslock: true, numlock: true },
    ])
    expect(said()).toBe('+61 -61')
    keyboard.forgetLocks()
    down('b', 'KeyB', { on: ['NumLock', 'CapsLock'] })
    expect(locks).toHaveLength(3)
  })

  it('[WEB-17] nothing stays held after releaseAll, whatever was typed', () => {
    const keys = fc.constantFrom<[string, string]>(
      ['a', 'KeyA'],
      ['Control', 'ControlLeft'],
      ['Shift', 'ShiftRight'],
      ['Alt', 'AltLeft'],
      ['AltGraph', 'AltRight'],
      ['Meta', 'MetaLeft'],
      ['F5', 'F5'],
      ['é', 'Digit2'],
    )
    const strokes = fc.array(fc.tuple(keys, fc.boolean(), fc.boolean(), fc.boolean(), fc.boolean()), { maxLength: 40 })
    fc.assert(
      fc.property(strokes, fc.boolean(), (all, mac) => {
        const { keyboard, down, up, said } = setUp({ mac })
        for (const [[key, code], isDown, ctrlKey, shiftKey, altKey] of all) {
          const act = isDown ? down : up
          act(key, code, { ctrlKey, shiftKey, altKey })
        }
        keyboard.releaseAll()
        const held = new Map<string, number>()
        for (const item of said().split(' ').filter(Boolean)) {
          held.set(item.slice(1), (held.get(item.slice(1)) ?? 0) + (item.startsWith('+') ? 1 : -1))
        }
        expect([...held.values()].every((count) => count === 0)).toBe(true)
      }),
    )
  })
})
