import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { xorgConfig } from './xorg-config.ts'

describe('xorgConfig', () => {
  it('[PRC-29] starts in the mode it was given, at its rate, with a clock that the dummy driver takes', () => {
    const mode = fc.record({
      width: fc.integer({ min: 64, max: 7_680 }),
      height: fc.integer({ min: 64, max: 4_320 }),
      rate: fc.integer({ min: 5, max: 60 }),
    })
    fc.assert(
      fc.property(mode, (first) => {
        const config = xorgConfig(first)
        const name = `${first.width}x${first.height}_${first.rate}`
        expect(/^ {4}Modes "([^"]+)"/m.exec(config)?.[1]).toBe(name)
        const line = config.split('\n').filter((each) => each.startsWith(`  Modeline "${name}" `))
        expect(line).toHaveLength(1)
        const numbers = line[0]?.split('" ')[1]?.split(' ').slice(0, 9).map(Number) ?? []
        const [clock = 0, width = 0, syncStart = 0, syncEnd = 0, across = 0, height = 0, vStart = 0, vEnd = 0, down = 0] = numbers
        expect([width, height]).toEqual([first.width, first.height])
        expect(width < syncStart && syncStart < syncEnd && syncEnd < across && height < vStart && vStart < vEnd && vEnd < down).toBe(true)
        expect((clock * 1e6) / (across * down)).toBeCloseTo(first.rate, 1)
        expect(clock).toBeGreaterThan(11)
      }),
    )
  })
})
