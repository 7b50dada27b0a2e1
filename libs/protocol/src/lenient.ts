import { z } from 'zod'

/*
 * How upstream's Go decoder reads JSON, which existing clients rely on: a key matches whatever its case, `null` and an
 * absent key leave the default, unknown keys are ignored, numbers for integer fields must be whole.
 */

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value)

/** An object whose keys match in any case; `null` stands for the object with all its defaults. */
export function lenientObject<S extends z.ZodRawShape>(shape: S) {
  const known = new Map(Object.keys(shape).map((key) => [key.toLowerCase(), key]))
  const normalise = (value: unknown): unknown => {
    if (value === null) {
      return {}
    }
    if (!isRecord(value)) {
      return value
    }
    const result: Record<string, unknown> = {}
    for (const [key, item] of Object.entries(value)) {
      const name = known.get(key.toLowerCase())
      // The exact spelling wins over another case of the same key.
      if (name !== undefined && (key === name || !(name in value))) {
        result[name] = item
      }
    }
    return result
  }
  return z.preprocess(normalise, z.object(shape))
}

/** A field that has a default where it is absent or `null`. */
export function field<T extends z.ZodType>(schema: T, fallback: z.output<T>) {
  return schema.nullish().transform((value): z.output<T> => value ?? fallback)
}

/** A field that stays absent where it is absent or `null`. */
export function optional<T extends z.ZodType>(schema: T) {
  return schema
    .nullish()
    .transform((value): z.output<T> | undefined => value ?? undefined)
    .optional()
}

export const text = field(z.string(), '')
export const flag = field(z.boolean(), false)
/** A whole number of a signed `bits`-bit field. */
export const int = (bits: 16 | 32) =>
  z
    .int()
    .min(-(2 ** (bits - 1)))
    .max(2 ** (bits - 1) - 1)
/** A whole number of an unsigned `bits`-bit field. */
export const uint = (bits: 8 | 16 | 32) =>
  z
    .int()
    .min(0)
    .max(2 ** bits - 1)
/** A whole number without a width of its own; what JavaScript holds exactly. */
export const whole = z.int()

/** How deep a value may nest that we only pass on: far deeper, and whoever writes it as text again runs out of stack. */
const maxDepth = 100

/** Any JSON, as deep as people write it. */
export const anyJson = z.unknown().refine(isShallow, `nests deeper than ${maxDepth} levels`)

// Level by level, since a recursion would itself run out of stack.
function isShallow(value: unknown): boolean {
  let level = [value]
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > maxDepth) {
      return false
    }
    level = level.flatMap((item) => (typeof item === 'object' && item !== null ? Object.values(item) : []))
  }
  return true
}
