import { emptyFound, type Found, takeVariable } from './found.ts'

const assignment = /^\s*(?:export\s+)?([A-Za-z_]\w*)\s*=(.*)$/

/** True if every line is an assignment, a comment or empty. */
export function isEnvFile(text: string): boolean {
  const lines = text.split('\n').filter((line) => !/^\s*(#|$)/.test(line))
  return lines.length > 0 && lines.every((line) => assignment.test(line))
}

/** The variables of an env file: quotes are taken off, a comment behind a value too, as compose reads it. */
export function readEnvFile(text: string): Map<string, string> {
  const variables = new Map<string, string>()
  for (const line of text.split('\n')) {
    const match = /^\s*#/.test(line) ? null : assignment.exec(line)
    if (match !== null) {
      variables.set(match[1] ?? '', unquote((match[2] ?? '').trim()))
    }
  }
  return variables
}

export function foundInEnvFile(title: string, text: string): Found {
  const found = emptyFound(title)
  const variables = readEnvFile(text)
  for (const variable of variables) {
    takeVariable(found, variable, variables)
  }
  return found
}

function unquote(value: string): string {
  const quoted = /^(["'])(.*)\1\s*(?:#.*)?$/.exec(value)
  return quoted === null ? value.replace(/\s+#.*$/, '') : (quoted[2] ?? '')
}
