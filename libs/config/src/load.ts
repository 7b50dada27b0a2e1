import { readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { checkConfig } from './check.ts'
import { type Draft, derive, type Surroundings } from './derive.ts'
import { type Change, noticeOf, translateV2 } from './legacy/translate.ts'
import { alwaysHonoured, v2Options } from './legacy/v2-options.ts'
import type { Problem } from './problem.ts'
import { readValue } from './read-value.ts'
import { buildConfig, type Config } from './schema/config.ts'
import { optionByPath } from './schema/options.ts'
import { readEnv } from './source/env.ts'
import { type ReadFile, readConfigFile } from './source/file.ts'
import { readFlags } from './source/flags.ts'
import { type Given, type Reading, rank, type Source } from './source/given.ts'
import { trapNotice } from './upstream-traps.ts'

export interface LoadInput {
  /** The arguments after the sub-command. */
  readonly argv: readonly string[]
  readonly env: Readonly<Record<string, string | undefined>>
  readonly cwd: string
  /** The text of a file; throws as `readFileSync` does, which it is by default. */
  readonly readFile?: ReadFile
  /** Whose data directory is the default one; by default the user that runs the process. */
  readonly user?: { readonly uid: number; readonly home: string }
}

export interface Loaded {
  /** Frozen; where a value is wrong, that of the next weaker source or the default stands in its place. */
  readonly config: Config
  /** Where each value came from; of a V2 option, the V2 name. */
  readonly sources: ReadonlyMap<string, Source>
  readonly problems: readonly Problem[]
  /** Things to say once at the start: V2 options and their V3 names, values that upstream reads otherwise, options without effect. */
  readonly notices: readonly string[]
  /** What V2 options became, for tools that rewrite them. */
  readonly changes: readonly Change[]
  /** True if V2 clients are served and V2 options honoured. */
  readonly legacy: boolean
  /** Arguments that are neither a flag nor its value. */
  readonly rest: readonly string[]
}

/**
 * Reads the configuration of a process: defaults < file < environment < flags, then V2 options over all of them unless `legacy` is false.
 * Never throws for what a user wrote: whatever is wrong is in `problems`, and the process decides (`hasErrors`).
 */
export function loadConfig(input: LoadInput): Loaded {
  const { env, cwd, readFile = (path) => readFileSync(path, 'utf8'), user = currentUser(input.env) } = input
  const flags = readFlags(input.argv)
  const environment = readEnv(env)
  const named = highest([...environment.given, ...flags.given].filter(({ name }) => name === 'config'))
  const file = readConfigFile(named, cwd, readFile)
  return { ...assemble([file, environment, flags], { env, user }), rest: flags.rest }
}

/** Makes a configuration of what sources hold. `loadConfig` without the reading of a file, for tools that have other sources. */
export function assemble(readings: readonly Reading[], surroundings: Surroundings): Omit<Loaded, 'rest'> {
  const given = readings.flatMap((reading) => reading.given)
  const loading = new Loading(readings.flatMap(({ problems }) => problems))
  loading.readV3(given.filter(({ name }) => optionByPath.has(name)))
  loading.readV2(given.filter(({ name }) => v2Options.has(name)))
  return loading.finish(surroundings)
}

function currentUser(env: LoadInput['env']): { uid: number; home: string } {
  const home = env['HOME']
  // A container may run as a user that no file knows; then only HOME says where its home is.
  return { uid: process.getuid?.() ?? 0, home: home === undefined || home === '' ? homedir() : home }
}

/** The one of the strongest source; the last of equals. */
function highest(given: readonly Given[]): Given | undefined {
  return given.reduce<Given | undefined>(
    (best, next) => (best === undefined || rank[next.source.kind] >= rank[best.source.kind] ? next : best),
    undefined,
  )
}

/** One run of the loader: values as they are put together, and what there is to say about them. */
class Loading {
  readonly #draft: Draft = { values: new Map(), sources: new Map() }
  readonly #problems: Problem[]
  readonly #notices: string[] = []
  readonly #inert = new Map<string, string>()
  #changes: readonly Change[] = []

  constructor(problems: readonly Problem[]) {
    this.#problems = [...problems]
    for (const [path, option] of optionByPath) {
      this.#draft.values.set(path, option.default)
      this.#draft.sources.set(path, { kind: 'default', where: '' })
    }
  }

  /** Reads every value, also one that a stronger source hides: a wrong one is a problem wherever it stands. */
  readV3(given: readonly Given[]): void {
    for (const one of given.toSorted((a, b) => rank[a.source.kind] - rank[b.source.kind])) {
      this.#put(one)
      this.#noteInert(one)
    }
    this.#spread()
  }

  readV2(given: readonly Given[]): void {
    const v2 = new Map<string, Given>()
    for (const one of given.toSorted((a, b) => rank[a.source.kind] - rank[b.source.kind])) {
      v2.set(one.name, one)
    }
    const honoured = new Map([...v2].filter(([key]) => this.#isLegacy || alwaysHonoured.has(key)))
    const ignored = [...v2].filter(([key]) => !honoured.has(key)).map(([, { source }]) => source.where)
    if (ignored.length > 0) {
      this.#notices.push(`legacy is false: these V2 options are ignored: ${ignored.join(', ')}`)
    }
    const { changes, problems } = translateV2(honoured, (path) => this.#isSet(path))
    this.#changes = changes
    this.#problems.push(...problems)
    for (const change of changes) {
      this.#notices.push(noticeOf(change))
      for (const { path, raw } of change.assignments) {
        const one = { name: path, raw, source: change.given.source }
        this.#put(one)
        if (change.assignments.length === 1) {
          this.#noteInert(one)
        }
      }
    }
  }

  finish(surroundings: Surroundings): Omit<Loaded, 'rest'> {
    this.#notices.push(...this.#inert.values())
    derive(this.#draft, surroundings)
    const config = buildConfig(this.#draft.values)
    this.#problems.push(...checkConfig(config, this.#draft))
    return {
      config,
      sources: this.#draft.sources,
      problems: this.#problems,
      notices: this.#notices,
      changes: this.#changes,
      legacy: config.legacy,
    }
  }

  get #isLegacy(): boolean {
    return this.#draft.values.get('legacy') === true
  }

  #isSet(path: string): boolean {
    return this.#draft.sources.get(path)?.kind !== 'default'
  }

  #put(given: Given): void {
    const option = optionByPath.get(given.name)
    if (option === undefined) {
      return
    }
    const read = readValue(given.name, option, given)
    if (!read.ok) {
      this.#problems.push(read.problem)
      return
    }
    const notice = trapNotice(option, given, read.value)
    if (notice !== undefined) {
      this.#notices.push(notice)
    }
    this.#draft.values.set(given.name, read.value)
    this.#draft.sources.set(given.name, given.source)
  }

  /** A shorthand fills its options if none of them is set. */
  #spread(): void {
    for (const [path, { spread = [] }] of optionByPath) {
      const source = this.#draft.sources.get(path)
      if (source !== undefined && spread.length > 0 && this.#isSet(path) && !spread.some((target) => this.#isSet(target))) {
        for (const target of spread) {
          this.#draft.values.set(target, this.#draft.values.get(path))
          this.#draft.sources.set(target, source)
        }
      }
    }
  }

  #noteInert({ name, source }: Given): void {
    const inert = optionByPath.get(name)?.inert
    if (inert !== undefined) {
      this.#inert.set(name, `${name} (${source.where}) has no effect: ${inert}`)
    }
  }
}
