import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { homedir, machine } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** Where npm put mediasoup. */
export type Flavour = 'fast' | 'stock'

/** Where npm put mediasoup. */
export const mediasoupFolder = dirname(dirname(dirname(fileURLToPath(import.meta.resolve('mediasoup')))))
/** Everything that decides what the built worker is, beside mediasoup itself. */
export const recipeFolder = join(import.meta.dirname, 'recipe')

/**
 * The path where the worker for this mediasoup, this recipe and this system is kept once it is built, whether or not it is there.
 * Distribution and machine are part of the key: a home folder may outlive an upgrade of the libraries that the worker links to. The
 * processor is not: what depends on it is chosen when the worker starts.
 * `infra/setup/worker.sh` computes the same key before there is a Node to run this; a test keeps them equal.
 */
export function cachedWorker(flavour: Flavour): string {
  const { version } = JSON.parse(readFileSync(join(mediasoupFolder, 'package.json'), 'utf8')) as { version: string }
  return join(cacheFolder(), 'worker', `${version}-${flavour}-${recipeHash()}`, 'mediasoup-worker')
}

/** A worker that is there, and why it is this one. */
export type FoundWorker = { readonly path: string; readonly why: string }

/**
 * The mediasoup worker to run where nobody asks for a certain one: what MEDIASOUP_WORKER_BIN names, else the fast one that set-up built,
 * else the stock one that it downloaded where it could not build; `undefined` where there is none.
 */
export function findWorker(): FoundWorker | undefined {
  const named = process.env['MEDIASOUP_WORKER_BIN']
  if (named) {
    return { path: named, why: 'named by MEDIASOUP_WORKER_BIN' }
  }
  const fast = cachedWorker('fast')
  if (existsSync(fast)) {
    return { path: fast, why: 'the fast one, built here' }
  }
  const stock = cachedWorker('stock')
  return existsSync(stock) ? { path: stock, why: 'the stock one: no fast one was built here' } : undefined
}

/** The path of findWorker(). */
export function workerBinary(): string | undefined {
  return findWorker()?.path
}

/** This project's folder below the user's cache: `$XDG_CACHE_HOME` or `~/.cache`. */
export function cacheFolder(): string {
  return join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'neko-edge')
}

function recipeHash(): string {
  const hash = createHash('sha256').update(`${machine()} ${distribution()}\n`)
  const files = readdirSync(recipeFolder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
  for (const path of files.map((file) => join(file.parentPath, file.name)).sort()) {
    hash.update(readFileSync(path))
  }
  return hash.digest('hex').slice(0, 12)
}

function distribution(): string {
  const release = existsSync('/etc/os-release') ? readFileSync('/etc/os-release', 'utf8') : ''
  const field = (name: string) => new RegExp(`^${name}="?([^"\n]*)`, 'm').exec(release)?.[1] ?? ''
  return `${field('ID')} ${field('VERSION_ID')}`
}
