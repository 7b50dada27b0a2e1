/** Finding and reading the configuration file. */
import { isAbsolute, join } from 'node:path'
import { errorCode, messageOf } from '@neko-edge/kit'
import type { Problem } from '../problem.ts'
import { readConfigText } from './config-text.ts'
import type { Given, Reading } from './given.ts'

/** Gives the text of a file; throws as `readFileSync` does. */
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

const isAbsent = (error: unknown): boolean => ['ENOENT', 'ENOTDIR'].includes(errorCode(error) ?? '')

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
  const known = fileErrors[errorCode(error) ?? '']
  const why = known?.why ?? `can not be read: ${messageOf(error)}`
  return {
    severity: 'error',
    source,
    option: 'config',
    reason: `names ${path}, which ${why}`,
    remedy: known?.remedy(path) ?? 'Look at the file and its disk.',
  }
}
