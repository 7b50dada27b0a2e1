import { readdir, readFile } from 'node:fs/promises'
import { gzipSync } from 'node:zlib'

/** The page as it was built; the set-up builds it. */
export const dist = new URL('../../apps/web/dist/', import.meta.url)

export interface Weight {
  readonly names: readonly string[]
  readonly rawBytes: number
  readonly gzipBytes: number
}

/** What a browser fetches, in the order in which it needs it. */
export interface PageWeight {
  /** For the login page to be painted. */
  readonly first: Weight
  /** More of it before somebody is in: the room, the connection, WebRTC. */
  readonly room: Weight
  /** `<neko-view>` alone, for another page. */
  readonly element: Weight
  /** Everything that one visitor may ever fetch: all code and styles, in the heaviest language. */
  readonly all: Weight
}

/** Weighs the page that lies in apps/web/dist. */
export async function weighPage(): Promise<PageWeight> {
  const entries = await readdir(dist, { recursive: true })
  const html = await read('index.html')
  const named = [...html.matchAll(/(?:src|href)="\.\/(assets\/[^"]+)"/g)].map(([, name]) => name ?? '')
  const first = new Set(['index.html', ...named, ...(await withImports(named.filter(isScript)))])
  const inside = entries.filter((name) => /assets\/inside-.*\.js$/.test(name))
  const room = [...(await withImports(inside))].filter((name) => !first.has(name))
  return {
    first: await weigh(first),
    room: await weigh(room),
    element: await weigh(await withImports(['neko-view.js'])),
    all: await weigh([...entries.filter((name) => isCode(name) && !isLanguage(name)), await heaviest(entries.filter(isLanguage))]),
  }
}

/** What a file of the built page says. */
export const read = (name: string): Promise<string> => readFile(new URL(name, dist), 'utf8')

const isScript = (name: string) => name.endsWith('.js')
const isCode = (name: string) => /\.(js|css|html)$/.test(name)
const isLanguage = (name: string) => /^assets\/(zh-cn|zh-tw|[a-z]{2})-[\w-]{8}\.js$/.test(name)

async function heaviest(names: readonly string[]): Promise<string> {
  const weights = await Promise.all(names.map(async (name) => ({ name, ...(await weigh([name])) })))
  return weights.reduce((most, each) => (each.gzipBytes > most.gzipBytes ? each : most)).name
}

/** Scripts with every script that they can not run without. */
async function withImports(scripts: readonly string[]): Promise<Set<string>> {
  const names = new Set(scripts)
  // A set that grows while it is walked is walked to its new end.
  for (const name of names) {
    for (const [, path] of (await read(name)).matchAll(/\b(?:from|import)\s*"(\.[^"]+\.js)"/g)) {
      names.add(new URL(path ?? '', new URL(name, dist)).pathname.slice(dist.pathname.length))
    }
  }
  return names
}

async function weigh(names: Iterable<string>): Promise<Weight> {
  const files = await Promise.all([...names].map((name) => readFile(new URL(name, dist))))
  const sum = (of: (file: Buffer) => number) => files.reduce((all, file) => all + of(file), 0)
  return { names: [...names], rawBytes: sum((file) => file.length), gzipBytes: sum((file) => gzipSync(file).length) }
}
