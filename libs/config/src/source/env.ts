import type { Problem } from '../problem.ts'
import { envName, sections } from '../schema/options.ts'
import type { Given, Reading } from './given.ts'
import { knownNames, nearest } from './names.ts'

const nameByVariable: ReadonlyMap<string, string> = new Map([...knownNames].map((name) => [envName(name), name]))
const sectionByVariable: ReadonlyMap<string, string> = new Map([...sections].map((name) => [envName(name), name]))

/** True for what Kubernetes sets in every pod for a Service called `neko` or `neko-…`, and for the variables of neko-rooms. */
function isForeign(variable: string, value: string): boolean {
  const isService = /_SERVICE_(HOST|PORT(_\w+)?)$|_PORT_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?$/.test(variable)
  return isService || (variable.endsWith('_PORT') && /^(tcp|udp|sctp):\/\//.test(value)) || variable.startsWith('NEKO_ROOMS_')
}

/** What the environment holds: `NEKO_…` variables; an empty one is unset. */
export function readEnv(env: Readonly<Record<string, string | undefined>>): Reading {
  const given: Given[] = []
  const problems: Problem[] = []
  for (const [variable, raw] of Object.entries(env)) {
    if (!variable.startsWith('NEKO_') || raw === undefined || raw === '') {
      continue
    }
    const name = nameByVariable.get(variable)
    if (name !== undefined) {
      given.push({ name, raw, source: { kind: 'env', where: variable } })
    } else if (!isForeign(variable, raw)) {
      problems.push(unknownVariable(variable))
    }
  }
  return { given, problems }
}

/** An error where a known variable is so near that it must be meant, else a warning: other programs have variables that begin with NEKO_ too. */
function unknownVariable(variable: string): Problem {
  const section = sectionByVariable.get(variable)
  if (section !== undefined) {
    const example = [...nameByVariable].find(([, name]) => name.startsWith(`${section}.`))?.[0]
    return {
      severity: 'warning',
      source: variable,
      reason: `${section} is a section, not an option; the variable is ignored (upstream would forget all options below it)`,
      remedy: `Remove it, or name an option such as ${example}.`,
    }
  }
  const near = nearest(variable.slice('NEKO_'.length), [...knownNames])
  return {
    severity: near === undefined ? 'warning' : 'error',
    source: variable,
    reason: 'there is no such option',
    remedy: near === undefined ? 'Remove it, or see neko serve --help for the names.' : `Did you mean ${envName(near)}?`,
  }
}
