import { accessSync, constants } from 'node:fs'
import { isAbsolute, join } from 'node:path'
import { NekoError } from '@neko-edge/kit'

/** Where Debian keeps programs; the node's own PATH is not used, so that a user's PATH never decides what runs. */
export const systemPath = '/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin'

const isExecutable = (file: string): boolean => {
  try {
    accessSync(file, constants.X_OK)
    return true
  } catch {
    return false
  }
}

/**
 * The absolute path of `program` (a name looked up in `systemPath`, or an absolute path).
 * Throws `unavailable` when it is not there, naming the Debian package that brings it.
 */
export function findProgram(program: string, aptPackage?: string): string {
  const candidates = isAbsolute(program) ? [program] : systemPath.split(':').map((folder) => join(folder, program))
  const found = candidates.find(isExecutable)
  if (found === undefined) {
    const remedy = aptPackage === undefined ? 'install it or name another program' : `install it with: apt-get install ${aptPackage}`
    throw new NekoError('unavailable', `the program ${program} is missing; ${remedy}`)
  }
  return found
}
