import { execFile } from 'node:child_process'
import { createHash, randomUUID } from 'node:crypto'
import { closeSync, existsSync, globSync, mkdirSync, openSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { machine } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { run } from '../command.ts'
import { cacheFolder, recipeFolder } from '../locate.ts'

const sources = join(import.meta.dirname, 'native')

/**
 * The path of the program with the unit tests of `recipe/src`, with both sanitizers, built first where this machine has none of these
 * sources: fifteen seconds of two cores, once, kept beside the workers. Throws when it can not be built, and names the log.
 */
export async function nativeTests(): Promise<string> {
  const hash = createHash('sha256').update(machine())
  const files = [sources, join(recipeFolder, 'src')].flatMap((folder) =>
    globSync('*', { cwd: folder })
      .sort()
      .map((name) => join(folder, name)),
  )
  for (const path of ['/etc/os-release', ...files]) {
    hash.update(readFileSync(path))
  }
  const program = join(cacheFolder(), 'native-tests', hash.digest('hex').slice(0, 12), 'tests')
  if (!existsSync(program)) {
    await build(program)
  }
  return program
}

async function build(program: string): Promise<void> {
  const logFile = join(cacheFolder(), 'log', 'native-tests.log')
  const folder = join(cacheFolder(), 'native-tests', `build-${randomUUID()}`)
  mkdirSync(dirname(program), { recursive: true })
  mkdirSync(dirname(logFile), { recursive: true })
  const log = openSync(logFile, 'w')
  try {
    await run('cmake', ['-G', 'Ninja', '-S', sources, '-B', folder, '-DSANITIZE=1'], { log })
    await run('ninja', ['-C', folder], { log })
    renameSync(join(folder, 'tests'), program)
  } catch (cause) {
    throw new Error(`the unit tests of the fast worker can not be built: see ${logFile}; npm run setup installs what builds them`, {
      cause,
    })
  } finally {
    closeSync(log)
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Runs one case of the program and gives what it prints; rejects with what it says is wrong. */
export async function runCase(program: string, name: string): Promise<string> {
  const { stdout } = await promisify(execFile)(program, [name], { env: { ASAN_OPTIONS: 'detect_leaks=1' } })
  return stdout
}
