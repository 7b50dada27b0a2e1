import { stringify } from 'yaml'
import type { Loaded } from './load.ts'
import { plainValue } from './print.ts'
import { masked } from './read-value.ts'
import { type Config, valueAt } from './schema/config.ts'
import { optionByPath } from './schema/options.ts'

/**
 * The configuration that holds, as YAML with the source of every value behind it and secrets masked.
 * @returns lines such as `server.bind: :8080  # NEKO_SERVER_BIND`
 */
export function effectiveText({ config, sources }: Pick<Loaded, 'config' | 'sources'>): string {
  const lines: [value: string, source: string][] = []
  for (const path of visiblePaths()) {
    const source = sources.get(path)
    const value = stringify(maskedValue(config, path), { lineWidth: 0, collectionStyle: 'flow' }).trimEnd()
    const where = source === undefined || source.kind === 'default' ? `default${source?.where ? ` (${source.where})` : ''}` : source.where
    lines.push([`${path}: ${value.includes('\n') ? JSON.stringify(maskedValue(config, path)) : value}`, where])
  }
  const width = Math.min(60, Math.max(...lines.map(([value]) => value.length)))
  return lines.map(([value, where]) => `${value.padEnd(width)}  # ${where}\n`).join('')
}

/** The configuration by path with secrets masked: what may be logged or shown to an admin. */
export function redactedConfig(config: Config): Readonly<Record<string, unknown>> {
  return Object.fromEntries(visiblePaths().map((path) => [path, maskedValue(config, path)]))
}

function visiblePaths(): string[] {
  return [...optionByPath].filter(([, option]) => option.spread === undefined).map(([path]) => path)
}

function maskedValue(config: Config, path: string): unknown {
  const option = optionByPath.get(path)
  const plain = plainValue(path, valueAt(config, path))
  if (option?.secret !== true || plain === '') {
    return plain
  }
  return option.kind === 'json' ? maskFields(plain) : masked
}

/** Of a structure only the secret fields are masked: a reader may see which servers and members there are. */
function maskFields(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) {
    return value
  }
  if (Array.isArray(value)) {
    return value.map(maskFields)
  }
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [key, /^(password|credential)$/i.test(key) ? masked : maskFields(inner)]),
  )
}
