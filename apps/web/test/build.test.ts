import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join, normalize } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { build } from 'vite'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const root = fileURLToPath(new URL('..', import.meta.url))

describe('what is built', () => {
  let folder: string

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'neko-web-'))
    await build({ root, logLevel: 'error', build: { outDir: folder, emptyOutDir: true } })
  })

  afterAll(() => rm(folder, { recursive: true, force: true }))

  /** A module with every module that it loads before it runs. */
  async function withImports(name: string, seen = new Map<string, string>()): Promise<Map<string, string>> {
    const code = await readFile(join(folder, name), 'utf8')
    seen.set(name, code)
    for (const [, path = ''] of code.matchAll(/(?:from|import)\s*"(\.[^"]+)"/g)) {
      const next = normalize(join(dirname(name), path))
      if (!seen.has(next)) {
        await withImports(next, seen)
      }
    }
    return seen
  }

  const gzipped = (files: ReadonlyMap<string, string>) => [...files.values()].reduce((sum, code) => sum + gzipSync(code).length, 0)

  it('[WEB-1420] the element weighs at most 60 kB with everything it needs, and has no schema library in it', async () => {
    const files = await withImports('neko-view.js')
    expect(files.size).toBeGreaterThan(1)
    expect(gzipped(files)).toBeLessThan(60_000)
    expect([...files].filter(([, code]) => /ZodError|zod\/v4/.test(code)).map(([name]) => name)).toEqual([])
  })

  it('[WEB-1421] both modules export at their addresses what the documentation names', async () => {
    const client = await import(join(folder, 'neko-client.js'))
    expect(Object.keys(client)).toEqual(expect.arrayContaining(['NekoClient', 'troubleWords', 'ratesBetween', 'profileOf']))
    // It is usable outside of a page as well, up to the point where it needs a browser.
    const room = new client.NekoClient({ base: 'https://example.org/' })
    expect([room.connection.value, room.api.url('api/login')]).toEqual([{ is: 'signed-out' }, 'https://example.org/api/login'])
    room.close()
    const exported = /export\s*\{([^}]*)\};?\s*$/.exec(await readFile(join(folder, 'neko-view.js'), 'utf8'))?.[1]
    expect(exported).toMatch(/\bNekoView$/)
  })
})
