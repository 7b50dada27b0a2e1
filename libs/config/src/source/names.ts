import { v2Options } from '../legacy/v2-options.ts'
import { optionByPath } from '../schema/options.ts'

/** Every name that an option can be given by: V3 paths and V2 keys. */
export const knownNames: ReadonlySet<string> = new Set([...optionByPath.keys(), ...v2Options.keys()])

/** Upstream's short flags. */
export const shortFlags: Readonly<Record<string, string>> = { c: 'config', d: 'debug', l: 'logs' }

/** True if the option is on when its flag stands alone. */
export function isFlag(name: string): boolean {
  return (optionByPath.get(name) ?? v2Options.get(name))?.kind === 'boolean'
}

/** True if the flag may be given several times. */
export function isList(name: string): boolean {
  return (optionByPath.get(name) ?? v2Options.get(name))?.kind === 'list'
}

/**
 * The known name nearest to a wrong one, or nothing if none is near enough to be meant.
 * Separators and case do not count as differences: `server-bind` and `SERVER_BIND` are `server.bind`.
 */
export function nearestName(wrong: string): string | undefined {
  return nearest(wrong, knownNames)
}

/** The same among any names. */
export function nearest(wrong: string, names: Iterable<string>): string | undefined {
  const bare = (name: string): string => name.toLowerCase().replaceAll(/[._-]/g, '')
  const target = bare(wrong)
  let best: string | undefined
  // One wrong letter in four; a name of three letters has no near ones.
  let bestDistance = Math.floor(target.length / 4) + 1
  for (const name of names) {
    const distance = editDistance(target, bare(name), bestDistance)
    if (distance < bestDistance) {
      best = name
      bestDistance = distance
    }
  }
  return best
}

/** Levenshtein's distance, or `limit` as soon as it can not be less. */
function editDistance(from: string, to: string, limit: number): number {
  if (Math.abs(from.length - to.length) >= limit) {
    return limit
  }
  let previous = Array.from({ length: to.length + 1 }, (_, index) => index)
  for (let row = 1; row <= from.length; row++) {
    const current = [row]
    for (let column = 1; column <= to.length; column++) {
      const replaced = (previous[column - 1] ?? 0) + (from[row - 1] === to[column - 1] ? 0 : 1)
      current.push(Math.min(replaced, (previous[column] ?? 0) + 1, (current[column - 1] ?? 0) + 1))
    }
    if (Math.min(...current) >= limit) {
      return limit
    }
    previous = current
  }
  return Math.min(previous.at(-1) ?? limit, limit)
}
