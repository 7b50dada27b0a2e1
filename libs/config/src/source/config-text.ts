/** The text of a configuration file. Scalars stay text as written, so that `0123` is a fine password; structures become native. */
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
import { sections } from '../schema/options.ts'
import type { Given, Reading } from './given.ts'
import { knownNames, nearestName } from './names.ts'
import { keepSpelling } from './spelling.ts'

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
    const near = nearestName(name)
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
