import { readFileSync } from 'node:fs'
import {
  completionScript,
  effectiveText,
  formatProblem,
  hasErrors,
  loadConfig,
  migrateConfig,
  referenceMarkdown,
  shells,
} from '@neko-edge/config'
import { messageOf, NekoError } from '@neko-edge/kit'

/* The commands about configuration: they print, and end. */

/** `check` shows what is in effect, with the source of every value; exit code 1 where something is wrong. `reference` lists every option. */
export function runConfig([action, ...argv]: readonly string[]): number {
  if (action === 'reference') {
    process.stdout.write(referenceMarkdown())
    return 0
  }
  if (action !== 'check') {
    throw new NekoError('invalid', 'say neko config check, or neko config reference')
  }
  const loaded = loadConfig({ argv, env: process.env, cwd: process.cwd() })
  process.stdout.write(effectiveText(loaded))
  for (const line of [...loaded.notices, ...loaded.problems.map(formatProblem)]) {
    process.stderr.write(`${line}\n`)
  }
  return hasErrors(loaded.problems) ? 1 : 0
}

/**
 * Rewrites configurations of neko V2 or V3 as V3: compose files, env files, YAML, `docker run` commands. The result goes to
 * standard output, a line for each change to standard error; exit code 2 where something needs a hand.
 */
export function runMigrate(argv: readonly string[]): number {
  const isEnv = argv.includes('--to=env')
  const paths = argv.filter((word) => !word.startsWith('--to='))
  const stray = paths.find((word) => word.startsWith('-')) ?? argv.find((word) => word.startsWith('--to=') && !/=(yaml|env)$/.test(word))
  if (paths.length === 0 || stray !== undefined) {
    throw new NekoError(
      'invalid',
      `${stray === undefined ? 'name a file' : `what is ${stray}`}: neko migrate-config [--to=yaml|--to=env] FILE…`,
    )
  }
  const { documents, exitCode } = migrateConfig({
    files: paths.map((path) => ({ path, text: readText(path) })),
    to: isEnv ? 'env' : 'yaml',
    readFile: (path) => {
      try {
        return readFileSync(path, 'utf8')
      } catch {
        return undefined
      }
    },
  })
  for (const { title, text, lines } of documents) {
    process.stdout.write(`# ${title}\n${text}${text.endsWith('\n') ? '' : '\n'}`)
    process.stderr.write(lines.map((line) => `${line}\n`).join(''))
  }
  return exitCode
}

export function runCompletion([shell]: readonly string[], commands: readonly string[]): number {
  const known = shells.find((name) => name === shell)
  if (known === undefined) {
    throw new NekoError('invalid', `say for which shell: neko completion ${shells.join(' | ')}`)
  }
  process.stdout.write(completionScript(known, { program: 'neko', commands, withOptions: ['serve', 'control-plane', 'capture-node'] }))
  return 0
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    throw new NekoError('invalid', `${path} can not be read: ${messageOf(error)}`)
  }
}
