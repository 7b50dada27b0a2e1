import type { Problem } from '../problem.ts'
import type { Given, Reading } from './given.ts'
import { isFlag, isList, knownNames, nearestName, shortFlags } from './names.ts'

/** What the command line holds; `rest` are the arguments that are neither a flag nor its value (`--help` and `--version` among them). */
export interface FlagReading extends Reading {
  readonly rest: readonly string[]
}

// A token that a flag without a value would swallow by mistake: only these are taken as the value of a separate boolean.
const booleanWord = /^(true|false|yes|no|on|off)$/i

/** Reads `--a.b=c`, `--a.b c`, `--flag`, `-c file`; `--` ends the flags. One dash before a long name is taken for two. */
export function readFlags(argv: readonly string[]): FlagReading {
  const given = new Map<string, Given>()
  const problems: Problem[] = []
  const rest: string[] = []
  for (let index = 0; index < argv.length; index++) {
    const token = argv[index] ?? ''
    if (token === '--') {
      rest.push(...argv.slice(index + 1))
      break
    }
    if (!token.startsWith('-') || token === '-' || /^(--help|-h|--version)$/.test(token)) {
      rest.push(token)
      continue
    }
    const { name, label, value } = splitFlag(token)
    if (!knownNames.has(name)) {
      problems.push(unknownFlag(label, name))
      index += value === undefined && takesNext(argv[index + 1]) ? 1 : 0
      continue
    }
    const next = argv[index + 1]
    if (value !== undefined) {
      add(given, { name, label }, value)
    } else if (isFlag(name)) {
      const isWord = next !== undefined && booleanWord.test(next)
      add(given, { name, label }, isWord ? next : 'true')
      index += isWord ? 1 : 0
    } else if (next === undefined || (next.startsWith('--') && next.length > 2)) {
      problems.push({ severity: 'error', source: label, option: name, reason: 'needs a value', remedy: `Write ${label}=VALUE.` })
    } else {
      add(given, { name, label }, next)
      index += 1
    }
  }
  return { given: [...given.values()], problems, rest }
}

function splitFlag(token: string): { name: string; label: string; value: string | undefined } {
  const equals = token.indexOf('=')
  const head = equals < 0 ? token : token.slice(0, equals)
  const value = equals < 0 ? undefined : token.slice(equals + 1)
  const bare = head.replace(/^--?/, '')
  const name = head.startsWith('--') ? bare : (shortFlags[bare] ?? bare)
  return { name, label: head, value }
}

// The value of an unknown flag is not an argument of its own.
const takesNext = (next: string | undefined): boolean => next !== undefined && !next.startsWith('-')

/** A flag given again replaces the earlier one; a list grows. */
function add(given: Map<string, Given>, { name, label }: { name: string; label: string }, raw: string): void {
  const before = given.get(name)?.raw
  const earlier: unknown[] = before === undefined ? [] : Array.isArray(before) ? before : [before]
  given.set(name, { name, raw: isList(name) ? joinLists([...earlier, raw]) : raw, source: { kind: 'flag', where: label } })
}

// A list in JSON stands alone; it is not one word of a list.
const joinLists = (values: unknown[]): unknown => (values.length === 1 && String(values[0]).trim().startsWith('[') ? values[0] : values)

function unknownFlag(label: string, name: string): Problem {
  const near = nearestName(name)
  return {
    severity: 'error',
    source: label,
    reason: 'there is no such flag',
    remedy: near === undefined ? 'neko serve --help lists all flags.' : `Did you mean --${near}?`,
  }
}
