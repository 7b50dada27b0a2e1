import { createHash, randomUUID } from 'node:crypto'
import { closeSync, existsSync, globSync, mkdirSync, openSync, readFileSync, renameSync } from 'node:fs'
import { machine } from 'node:os'
import { dirname, join } from 'node:path'
import { run } from '../worker/command.ts'
import { cacheFolder } from '../worker/locate.ts'

/**
 * The path of the viewers' program, compiled first where this machine has none of these sources: three seconds, once.
 * Throws when it can not be compiled; the compiler's words are in the log that the error names.
 */
export async function viewersProgram(): Promise<string> {
  const sources = globSync('*.{c,h}', { cwd: import.meta.dirname })
    .sort()
    .map((name) => join(import.meta.dirname, name))
  const hash = createHash('sha256').update(machine())
  for (const path of ['/etc/os-release', ...sources]) {
    hash.update(readFileSync(path))
  }
  const program = join(cacheFolder(), 'viewers', hash.digest('hex').slice(0, 12), 'viewers')
  if (!existsSync(program)) {
    await compile(
      program,
      sources.filter((path) => path.endsWith('.c')),
    )
  }
  return program
}

async function compile(program: string, sources: readonly string[]): Promise<void> {
  const logFile = join(cacheFolder(), 'log', 'viewers-build.log')
  mkdirSync(dirname(program), { recursive: true })
  mkdirSync(dirname(logFile), { recursive: true })
  const log = openSync(logFile, 'w')
  // Under another name first, so that nobody ever finds half a file.
  const half = `${program}.${randomUUID()}`
  try {
    await run('cc', ['-O2', '-std=gnu17', '-Wall', '-Wextra', '-o', half, ...sources, '-lsrtp2', '-lssl', '-lcrypto', '-lm'], { log })
  } catch (cause) {
    throw new Error(`the viewers can not be compiled: see ${logFile}; they need the Debian packages gcc, libsrtp2-dev and libssl-dev`, {
      cause,
    })
  } finally {
    closeSync(log)
  }
  renameSync(half, program)
}
