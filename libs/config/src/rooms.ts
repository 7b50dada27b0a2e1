/** A room's own values: the same options, those marked `room`, over the node's configuration. */
import type { Problem } from './problem.ts'
import { masked, readValue } from './read-value.ts'
import { buildConfig, type Config, valueAt } from './schema/config.ts'
import { optionByPath } from './schema/options.ts'
import { nearest } from './source/names.ts'

/** The paths that a room may override. */
export const roomPaths: readonly string[] = [...optionByPath].filter(([, { room }]) => room === true).map(([path]) => path)

export interface RoomConfig {
  /** The node's configuration with the room's values in it; frozen. */
  readonly config: Config
  /** What is wrong with the overrides; such values are left out. */
  readonly problems: readonly Problem[]
}

/**
 * Puts a room's overrides over a configuration.
 * @param overrides by path, `{ "desktop.screen": "1920x1080@30" }`, or nested as in YAML; values as in YAML
 */
export function roomConfig(base: Config, overrides: unknown): RoomConfig {
  const values = new Map([...optionByPath].filter(([, { spread }]) => spread === undefined).map(([path]) => [path, valueAt(base, path)]))
  const problems: Problem[] = []
  for (const [path, raw] of flatten(overrides)) {
    const option = optionByPath.get(path)
    if (option?.room !== true) {
      problems.push(notForRooms(path))
    } else {
      const read = readValue(path, option, { name: path, raw, source: { kind: 'file', where: 'room' } })
      if (read.ok) {
        values.set(path, read.value)
      } else {
        problems.push(read.problem)
      }
    }
  }
  return { config: buildConfig(values), problems }
}

function notForRooms(path: string): Problem {
  const near = nearest(path, roomPaths)
  const exists = optionByPath.has(path)
  return {
    severity: 'error',
    source: 'room',
    option: path,
    reason: exists ? 'can not be set per room' : 'is not an option',
    remedy: exists
      ? 'Set it for the node.'
      : near === undefined
        ? 'See neko config reference for the options of rooms.'
        : `Did you mean ${near}?`,
  }
}

/** Overrides by path, each as it was given. */
export const flatOverrides = (overrides: unknown): Map<string, unknown> => flatten(overrides)

/** The same overrides with secrets masked, as an admin may see them. */
export function redactOverrides(overrides: unknown): Record<string, unknown> {
  return Object.fromEntries([...flatten(overrides)].map(([path, raw]) => [path, optionByPath.get(path)?.secret === true ? masked : raw]))
}

const depthOfOptions = 4

function flatten(tree: unknown, prefix = '', depth = 0): Map<string, unknown> {
  const flat = new Map<string, unknown>()
  if (typeof tree === 'object' && tree !== null && !Array.isArray(tree)) {
    for (const [key, value] of Object.entries(tree)) {
      const path = prefix + key
      const isSection =
        typeof value === 'object' && value !== null && !Array.isArray(value) && !optionByPath.has(path) && depth < depthOfOptions
      for (const [inner, raw] of isSection ? flatten(value, `${path}.`, depth + 1) : [[path, value] as const]) {
        flat.set(inner, raw)
      }
    }
  }
  return flat
}
