import { expect, test } from 'vitest'
import { masksFor, modifiersIn } from './modifiers.ts'

test('[DSK-93] modifiers and X’s mask are the same thing said twice', () => {
  for (let mask = 0; mask < 256; mask++) {
    expect(masksFor(modifiersIn(mask))).toEqual({ affected: 255, locked: mask })
  }
  expect(masksFor({ capslock: true, altgr: false })).toEqual({ affected: 130, locked: 2 })
  expect(masksFor({})).toEqual({ affected: 0, locked: 0 })
})
