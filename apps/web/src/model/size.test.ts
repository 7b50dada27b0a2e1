import { expect, it } from 'vitest'
import { sizeWords } from './size.ts'

it('[WEB-148] sizes are in the unit that is read best', () => {
  expect([0, 999, 1000, 1_540_000, 12_300_000, 5e12, 5e15].map(sizeWords)).toEqual([
    '0 B',
    '999 B',
    '1.0 kB',
    '1.5 MB',
    '12 MB',
    '5.0 TB',
    '5000 TB',
  ])
})
