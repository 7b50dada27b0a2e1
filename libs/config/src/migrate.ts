/** Rewrites whatever somebody runs neko with today, V2 or V3, as V3: `neko migrate-config FILE…`. */
import { assemble, type Loaded } from './load.ts'
import { composeServices, foundInCompose } from './migrate/compose.ts'
import { envFileValue, foundInEnvFile, isEnvFile } from './migrate/env-file.ts'
import { emptyFound, type Found } from './migrate/found.ts'
import { foundInShell, isShell } from './migrate/shell.ts'
import { printYaml, textValue } from './print.ts'
import { formatProblem, type Problem } from './problem.ts'
import { valueAt } from './schema/config.ts'
import { envName, optionByPath } from './schema/options.ts'
import { readConfigText } from './source/config-text.ts'
import { readEnv } from './source/env.ts'
import { readFlags } from './source/flags.ts'
import type { Reading } from './source/given.ts'

export interface MigrateInput {
  readonly files: readonly { readonly path: string; readonly text: string }[]
  readonly to: 'yaml' | 'env'
  /** The text of a file that one of the files names (`env_file`, `.env`); nothing if it is not there. */
  readonly readFile?: (path: string) => string | undefined
}

/** The new configuration of one service, command or file. */
export interface Migrated {
  readonly title: string
  /** V3 YAML, or lines `NEKO_…=…`. Secrets are in it. */
  readonly text: string
  /** One for each change, and for each thing that a person has to do. */
  readonly lines: readonly string[]
}

export interface Migration {
  readonly documents: readonly Migrated[]
  /** 0, or 2 if something has no equivalent or is wrong: then the lines that begin with `!` say what. */
  readonly exitCode: 0 | 2
}

/**
 * Migrates files. Several services of a compose file become several documents; YAML, env files and commands together are one configuration,
 * with the precedence that they have when neko runs.
 */
export function migrateConfig({ files, to, readFile = () => undefined }: MigrateInput): Migration {
  const found = files.flatMap(({ path, text }) => findIn(path, text, readFile))
  const documents = group(found).map((sources) => migrateOne(sources, to))
  const isComplete = documents.length > 0 && documents.every(({ lines }) => lines.every((line) => !line.startsWith('!')))
  return { documents: documents.length === 0 ? [nothingFound(files)] : documents, exitCode: isComplete ? 0 : 2 }
}

function findIn(path: string, text: string, readFile: (path: string) => string | undefined): Found[] {
  if (isEnvFile(text)) {
    return [foundInEnvFile(path, text)]
  }
  if (isShell(text) && !/^\s*services\s*:/m.test(text)) {
    return [foundInShell(path, text, readFile)]
  }
  const services = tryServices(text)
  return services === undefined ? [{ ...emptyFound(path), yaml: { path, text } }] : foundInCompose(path, services, readFile)
}

function tryServices(text: string): ReturnType<typeof composeServices> {
  try {
    return composeServices(text)
  } catch {
    // Too many aliases: the reader of configuration files says so, and where.
    return undefined
  }
}

/** Services stand each for itself; all else goes into each of them, or together if there is none. */
function group(found: readonly Found[]): Found[][] {
  const services = found.filter(({ title }) => title.includes(': service '))
  const others = found.filter((one) => !services.includes(one))
  return services.length === 0 ? (others.length === 0 ? [] : [others]) : services.map((service) => [...others, service])
}

function migrateOne(sources: readonly Found[], to: MigrateInput['to']): Migrated {
  const readings = sources.flatMap(({ yaml, env, argv }): Reading[] => {
    return [...(yaml === undefined ? [] : [readConfigText(yaml.text, yaml.path)]), readEnv(Object.fromEntries(env)), readFlags(argv)]
  })
  // A migrated configuration must not depend on who migrates it.
  const loaded = assemble(readings, { env: {}, user: { uid: 0, home: '/' } })
  const set = [...loaded.sources].filter(([path, { kind }]) => kind !== 'default' && path !== 'config').map(([path]) => path)
  const paths = set.filter((path) => optionByPath.get(path)?.spread === undefined)
  const { text, lost, notes } = to === 'env' ? printEnv(loaded, paths) : inYaml(loaded, paths)
  return {
    title: sources.map(({ title }) => title).join(' + '),
    text,
    lines: [
      ...sources.flatMap(({ notes }) => notes),
      ...loaded.notices,
      ...notes,
      ...namedFile(loaded, sources),
      ...[...sources.flatMap((source) => source.lost), ...lost].map((line) => `! ${line}`),
      ...loaded.problems.map(problemLine),
    ],
  }
}

/** Whatever is not an option any more has no equivalent, even where the loader only warns. */
function problemLine(problem: Problem): string {
  const isLost = problem.severity === 'error' || problem.reason.includes('no such option') || problem.reason.includes('is a section')
  return `${isLost ? '! ' : ''}${formatProblem(problem)
    .replace(/^\w+: /, '')
    .replace('\n  ', ': ')}`
}

function namedFile({ config }: Pick<Loaded, 'config'>, sources: readonly Found[]): string[] {
  const isGiven = sources.some(({ yaml }) => yaml !== undefined)
  const named = [...(config.config === '' ? [] : [config.config]), ...sources.flatMap(({ mounts }) => mounts)]
  return named.map((file) => {
    return `${isGiven ? '' : '! '}the configuration file ${file} is a source too${isGiven ? '' : ': give it to migrate-config as well'}`
  })
}

interface Printed {
  readonly text: string
  readonly lost: readonly string[]
  readonly notes: readonly string[]
}

function inYaml({ config }: Pick<Loaded, 'config'>, paths: readonly string[]): Printed {
  return { text: paths.length === 0 ? '' : printYaml(config, paths), lost: [], notes: [] }
}

function printEnv({ config }: Pick<Loaded, 'config'>, paths: readonly string[]): Printed {
  const lost: string[] = []
  const quoted: string[] = []
  const lines = paths.flatMap((path) => {
    const value = textValue(path, valueAt(config, path))
    const written = envFileValue(value)
    if (written === undefined) {
      lost.push(`${path}: ${whyNotWritten(value)}: use YAML`)
      return []
    }
    if (written !== value) {
      quoted.push(path)
    }
    return [`${envName(path)}=${written}\n`]
  })
  const note = `${quoted.join(', ')}: the value stands in quotes, which docker run --env-file would take for a part of it`
  return { text: lines.join(''), lost, notes: quoted.length === 0 ? [] : [note] }
}

function whyNotWritten(value: string): string {
  if (value === '') {
    return 'an empty value can not stand in a variable'
  }
  return /[\r\n]/.test(value) ? 'a line break can not stand in an env file' : 'no quotes of an env file fit its characters'
}

function nothingFound(files: MigrateInput['files']): Migrated {
  return { title: files.map(({ path }) => path).join(' + '), text: '', lines: ['! nothing of neko was found in it'] }
}
