/** Compose files: the services that run neko, with their environment, env files, command and image. */
import { dirname, join } from 'node:path'
import { parseDocument } from 'yaml'
import { keepSpelling } from '../source/spelling.ts'
import { readEnvFile, takeEnvFile } from './env-file.ts'
import { emptyFound, type Found, isNekoImage, takeArguments, takeImage, takeVariable } from './found.ts'
import { splitCommands } from './shell.ts'

interface Tree {
  readonly [key: string]: unknown
}

const isTree = (value: unknown): value is Tree => typeof value === 'object' && value !== null && !Array.isArray(value)

/** The services of a compose file; nothing if the text is none. */
export function composeServices(text: string): Tree | undefined {
  const parsed = parseDocument(text, { merge: true })
  if (parsed.errors.length > 0) {
    return undefined
  }
  keepSpelling(parsed)
  const document: unknown = parsed.toJS()
  return isTree(document) && isTree(document['services']) ? document['services'] : undefined
}

/** What each service of neko says. `.env` beside the file fills in variables, as compose does. */
export function foundInCompose(path: string, services: Tree, readFile: (path: string) => string | undefined): Found[] {
  const folder = dirname(path)
  const variables = readEnvFile(readFile(join(folder, '.env')) ?? '')
  const found: Found[] = []
  for (const [name, service] of Object.entries(services)) {
    if (isTree(service)) {
      const one = emptyFound(`${path}: service ${name}`)
      takeEnvFiles(one, service['env_file'], (file) => readFile(join(folder, file)))
      takeEnvironment(one, service['environment'], variables)
      takeEntrypoint(one, service['entrypoint'], variables)
      takeCommand(one, service['command'], variables)
      takeMounts(one, service['volumes'])
      const image = service['image']
      const isNeko = typeof image === 'string' && isNekoImage(image)
      if (isNeko) {
        takeImage(one, image)
      }
      if ((isNeko || one.env.size > 0) && service['extends'] !== undefined) {
        one.lost.push('extends: what the other service says is not taken over: write it into this one first')
      }
      if (isNeko || one.env.size > 0 || one.lost.length > 0) {
        found.push(one)
      }
    }
  }
  return found
}

function takeEnvFiles(found: Found, value: unknown, readFile: (path: string) => string | undefined): void {
  const entries: unknown[] = Array.isArray(value) ? value : value === undefined || value === null ? [] : [value]
  for (const entry of entries) {
    const file = String(isTree(entry) ? entry['path'] : entry)
    const text = readFile(file)
    if (text === undefined) {
      found.lost.push(`env_file ${file} can not be read: give it to migrate-config as well`)
    } else {
      takeEnvFile(found, text)
    }
  }
}

function takeEnvironment(found: Found, value: unknown, variables: ReadonlyMap<string, string>): void {
  const pairs: [string, unknown][] = isTree(value)
    ? Object.entries(value)
    : (Array.isArray(value) ? value : []).map((line) => {
        const text = String(line)
        const equals = text.indexOf('=')
        return equals < 0 ? [text, null] : [text.slice(0, equals), text.slice(equals + 1)]
      })
  for (const [name, raw] of pairs) {
    const known = raw === null ? variables.get(name) : undefined
    if (raw !== null) {
      takeVariable(found, [name, String(raw)], variables)
    } else if (known !== undefined) {
      takeVariable(found, [name, known], variables)
    } else if (name.startsWith('NEKO_')) {
      found.lost.push(`${name}: its value comes from the shell, which is not known here: set it by hand`)
    }
  }
}

/** An entrypoint may be another program's: only what stands behind neko is neko's. */
function takeEntrypoint(found: Found, value: unknown, variables: ReadonlyMap<string, string>): void {
  const words = wordsOf(value)
  const neko = words.findIndex((word) => /(^|\/)neko$/.test(word))
  takeCommand(found, neko < 0 ? [] : words.slice(neko + 1), variables)
}

const wordsOf = (value: unknown): string[] =>
  Array.isArray(value) ? value.map(String) : typeof value === 'string' ? splitCommands(value).flat() : []

function takeCommand(found: Found, value: unknown, variables: ReadonlyMap<string, string>): void {
  const words = wordsOf(value)
  const first = words.findIndex((word) => word.startsWith('-'))
  takeArguments(found, first < 0 ? [] : words.slice(first), variables)
}

/** A configuration file that is mounted is a source of its own. */
function takeMounts(found: Found, value: unknown): void {
  for (const mount of Array.isArray(value) ? value : []) {
    const text = isTree(mount) ? `${String(mount['source'])}:${String(mount['target'])}` : String(mount)
    if (/:\/etc\/neko\/neko\.\w+(:|$)/.test(text)) {
      found.mounts.push(text)
    }
  }
}
