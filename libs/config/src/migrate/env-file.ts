import { emptyFound, type Found, takeVariable } from './found.ts'
import { interpolate } from './interpolate.ts'

const assignment = /^\s*(?:export\s+)?([A-Za-z_]\w*)\s*=(.*)$/

/** True if every line is an assignment, a comment or empty. */
export function isEnvFile(text: string): boolean {
  const lines = text.split('\n').filter((line) => !/^\s*(#|$)/.test(line))
  return lines.length > 0 && lines.every((line) => assignment.test(line))
}

/**
 * The variables of an env file as compose reads it: quotes are taken off, a comment behind a value too, variables of earlier lines are
 * filled in except within single quotes. What depends on a variable that is not in the file stays as it is written.
 */
export function readEnvFile(text: string): Map<string, string> {
  const variables = new Map<string, string>()
  for (const [name, template] of templates(text)) {
    variables.set(name, interpolate(template, variables).text)
  }
  return variables
}

export function foundInEnvFile(title: string, text: string): Found {
  const found = emptyFound(title)
  takeEnvFile(found, text)
  return found
}

/** Takes the variables of an env file into `found`; a name without a value gets it from a shell, of which nothing is known. */
export function takeEnvFile(found: Found, text: string): void {
  const variables = readEnvFile(text)
  for (const pair of templates(text)) {
    takeVariable(found, pair, variables)
  }
  takeBareNames(found, text)
}

/** Takes the lines of a file for `docker run --env-file` into `found`: docker knows neither quotes nor variables. */
export function takeDockerEnvFile(found: Found, text: string): void {
  for (const line of text.split(/\r?\n/)) {
    const [, name, value] = /^\s*([A-Za-z_]\w*)=(.*)$/.exec(line) ?? []
    if (name !== undefined && value !== undefined) {
      takeVariable(found, [name, literal(value)], new Map())
    }
  }
  takeBareNames(found, text)
}

function takeBareNames(found: Found, text: string): void {
  for (const [, name] of text.matchAll(/^\s*(NEKO_\w+)\s*$/gm)) {
    found.lost.push(`${name}: its value comes from the shell, which is not known here: set it by hand`)
  }
}

/** A value as a line of an env file holds it; nothing if it is empty, has a line break, or no quotes fit that compose, systemd and Node read alike. */
export function envFileValue(value: string): string | undefined {
  if (value === '' || /[\r\n]/.test(value)) {
    return undefined
  }
  if (!/^[\s'"`#]|\s$|\s#|[$\\`]/.test(value)) {
    return value
  }
  return value.includes("'") ? (/["$\\`]/.test(value) ? undefined : `"${value}"`) : `'${value}'`
}

/** Names and values; a dollar that stands for itself is doubled. */
function templates(text: string): [string, string][] {
  return text.split('\n').flatMap((line): [string, string][] => {
    const match = /^\s*#/.test(line) ? null : assignment.exec(line)
    return match === null ? [] : [[match[1] ?? '', unquote((match[2] ?? '').trim())]]
  })
}

function unquote(value: string): string {
  const [, single, double] = /^(?:'([^']*)'|"((?:\\.|[^"\\])*)")\s*(?:#.*)?$/.exec(value) ?? []
  if (single !== undefined) {
    return literal(single)
  }
  return double?.replaceAll(/\\(["\\$])/g, (_, char: string) => literal(char)) ?? value.replace(/(^|\s+)#.*$/, '')
}

// As a function, since `$$` stands for one dollar in a replacement.
const literal = (value: string): string => value.replaceAll('$', () => '$$')
