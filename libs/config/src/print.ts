/** Values and configurations as text: YAML that `loadConfig` reads back, and single values for a line of it. */
import { stringify } from 'yaml'
import { type Config, valueAt } from './schema/config.ts'
import { optionByPath } from './schema/options.ts'

interface Tree {
  [key: string]: Tree | unknown
}

/** The value of an option as YAML holds it. */
export function plainValue(path: string, value: unknown): unknown {
  return optionByPath.get(path)?.print(value)
}

/** A value on one line, as a variable holds it: lists with commas, structures in JSON. */
export function textValue(path: string, value: unknown): string {
  const plain = plainValue(path, value)
  if (Array.isArray(plain) && optionByPath.get(path)?.kind === 'list') {
    return plain.join(',')
  }
  return typeof plain === 'object' ? JSON.stringify(plain) : String(plain)
}

/** Nests plain values by path. */
export function nest(plain: Iterable<readonly [path: string, value: unknown]>): Tree {
  const tree: Tree = {}
  for (const [path, value] of plain) {
    const parts = path.split('.')
    const last = parts.pop() ?? ''
    let section = tree
    for (const part of parts) {
      section[part] ??= {}
      // Made by the line above: no path with a value is also a section.
      section = section[part] as Tree
    }
    section[last] = value
  }
  return tree
}

/** The options of `paths` (all without it) as YAML. Secrets are in it. */
export function printYaml(config: Config, paths?: readonly string[]): string {
  const wanted = (paths ?? [...optionByPath.keys()].filter((path) => path !== 'config')).filter(
    (path) => optionByPath.get(path)?.spread === undefined,
  )
  return stringify(nest(wanted.map((path) => [path, plainValue(path, valueAt(config, path))])), { lineWidth: 0 })
}
