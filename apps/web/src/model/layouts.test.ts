import { describe, expect, it } from 'vitest'
import { detectLayout, layouts } from './layouts.ts'

const us = { KeyQ: 'q', KeyY: 'y', Semicolon: ';' }
const keys = (more: Readonly<Record<string, string>>) => new Map(Object.entries({ ...us, ...more }))

describe('detectLayout', () => {
  it('[WEB-149] what the keys write counts before the languages', () => {
    expect(detectLayout(keys({}), ['de-DE', 'en'])).toBe('us')
    expect(detectLayout(keys({ KeyY: 'z', Semicolon: 'ö' }), ['en'])).toBe('de')
    expect(detectLayout(keys({ KeyY: 'z', Semicolon: 'é' }), ['fr-CH', 'de'])).toBe('ch')
    expect(detectLayout(keys({ KeyQ: 'a' }), ['fr-BE'])).toBe('be')
    expect(detectLayout(keys({ Semicolon: 'ö' }), ['fi-FI'])).toBe('fi')
    expect(detectLayout(keys({ Semicolon: 'ñ' }), ['en'])).toBe('es')
  })

  it('[WEB-149] without the keys the first language that has a layout decides', () => {
    expect(detectLayout(undefined, ['en-GB'])).toBe('gb')
    expect(detectLayout(undefined, ['xx', 'pt-BR'])).toBe('br')
    expect(detectLayout(undefined, [])).toBeUndefined()
  })

  it('[WEB-149] every layout that can be detected can be chosen', () => {
    const known = new Set(layouts.map(([code]) => code))
    for (const tag of ['ar', 'cs', 'da', 'de-CH', 'el', 'he', 'ja', 'ko', 'nb', 'sl', 'sr', 'uk', 'tr']) {
      expect(known).toContain(detectLayout(undefined, [tag]))
    }
  })
})
