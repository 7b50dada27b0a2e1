import { BadValue } from './bad-value.ts'
import { readText } from './scalar.ts'

const unitMs: Readonly<Record<string, number>> = { ns: 1e-6, us: 1e-3, µs: 1e-3, ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }
const part = /(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|ms|s|m|h|d)/y

/**
 * A duration in Go's syntax (`1h30m`, `500ms`), with `d` for days added, in milliseconds.
 * A bare number is seconds; upstream reads it as nanoseconds, which nobody means.
 */
export function readDuration(raw: unknown): number | BadValue {
  const text = readText(raw)
  if (text instanceof BadValue) {
    return text
  }
  const source = text.trim().replaceAll('μ', 'µ')
  const sign = source.startsWith('-') ? -1 : 1
  const body = source.replace(/^[+-]/, '')
  if (/^(\d+(\.\d*)?|\.\d+)$/.test(body)) {
    return sign * round(Number(body) * 1000)
  }
  let total = 0
  part.lastIndex = 0
  while (part.lastIndex < body.length) {
    const match = part.exec(body)
    if (match === null) {
      return new BadValue('is not a duration')
    }
    total += Number(match[1]) * (unitMs[match[2] ?? ''] ?? 0)
  }
  return body === '' ? new BadValue('is not a duration') : sign * round(total)
}

/** Writes milliseconds in the largest unit of Go's that divides them. */
export function printDuration(ms: number): string {
  for (const unit of ['h', 'm', 's'] as const) {
    const size = unitMs[unit] ?? 1
    if (ms !== 0 && ms % size === 0) {
      return `${ms / size}${unit}`
    }
  }
  return ms === 0 ? '0s' : `${ms}ms`
}

// Upstream's nanoseconds are finer than any timer of ours: a microsecond is kept, the noise of floating point is not.
const round = (ms: number): number => Math.round(ms * 1000) / 1000
