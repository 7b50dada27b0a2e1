/** Finding and reading the configuration file. Scalars stay text as written, so that `0123` is a fine password; structures become native. */
import { isAbsolute, join } from 'node:path'
import { messageOf } from '@neko-edge/kit'
import {
  type Alias,
  type Document,
  isAlias,
  isMap,
  isScalar,
  LineCounter,
  type Node,
  type Pair,
  parseDocument,
  type Scalar,
  type YAMLMap,
} from 'yaml'
import type { Problem } from '../problem.ts'
import { optionByPath, sections } from '../schema/options.ts'
import type { Given, Reading } from './given.ts'
import { knownNames, nearestName } from './names.ts'
import { keepSpelling } from './spelling.ts'

export type ReadFile = (path: string) => string

/** The files that are looked for in each directory, in upstream's order; only the first three can be read. */
const readable = ['json', 'yaml', 'yml']
const unreadable = ['toml', 'properties', 'props', 'prop', 'hcl', 'tfvars', 'dotenv', 'env', 'ini']
const rewrite = 'Write it as YAML: neko migrate-config turns an env file into YAML.'

/** Reads the file that was named, or the first that is found. A named file must be there; none found is fine. */
export function readConfigFile(named: Given | undefined, cwd: string, readFile: ReadFile): Reading {
  if (named !== undefined) {
    return readNamed(named, cwd, readFile)
  }
  const problems: Problem[] = []
  for (const directory of ['/etc/neko', cwd]) {
    for (const extension of readable) {
      const path = join(directory, `neko.${extension}`)
      const text = tryRead(path, readFile)
      if (typeof text === 'string') {
        const reading = readConfigText(text, path)
        return { given: reading.given, problems: [...problems, ...reading.problems] }
      }
      if (!isAbsent(text.error)) {
        problems.push(unreadableFile(path, text.error, path))
      }
    }
    const other = unreadable
      .map((extension) => join(directory, `neko.${extension}`))
      .find((path) => typeof tryRead(path, readFile) === 'string')
    if (other !== undefined) {
      problems.push({ severity: 'warning', source: other, reason: 'is not read: only YAML and JSON are', remedy: rewrite })
    }
  }
  return { given: [], problems }
}

function readNamed(named: Given, cwd: string, readFile: ReadFile): Reading {
  const wanted = String(named.raw)
  const path = isAbsolute(wanted) ? wanted : join(cwd, wanted)
  const extension = /\.([^./]+)$/.exec(path)?.[1]?.toLowerCase() ?? ''
  if (unreadable.includes(extension)) {
    const reason = `names ${path}, a .${extension} file: only YAML and JSON are read`
    return { given: [], problems: [{ severity: 'error', source: named.source.where, option: 'config', reason, remedy: rewrite }] }
  }
  const text = tryRead(path, readFile)
  return typeof text === 'string'
    ? readConfigText(text, path)
    : { given: [], problems: [unreadableFile(path, text.error, named.source.where)] }
}

function tryRead(path: string, readFile: ReadFile): string | { error: unknown } {
  try {
    return readFile(path)
  } catch (error) {
    return { error }
  }
}

const codeOf = (error: unknown): unknown => (error instanceof Error && 'code' in error ? error.code : undefined)
const isAbsent = (error: unknown): boolean => ['ENOENT', 'ENOTDIR'].includes(String(codeOf(error)))

const absent = { why: 'does not exist', remedy: () => 'Correct the path, or create the file.' }
const fileErrors: Readonly<Record<string, { why: string; remedy: (path: string) => string }>> = {
  ENOENT: absent,
  ENOTDIR: absent,
  EACCES: {
    why: 'may not be read by this user',
    remedy: (path) => `Give the user that runs neko the right to read it: chmod or chown ${path}.`,
  },
  EISDIR: { why: 'is a directory', remedy: () => 'Name the file in it.' },
}

function unreadableFile(path: string, error: unknown, source: string): Problem {
  const known = fileErrors[String(codeOf(error))]
  const why = known?.why ?? `can not be read: ${messageOf(error)}`
  return {
    severity: 'error',
    source,
    option: 'config',
    reason: `names ${path}, which ${why}`,
    remedy: known?.remedy(path) ?? 'Look at the file and its disk.',
  }
}

/** Reads the text of a configuration file in YAML or JSON; `path` is what problems name. */
export function readConfigText(text: string, path: string): Reading {
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, merge: true, prettyErrors: false })
  const place = (offset: number): string => {
    const { line, col } = lines.linePos(offset)
    return `${path}:${line}:${col}`
  }
  if (document.errors.length > 0) {
    const problems = document.errors.map((error): Problem => {
      return {
        severity: 'error',
        source: place(error.pos[0]),
        reason: `is not valid YAML: ${error.message}`,
        remedy: 'Mend the line; nothing of the file is read until then.',
      }
    })
    return { given: [], problems }
  }
  keepSpelling(document)
  return new FileWalk(document, place).walk()
}

const mergeDepth = 8

class FileWalk {
  readonly #document: Document
  readonly #place: (offset: number) => string
  readonly #given = new Map<string, Given>()
  readonly #problems: Problem[] = []

  constructor(document: Document, place: (offset: number) => string) {
    this.#document = document
    this.#place = place
  }

  walk(): Reading {
    const top = this.#resolve(this.#document.contents)
    if (isMap(top)) {
      this.#section('', top, 0)
    } else if (top !== null && !isEmpty(top)) {
      const source = this.#place(top.range?.[0] ?? 0)
      this.#problems.push({
        severity: 'error',
        source,
        reason: 'a configuration file is a map of options',
        remedy: 'Write lines such as server: { bind: ":8080" }.',
      })
    }
    return { given: [...this.#given.values()], problems: this.#problems }
  }

  #resolve(node: unknown): Node | null {
    if (isAlias(node)) {
      return this.#resolve((node as Alias).resolve(this.#document) ?? null)
    }
    // What a document holds is nodes; anything else is nothing.
    return typeof node === 'object' && node !== null ? (node as Node) : null
  }

  #section(prefix: string, map: YAMLMap, depth: number): void {
    const merges = map.items.filter((pair) => keyText(pair) === '<<')
    for (const pair of depth < mergeDepth ? merges : []) {
      const source = this.#resolve(pair.value)
      const maps = isMap(source)
        ? [source]
        : ((source as { items?: unknown[] } | null)?.items ?? []).map((item) => this.#resolve(item)).reverse()
      for (const merged of maps) {
        if (isMap(merged)) {
          this.#section(prefix, merged, depth + 1)
        }
      }
    }
    for (const pair of map.items) {
      if (!merges.includes(pair)) {
        this.#pair(`${prefix}${keyText(pair).toLowerCase()}`, pair, depth)
      }
    }
  }

  #pair(name: string, pair: Pair, depth: number): void {
    const value = this.#resolve(pair.value)
    const keyAt = this.#place((pair.key as Node | null)?.range?.[0] ?? 0)
    if (isEmpty(value)) {
      if (!knownNames.has(name) && !sections.has(name)) {
        this.#unknown(name, keyAt)
      }
    } else if (sections.has(name) && isMap(value)) {
      this.#section(`${name}.`, value, depth)
    } else if (knownNames.has(name)) {
      this.#take(name, value, this.#place((pair.value as Node | null)?.range?.[0] ?? 0))
    } else if (sections.has(name)) {
      this.#problems.push({
        severity: 'error',
        source: keyAt,
        option: name,
        reason: 'is a section and takes a map',
        remedy: `Write its options below ${name}:, indented.`,
      })
    } else {
      this.#unknown(name, keyAt)
    }
  }

  #take(name: string, value: Node | null, where: string): void {
    try {
      const raw = isScalar(value) ? scalarText(value) : value?.toJS(this.#document, { maxAliasCount: 100 })
      this.#given.set(name, { name, raw, source: { kind: 'file', where } })
    } catch (error) {
      this.#problems.push({
        severity: 'error',
        source: where,
        option: name,
        reason: `can not be read: ${messageOf(error)}`,
        remedy: 'Write the value out instead of using so many aliases.',
      })
    }
  }

  #unknown(name: string, source: string): void {
    const near = optionByPath.has(name) ? undefined : nearestName(name)
    this.#problems.push({
      severity: 'error',
      source,
      option: name,
      reason: 'is not an option',
      remedy: near === undefined ? 'Remove it, or see neko config reference for the names.' : `Did you mean ${near}?`,
    })
  }
}

function keyText(pair: Pair): string {
  const key: unknown = pair.key
  return isScalar(key) ? (key.source ?? String(key.value)) : String(key)
}

/** `key:` with nothing, `~` or `null` behind it: the option is not set. */
function isEmpty(node: Node | null): boolean {
  return node === null || (isScalar(node) && node.value === null)
}

function scalarText(node: Scalar): string {
  return typeof node.value === 'string' ? node.value : (node.source ?? String(node.value))
}
