import { expect, test } from 'vitest'
import { summarise } from './summary.ts'

test('[TST-12] percentiles are measured values of the nearest rank, whatever the order', () => {
  const twenty = Array.from({ length: 20 }, (_, i) => 20 - i)
  expect(summarise(twenty)).toEqual({ runs: 20, p50: 10, p95: 19, min: 1, max: 20 })
  expect(summarise([3.14])).toEqual({ runs: 1, p50: 3.1, p95: 3.1, min: 3.1, max: 3.1 })
  expect(summarise([])).toBeUndefined()
})
