/**
 * The configuration that processes get: nested by section, names in camelCase, durations in milliseconds with a name that ends in `Ms`.
 * `session.cookie.http_only` → `config.session.cookie.httpOnly`, `session.cookie.expiration` → `config.session.cookie.expirationMs`.
 */
import type { Option } from './option.ts'
import { type OptionPath, type Options, optionByPath } from './options.ts'

type Camel<S extends string> = S extends `${infer Head}_${infer Tail}` ? `${Head}${Capitalize<Camel<Tail>>}` : S
type Leaf<S extends string, O> = O extends { kind: 'duration' } ? `${Camel<S>}Ms` : Camel<S>

/** The paths with a value in the configuration: all but shorthands. */
export type ValuePath = { [P in OptionPath]: Options[P] extends { spread: readonly string[] } ? never : P }[OptionPath]
export type ValueOf<P extends ValuePath> = Options[P] extends Option<infer T> ? T : never

type Section<Prefix extends string> = {
  readonly [P in ValuePath as P extends `${Prefix}${infer Rest}`
    ? Rest extends `${infer Head}.${string}`
      ? Camel<Head>
      : Leaf<Rest, Options[P]>
    : never]: P extends `${Prefix}${infer Head}.${string}` ? Section<`${Prefix}${Head}.`> : ValueOf<P>
}

export type Config = Section<''>

/** The names of a path inside the configuration. */
export function keysOf(path: string): readonly string[] {
  const camel = path.split('.').map((part) => part.replaceAll(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase()))
  return optionByPath.get(path)?.kind === 'duration' ? [...camel.slice(0, -1), `${camel.at(-1)}Ms`] : camel
}

/** Builds the frozen configuration from values by path; every path must be there. */
export function buildConfig(values: ReadonlyMap<string, unknown>): Config {
  const tree: Tree = {}
  for (const [path, option] of optionByPath) {
    if (option.spread === undefined) {
      const keys = keysOf(path)
      const last = keys.at(-1) ?? ''
      let section = tree
      for (const key of keys.slice(0, -1)) {
        section[key] ??= {}
        // A section is only ever made by the line above; no path is both an option and a section except a shorthand, which has no value.
        section = section[key] as Tree
      }
      section[last] = values.get(path)
    }
  }
  // The type is derived from the same table that the loop walks.
  return deepFreeze(tree) as Config
}

interface Tree {
  [key: string]: unknown
}

/** The value of a path in a configuration. */
export function valueAt(config: Config, path: string): unknown {
  return keysOf(path).reduce<unknown>((at, key) => (at as Tree)[key], config)
}

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value)
    Object.values(value).forEach(deepFreeze)
  }
  return value
}
