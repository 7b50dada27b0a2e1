/** V2 options in V3's terms. V2 wins over V3 where both are set, whatever their sources; the exceptions are those of the migration guide. */
import type { Problem } from '../problem.ts'
import { masked } from '../read-value.ts'
import { envName } from '../schema/options.ts'
import type { Given } from '../source/given.ts'
import { BadValue } from '../value/bad-value.ts'
import { type Assignment, type Rule, rules } from './rules.ts'
import { v2Options } from './v2-options.ts'

/** What one V2 option that was given becomes. */
export interface Change {
  readonly key: string
  readonly given: Given
  readonly assignments: readonly Assignment[]
  /** Why it is not simply taken over, or what else the reader should know. */
  readonly remark: string | undefined
}

export interface Translation {
  readonly changes: readonly Change[]
  readonly problems: readonly Problem[]
}

/** Translates the V2 options that were given, in the order of the table. */
export function translateV2(v2: ReadonlyMap<string, Given>, isSet: (path: string) => boolean): Translation {
  const changes: Change[] = []
  const problems: Problem[] = []
  for (const [key, option] of v2Options) {
    const given = v2.get(key)
    if (given !== undefined) {
      const rule: Rule = rules[key] ?? ((raw) => option.to.map((path) => ({ path, raw })))
      const outcome = rule(given.raw, { v2, isSet })
      if (outcome instanceof BadValue) {
        problems.push(badV2(key, given, outcome))
      } else {
        const { assignments, remark } = 'assignments' in outcome ? outcome : { assignments: outcome, remark: undefined }
        changes.push({ key, given, assignments, remark })
      }
    }
  }
  return { changes, problems }
}

function badV2(key: string, given: Given, bad: BadValue): Problem {
  const option = v2Options.get(key)
  return {
    severity: 'error',
    source: given.source.where,
    option: key,
    value: option?.secret === true ? masked : String(given.raw),
    reason: bad.reason,
    remedy: `Mend it, or better write the V3 option: ${(option?.to ?? []).map(envName).join(', ')}.`,
  }
}

/** The line that says what to write in V3 instead of a V2 option. */
export function noticeOf({ key, given, assignments, remark }: Change): string {
  const { kind, where } = given.source
  const option = v2Options.get(key)
  const nameOf = (path: string): string => (kind === 'file' ? path : kind === 'flag' ? `--${path}` : envName(path))
  const written = assignments.map(({ path, raw }) => {
    return option?.secret === true && path !== 'member.provider'
      ? `${nameOf(path)} with ${option.form ?? 'the same value'}`
      : `${nameOf(path)}=${rawText(raw)}`
  })
  const advice = written.length > 0 ? `in V3 write ${written.join(' and ')}` : `its V3 name is ${(option?.to ?? []).map(nameOf).join(', ')}`
  return `${where}${kind === 'file' ? ` (${key})` : ''} is a V2 option: ${advice}${remark === undefined ? '' : `; ${remark}`}`
}

function rawText(raw: unknown): string {
  return Array.isArray(raw) && raw.every((word) => typeof word === 'string')
    ? raw.join(',')
    : typeof raw === 'string'
      ? raw
      : JSON.stringify(raw)
}
