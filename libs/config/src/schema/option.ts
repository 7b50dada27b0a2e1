import { z } from 'zod'
import { BadValue } from '../value/bad-value.ts'
import { printDuration, readDuration } from '../value/duration.ts'
import { readBoolean, readInteger, readJson, readList, readNumber, readText } from '../value/scalar.ts'

export type Kind = 'boolean' | 'integer' | 'number' | 'duration' | 'text' | 'choice' | 'list' | 'json'

/** What every option says of itself; the schema files write these, everything else is derived from them. */
export interface About<T> {
  readonly default: T
  readonly about: string
  readonly unit?: string
  /** Never printed: passwords, tokens, keys, and texts that hold one. */
  readonly secret?: boolean
  /** A room may have a value of its own. */
  readonly room?: boolean
  /** `v3` is upstream's, `edge` is ours. */
  readonly since?: 'v3' | 'edge'
  /** Why setting it changes nothing in this architecture; said once when somebody sets it. */
  readonly inert?: string
}

/** One option: how to read a raw value, how to write it again, and all that help and reference say of it. */
export interface Option<T = unknown, K extends Kind = Kind> extends About<T> {
  readonly kind: K
  /** From a raw value (text of a flag or a variable, a node of YAML) to the option's value. */
  readonly schema: z.ZodType<T>
  /** What a good value looks like: the object of `write …`. */
  readonly form: string
  readonly range?: string
  readonly choices?: readonly string[]
  /** The options that get its value when it is set: a shorthand has no place of its own in the configuration. */
  readonly spread?: readonly string[]
  /** The value as YAML holds it; reading that again gives the same value. */
  print(value: T): unknown
}

/** A zod schema of a function that reads a raw value. */
export function reading<T>(read: (raw: unknown) => T | BadValue): z.ZodType<T> {
  return z.unknown().transform((raw, context): T => {
    const value = read(raw)
    if (value instanceof BadValue) {
      context.addIssue({ code: 'custom', message: value.reason, input: raw })
      return z.NEVER
    }
    return value
  })
}

export function flag(about: About<boolean>): Option<boolean, 'boolean'> {
  return { ...about, kind: 'boolean', form: 'true or false', schema: reading(readBoolean), print: (value) => value }
}

interface Bounds {
  readonly min: number
  readonly max: number
}

export function integer(about: About<number> & Bounds): Option<number, 'integer'> {
  const range = `${about.min} … ${about.max}`
  return {
    ...about,
    kind: 'integer',
    range,
    form: `a whole number from ${about.min} to ${about.max}`,
    schema: reading((raw) => within(readInteger(raw), about, range)),
    print: (value) => value,
  }
}

export function decimal(about: About<number> & Bounds): Option<number, 'number'> {
  const range = `${about.min} … ${about.max}`
  return {
    ...about,
    kind: 'number',
    range,
    form: `a number from ${about.min} to ${about.max}`,
    schema: reading((raw) => within(readNumber(raw), about, range)),
    print: (value) => value,
  }
}

/** A duration in milliseconds; its key in the configuration ends in `Ms`. */
export function duration(about: About<number> & Bounds): Option<number, 'duration'> {
  const range = `${printDuration(about.min)} … ${printDuration(about.max)}`
  return {
    ...about,
    kind: 'duration',
    range,
    form: `a duration from ${printDuration(about.min)} to ${printDuration(about.max)}, such as 30s, 5m or 1h30m`,
    schema: reading((raw) => within(readDuration(raw), about, range)),
    print: printDuration,
  }
}

function within(value: number | BadValue, { min, max }: Bounds, range: string): number | BadValue {
  return value instanceof BadValue || (value >= min && value <= max) ? value : new BadValue(`is out of range (${range})`)
}

/** Any text; `check` gives the reason against one, or nothing. */
export function text(
  about: About<string> & { readonly form?: string; readonly check?: (value: string) => string | undefined },
): Option<string, 'text'> {
  const { check, form = 'a text', ...rest } = about
  return {
    ...rest,
    kind: 'text',
    form,
    schema: reading((raw) => {
      const value = readText(raw)
      const reason = value instanceof BadValue ? undefined : check?.(value)
      return reason === undefined ? value : new BadValue(reason)
    }),
    print: (value) => value,
  }
}

/** A text that stands for something with parts, such as an address. */
export function parsed<T>(
  about: About<T> & { readonly form: string; readonly read: (raw: unknown) => T | BadValue; readonly write: (value: T) => string },
): Option<T, 'text'> {
  const { read, write, ...rest } = about
  return { ...rest, kind: 'text', schema: reading(read), print: write }
}

/** One of a few words, in any case. */
export function choice<const W extends string>(about: About<NoInfer<W>> & { readonly choices: readonly W[] }): Option<W, 'choice'> {
  const { choices } = about
  return {
    ...about,
    kind: 'choice',
    form: `one of ${choices.join(', ')}`,
    schema: reading((raw) => {
      const value = readText(raw)
      if (value instanceof BadValue) {
        return value
      }
      return choices.find((word) => word === value.trim().toLowerCase()) ?? new BadValue(`is not one of ${choices.join(', ')}`)
    }),
    print: (value) => value,
  }
}

/** A list of words; `check` gives the reason against one of them, or nothing. */
export function list(
  about: About<readonly string[]> & { readonly form: string; readonly check?: (word: string) => string | undefined },
): Option<readonly string[], 'list'> {
  const { check, ...rest } = about
  return {
    ...rest,
    kind: 'list',
    schema: reading((raw) => {
      const words = readList(raw)
      if (words instanceof BadValue || check === undefined) {
        return words
      }
      const reason = words.map(check).find((found) => found !== undefined)
      return reason === undefined ? words : new BadValue(reason)
    }),
    print: (value) => [...value],
  }
}

/** A structure: a native map or list, or JSON text. */
export function json<T>(about: About<T> & { readonly form: string; readonly shape: z.ZodType<T> }): Option<T, 'json'> {
  const { shape, ...rest } = about
  return { ...rest, kind: 'json', schema: reading(readJson).pipe(shape), print: (value) => value }
}
