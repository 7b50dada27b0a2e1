/** How a series of measurements came out, in the unit of its values, rounded. */
export interface Summary {
  runs: number
  p50: number
  p95: number
  min: number
  max: number
}

/** Summarises, to a tenth unless told otherwise; undefined for an empty series. Percentiles are those of the nearest rank: each is a value that was measured. */
export function summarise(values: readonly number[], round = tenth): Summary | undefined {
  const sorted = values.toSorted((a, b) => a - b)
  const rank = (share: number) => round(sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? 0)
  return sorted.length === 0 ? undefined : { runs: sorted.length, p50: rank(0.5), p95: rank(0.95), min: rank(0), max: rank(1) }
}

/** One digit behind the point: more would claim an exactness that a shared machine does not have. */
export function tenth(value: number): number {
  return Math.round(value * 10) / 10
}

/** For what is small: a share of a core, microseconds a packet. */
export function hundredth(value: number): number {
  return Math.round(value * 100) / 100
}

/** All values together. */
export function sum(values: readonly number[]): number {
  return values.reduce((all, value) => all + value, 0)
}
