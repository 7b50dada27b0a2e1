import fc from 'fast-check'
import { expect, test } from 'vitest'
import { stringify } from 'yaml'
import { effectiveText, redactedConfig } from '../src/effective.ts'
import { v2Options } from '../src/legacy/v2-options.ts'
import { nest, printYaml } from '../src/print.ts'
import { formatProblem } from '../src/problem.ts'
import { roomConfig } from '../src/rooms.ts'
import { envName, optionByPath } from '../src/schema/options.ts'
import { load, samplesOf } from './sample.ts'

const paths = [...optionByPath.keys()]
const names = [...paths, ...v2Options.keys()]
const junk = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 30 }),
  fc.json(),
  fc.constantFrom(
    'true',
    'yes',
    '0',
    '-1',
    '99999999999999999999',
    '1e999',
    '[',
    '{',
    '{"a":',
    '*',
    '&a',
    '::',
    '1-',
    '%s',
    '\u0000',
    '__proto__',
    '{"__proto__":{"x":1}}',
  ),
  fc.nat().map(String),
)

/** Whatever was given, the loader answers, and with whole sentences. */
function answers(input: Parameters<typeof load>[0]): void {
  const loaded = load(input)
  expect(Object.isFrozen(loaded.config)).toBe(true)
  for (const problem of loaded.problems) {
    expect([problem.source, problem.reason, problem.remedy].every((part) => part.trim() !== '')).toBe(true)
    formatProblem(problem)
  }
  effectiveText(loaded)
  redactedConfig(loaded.config)
}

test('[CFG-80] no environment crashes the loader', () => {
  const name = fc.oneof(
    fc.constantFrom(...names.map(envName)),
    fc.string({ maxLength: 12 }).map((text) => `NEKO_${text}`),
  )
  fc.assert(
    fc.property(fc.dictionary(name, junk, { maxKeys: 12 }), (env) => {
      answers({ env })
    }),
    { numRuns: 300 },
  )
})

test('[CFG-80] no command line crashes the loader', () => {
  const token = fc.oneof(
    fc.constantFrom(...names.map((each) => `--${each}`)),
    junk,
    fc.tuple(fc.constantFrom(...names), junk).map(([each, value]) => `--${each}=${value}`),
  )
  fc.assert(
    fc.property(fc.array(token, { maxLength: 12 }), (argv) => {
      answers({ argv })
    }),
    { numRuns: 300 },
  )
})

test('[CFG-80] no file crashes the loader: neither text nor any structure under known names', () => {
  const parts = fc.constantFrom(
    'server',
    'webrtc:',
    '\n  ',
    '- ',
    '{',
    '}',
    '[',
    ']',
    '"',
    "'",
    '&a ',
    '*a',
    '<<: ',
    ': ',
    '|\n',
    '>\n',
    '#',
    '? ',
    '!!binary ',
    '!x ',
    '%YAML 9\n',
    '---\n',
    '\t',
    '\r',
    'null',
  )
  const text = fc.array(fc.oneof(parts, junk), { maxLength: 20 }).map((all) => all.join(''))
  const tree = fc.dictionary(
    fc.constantFrom(...names),
    fc.anything({ maxDepth: 3 }).filter((value) => typeof value !== 'symbol'),
    { maxKeys: 8 },
  )
  const structure = tree.map((map) => JSON.stringify(nest(Object.entries(map))) ?? '')
  fc.assert(
    fc.property(fc.oneof(text, structure), (yaml) => {
      answers({ yaml })
    }),
    { numRuns: 400 },
  )
})

test('[CFG-80] no overrides of a room crash, and nothing but options of rooms gets in', () => {
  const { config } = load({})
  fc.assert(
    fc.property(fc.oneof(fc.anything(), fc.dictionary(fc.constantFrom(...paths), fc.anything({ maxDepth: 2 }))), (overrides) => {
      expect(roomConfig(config, overrides).config.server).toEqual(config.server)
    }),
    { numRuns: 200 },
  )
})

/** A random good value of an option, as the file holds it. */
function goodValue(path: string): fc.Arbitrary<unknown> {
  const samples = fc.constantFrom(...samplesOf(path))
  const option = optionByPath.get(path)
  if (option?.kind === 'integer' && option.range !== undefined) {
    const [min = 0, max = 0] = option.range.split(' … ').map(Number)
    return fc.integer({ min, max: Math.min(max, 2 ** 31 - 1) })
  }
  const isFree = option?.kind === 'text' && option.schema.safeParse('any text: #1').success
  return isFree
    ? fc.oneof(
        samples,
        fc.string({ unit: 'grapheme', maxLength: 20 }),
        fc.constantFrom('null', '~', '0123', '1e3', 'true', ' a ', 'a\nb', '#x', "it's", ''),
      )
    : samples
}

const choices = fc.uniqueArray(fc.constantFrom(...paths.filter((path) => path !== 'config')), { maxLength: 25 })
const someConfig = choices.chain((chosen) => fc.tuple(...chosen.map((path) => fc.tuple(fc.constant(path), goodValue(path)))))

test('[CFG-81] a configuration that is written as YAML reads back as the same', () => {
  fc.assert(
    fc.property(someConfig, (values) => {
      const first = load({ yaml: stringify(nest(values.filter(([path]) => path !== 'webrtc.iceservers'))) })
      const second = load({ yaml: printYaml(first.config) })
      expect(second.config).toEqual(first.config)
      expect(second.problems.filter(({ reason }) => reason.includes('is not an option'))).toEqual([])
    }),
    { numRuns: 150 },
  )
})
