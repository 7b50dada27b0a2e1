import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { evaluate, evaluateNumber, printed } from './expression.ts'

const screen = { width: 1280, height: 720, fps: 30 }

describe('expression', () => {
  test.each([
    ['width / 2', 640],
    ['(width / 3) * 2', (1280 / 3) * 2],
    ['fps > 30 ? 30 : fps', 30],
    ['fps >= 30 ? width > 1000 ? 1 : 2 : 3', 1],
    ['round(3072 * 650)', 1_996_800],
    ['round(width)', 1280],
    ['2 + 3 * 4 ** 2 % 7', 2 + ((3 * 16) % 7)],
    ['-5', -5],
    ['-width + 1', -1279],
    ['.5 + 1e3', 1000.5],
    ['!(fps == 30) || height != 720', false],
    ['true && 1 < 2', true],
    ['"a b" + 1', 'a b1'],
    ["'it\\'s'", "it's"],
    ['unknown ?? 7', 7],
    ['5 ?? unknown', 5],
    ['true || 1 + nonsense', true],
    ['false ? 1 - nonsense : width', 1280],
  ])('[CAP-1] %s is %s', (source, value) => {
    expect(evaluate(source, screen)).toBe(value)
  })

  test.each(['cbr', 'veryfast', 'low-latency-hq', 'a - b*c', 'zerolatency', 'p2', 'constructor', 'toString'])(
    '[CAP-2] the word %s is itself',
    (word) => {
      expect(evaluate(word, screen)).toBe(word)
    },
  )

  test('[CAP-2] a branch may be a word', () => {
    expect(evaluate('fps > 20 ? low-latency : veryfast', screen)).toBe('low-latency')
  })

  test.each([
    ['width +', 8],
    ['width + cbr', 9],
    ['cbr * 2', 1],
    ['1 $ 2', 3],
    ['(1 + 2', 7],
    ['1 2', 3],
    ['round(1', 8],
    ['sqrt(4)', 1],
    ['"open', 1],
    ['"a" * 2', 5],
    ['', 1],
  ])('[CAP-3] %s is refused at position %i', (source, position) => {
    expect(() => evaluate(source, screen)).toThrow(`position ${position}`)
  })

  test('[CAP-3] neither depth nor odd text does harm', () => {
    expect(() => evaluate('('.repeat(100_000), screen)).toThrow('too deeply nested')
    expect(() => evaluateNumber('cbr', screen)).toThrow('expected a number')
    expect(() => evaluateNumber('1 / 0', screen)).toThrow('expected a number')
    fc.assert(
      fc.property(fc.string({ maxLength: 40 }), (source) => {
        try {
          evaluate(source, screen)
        } catch (error) {
          expect(error).toMatchObject({ code: 'invalid' })
        }
      }),
    )
  })

  test('[CAP-4] any arithmetic equals JavaScript’s', () => {
    type Sum = { text: string; value: number }
    const { sum } = fc.letrec<{ sum: Sum }>((tie) => ({
      sum: fc.oneof(
        { depthSize: 'small' },
        fc.nat(9999).map((n) => ({ text: String(n), value: n })),
        fc.constantFrom('width', 'height', 'fps').map((name) => ({ text: name, value: screen[name as keyof typeof screen] })),
        fc.tuple(tie('sum'), fc.constantFrom('+', '-', '*', '/', '%'), tie('sum')).map(([a, operator, b]) => {
          const outcome: Record<string, number> = {
            '+': a.value + b.value,
            '-': a.value - b.value,
            '*': a.value * b.value,
            '/': a.value / b.value,
            '%': a.value % b.value,
          }
          return { text: `(${a.text} ${operator} ${b.text})`, value: outcome[operator] ?? Number.NaN }
        }),
      ),
    }))
    fc.assert(
      fc.property(sum, ({ text, value }) => {
        expect(evaluate(text, screen)).toBe(value)
      }),
    )
  })

  test('[CAP-5] numbers are printed without exponent, and read back the same', () => {
    expect(printed(1_996_800)).toBe('1996800')
    expect(printed(1e21)).toBe('1000000000000000000000')
    expect(printed(1e-7)).toBe('0.0000001')
    expect(printed(true)).toBe('true')
    fc.assert(
      fc.property(fc.double({ min: -1e9, max: 1e9, noNaN: true }), (n) => {
        expect(printed(n)).not.toContain('e')
        expect(Number(printed(n))).toBeCloseTo(n, 6)
      }),
    )
  })
})
