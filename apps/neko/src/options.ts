import { formatProblem, hasErrors, type Loaded, loadConfig } from '@neko-edge/config'
import { NekoError } from '@neko-edge/kit'

/** The configuration of this process. Fails with every problem that it has, each with its remedy. */
export function readOptions(argv: readonly string[]): Loaded {
  const loaded = loadConfig({ argv, env: process.env, cwd: process.cwd() })
  const stray = loaded.rest[0]
  if (stray !== undefined) {
    throw new NekoError('invalid', `unknown argument ${stray}: options begin with --, see neko --help`)
  }
  if (hasErrors(loaded.problems)) {
    throw new NekoError('invalid', loaded.problems.map(formatProblem).join('\n'))
  }
  return loaded
}
