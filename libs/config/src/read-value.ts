import type { Problem } from './problem.ts'
import type { Option } from './schema/option.ts'
import type { Given } from './source/given.ts'

/** What stands in the place of a secret wherever it would be printed. */
export const masked = '***'

/** The value that somebody gave, or the problem with it. */
export function readValue(
  path: string,
  option: Option,
  given: Given,
): { readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly problem: Problem } {
  const result = option.schema.safeParse(given.raw)
  if (result.success) {
    return { ok: true, value: result.data }
  }
  const reasons = result.error.issues.map(({ path: place, message }) =>
    place.length === 0 ? message : `${place.map(String).join('.')}: ${message}`,
  )
  const reason = reasons.slice(0, 3).join('; ')
  return {
    ok: false,
    problem: {
      severity: 'error',
      source: given.source.where,
      option: path,
      value: shown(option, given.raw),
      reason: option.kind === 'json' && !reason.startsWith('is ') ? `is not right: ${reason}` : reason,
      remedy: `Write ${option.form}.`,
    },
  }
}

function shown(option: Option, raw: unknown): string {
  if (option.secret === true) {
    return masked
  }
  const text = typeof raw === 'string' ? raw : (JSON.stringify(raw) ?? String(raw))
  // A control character in a value must not reach a terminal.
  const plain = text.replaceAll(/\p{Cc}/gu, '\u{fffd}')
  return plain.length > 80 ? `${plain.slice(0, 79)}…` : plain
}
