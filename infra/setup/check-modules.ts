/**
 * `node infra/setup/check-modules.ts [ROOT]`: exit code 1 and a list where node_modules is not what package-lock.json asks for on this machine,
 * judged by the record that npm keeps of what it installed. Two uses: npm leaves out optional packages without a word, and what then fails
 * is a native module somewhere else; and a tree that `npm install` just brought up to date must not be deleted by an `npm ci`.
 */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

type Locked = {
  readonly version?: string
  readonly integrity?: string
  readonly optional?: boolean
  readonly os?: readonly string[]
  readonly cpu?: readonly string[]
  readonly libc?: readonly string[]
}
type Packages = Record<string, Locked>

const root = process.argv[2] ?? join(import.meta.dirname, '../..')

/** Optional packages that name no system are parts of the WebAssembly fallbacks, which nothing here uses. */
function isWanted({ optional, os, cpu, libc }: Locked): boolean {
  return !optional || Boolean(os?.includes(process.platform) && cpu?.includes(process.arch) && (libc?.includes('glibc') ?? true))
}

function packagesOf(file: string): Packages {
  const path = join(root, file)
  return existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as { packages: Packages }).packages : {}
}

function differences(wanted: Packages, installed: Packages): string[] {
  const differs = (path: string) =>
    wanted[path]?.version !== installed[path]?.version ||
    wanted[path]?.integrity !== installed[path]?.integrity ||
    !existsSync(join(root, path))
  return Object.keys(wanted).filter((path) => path.startsWith('node_modules/') && isWanted(wanted[path] ?? {}) && differs(path))
}

const different = differences(packagesOf('package-lock.json'), packagesOf('node_modules/.package-lock.json'))
if (different.length > 0) {
  process.stderr.write(`missing or of another version in node_modules:\n${different.join('\n')}\n`)
  process.exitCode = 1
}
