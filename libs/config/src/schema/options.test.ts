import { expect, test } from 'vitest'
import { samplesOf } from '../../test/sample.ts'
import { v2Options } from '../legacy/v2-options.ts'
import { textValue } from '../print.ts'
import { envName, groups, optionByPath } from './options.ts'

const paths = [...optionByPath.keys()]

test('[CFG-1] no two options, of V3 or V2, share a variable', () => {
  const names = [...paths, ...v2Options.keys()].map(envName)
  expect(names.filter((name, index) => names.indexOf(name) !== index)).toEqual([])
})

test('[CFG-2] there are all options of upstream and all of V2', () => {
  const upstream = [...optionByPath.values()].filter(({ since }) => since !== 'edge')
  expect([upstream.length, v2Options.size]).toEqual([106, 46])
})

test('[CFG-2] every option is in exactly one group of the help', () => {
  expect(groups.flatMap((group) => group.paths).toSorted()).toEqual(paths.toSorted())
})

test.each(paths)('[CFG-3] %s: what is printed of its default and of other values reads back as the same', (path) => {
  const option = optionByPath.get(path)
  const values = [option?.default, ...samplesOf(path).map((text) => option?.schema.parse(text))]
  for (const value of values) {
    expect(option?.schema.parse(textValue(path, value))).toEqual(value)
    expect(option?.schema.parse(option.print(value))).toEqual(value)
  }
})

test.each([...v2Options])('[CFG-4] V2 %s becomes options that exist', (_, { to }) => {
  expect(to.filter((path) => !optionByPath.has(path))).toEqual([])
  expect(to).not.toEqual([])
})
