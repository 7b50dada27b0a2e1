import { appendFileSync, existsSync, mkdirSync, renameSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { messageOf, NekoError } from '@neko-edge/kit'

const latest = 'neko-latest.log'

/**
 * Writes lines to `neko-latest.log` in a folder. The process that begins a run keeps the last run's file under the time of
 * its end; the processes that it starts write to the same file.
 */
export function logFile(folder: string, { isFirst }: { isFirst: boolean }): (line: string) => void {
  const path = join(folder, latest)
  try {
    mkdirSync(folder, { recursive: true })
    if (isFirst && existsSync(path)) {
      renameSync(path, join(folder, `neko-${statSync(path).mtime.toISOString().replaceAll(/[:.]/g, '-')}.log`))
    }
    appendFileSync(path, '')
  } catch (error) {
    throw new NekoError(
      'unavailable',
      `the log directory ${folder} can not be written (${messageOf(error)}): set NEKO_LOG_DIR to one that can`,
    )
  }
  return (line) => appendFileSync(path, line)
}
