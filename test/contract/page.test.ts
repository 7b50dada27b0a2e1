import { readdir, readFile } from 'node:fs/promises'
import { gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { Site } from './options.fixture.ts'

/** The page as it was built; the set-up of `npm test` builds it. */
const dist = new URL('../../apps/web/dist/', import.meta.url)

/** What a part of the page may weigh, in bytes after gzip. */
const most = { firstPaint: 30_000, all: 150_000, element: 60_000 }

const gzipped = async (name: string) => gzipSync(await readFile(new URL(name, dist))).length

async function weigh(names: Iterable<string>): Promise<number> {
  const sizes = await Promise.all([...names].map(gzipped))
  return sizes.reduce((sum, size) => sum + size, 0)
}

/** A script of the page with every script that it can not run without. */
async function withImports(name: string): Promise<Set<string>> {
  const names = new Set([name])
  // A set that grows while it is walked is walked to its new end.
  for (const each of names) {
    const source = await readFile(new URL(each, dist), 'utf8')
    for (const [, path] of source.matchAll(/\b(?:from|import)\s*"(\.[^"]+\.js)"/g)) {
      names.add(new URL(path ?? '', new URL(each, dist)).pathname.slice(dist.pathname.length))
    }
  }
  return names
}

describe('the page as it is built', () => {
  it('[WEB-1501] is painted from little, without the code of WebRTC and of the room, which come after it', async () => {
    const html = await readFile(new URL('index.html', dist), 'utf8')
    const named = [...html.matchAll(/(?:src|href)="\.\/(assets\/[^"]+)"/g)].map(([, name]) => name ?? '')
    const scripts = await Promise.all(named.filter((name) => name.endsWith('.js')).map(withImports))
    const first = new Set(['index.html', ...named, ...scripts.flatMap((names) => [...names])])
    const sources = await Promise.all([...first].map((name) => readFile(new URL(name, dist), 'utf8')))
    expect(scripts.length).toBeGreaterThan(0)
    expect(sources.join('')).not.toMatch(/RTCPeerConnection|neko-view"/)
    expect(await weigh(first)).toBeLessThan(most.firstPaint)
  })

  it('[WEB-1502] weighs little in all, with every language, and the element alone as well', async () => {
    const entries = await readdir(dist, { recursive: true })
    const names = entries.filter((name) => /\.\w+$/.test(name))
    expect(names).toContain('neko-view.js')
    expect(await weigh(names)).toBeLessThan(most.all)
    const element = await withImports('neko-view.js')
    const sources = await Promise.all([...element].map((name) => readFile(new URL(name, dist), 'utf8')))
    expect(sources.join('')).toContain('RTCPeerConnection')
    expect(sources.join('')).not.toMatch(/ZodError|zod\/v4/)
    expect(await weigh(element)).toBeLessThan(most.element)
  })

  it('[WEB-1421] has the client at an address that stays, usable without a page up to where it needs a browser', async () => {
    const client = await import(new URL('neko-client.js', dist).href)
    expect(Object.keys(client)).toEqual(expect.arrayContaining(['NekoClient', 'troubleWords', 'ratesBetween', 'profileOf']))
    const room = new client.NekoClient({ base: 'https://example.org/' })
    expect([room.connection.value, room.api.url('api/login')]).toEqual([{ is: 'signed-out' }, 'https://example.org/api/login'])
    room.close()
    expect(await readFile(new URL('neko-view.js', dist), 'utf8')).toMatch(/export\s*\{[^}]*\bas NekoView\b/)
  })
})

describe('the page as it is served', () => {
  it('[WEB-1503] below a path prefix, with everything that it names, and nothing inline or from elsewhere is allowed', async () => {
    await using site = await Site.open({ SERVER_PATH_PREFIX: '/deep/down' })
    const page = await site.fetch('/deep/down/')
    const html = await page.text()
    const policy = page.headers.get('content-security-policy') ?? ''
    expect(policy).toContain("default-src 'self'")
    expect(policy).not.toMatch(/unsafe|\*|https?:|wss?:/)
    expect(html).not.toMatch(/<script(?![^>]* src=)|<style|\son\w+=|\sstyle=|https?:/)
    const manifest = (await (await site.fetch('/deep/down/manifest.webmanifest')).json()) as { icons: { src: string }[] }
    const named = [...html.matchAll(/(?:src|href)="\.\/([^"]+)"/g)].map(([, name]) => name ?? '')
    const served = await Promise.all(
      [...named, ...manifest.icons.map(({ src }) => src)].map(async (name) => {
        const response = await site.fetch(`/deep/down/${name}`)
        return [name.replace(/^.*\./, ''), response.status, response.headers.get('content-type')]
      }),
    )
    const types = {
      js: 'text/javascript; charset=utf-8',
      css: 'text/css; charset=utf-8',
      svg: 'image/svg+xml; charset=utf-8',
      png: 'image/png',
    }
    const all = { ...types, webmanifest: 'application/manifest+json' }
    expect(new Map(served.map(([ending, ...rest]) => [ending, rest]))).toEqual(
      new Map(Object.entries(all).map(([ending, type]) => [ending, [200, type]])),
    )
    expect(served.every(([, status]) => status === 200)).toBe(true)
  })

  it('[WEB-1504] is asked for anew each time, while what has a hash in its name is kept', async () => {
    await using site = await Site.open()
    const page = await site.fetch('/')
    const script = /src="\.\/(assets\/[^"]+)"/.exec(await page.text())?.[1]
    expect(page.headers.get('cache-control')).toBe('no-cache')
    for (const name of ['neko-view.js', 'icon-mask.png', 'manifest.webmanifest']) {
      expect((await site.fetch(`/${name}`)).headers.get('cache-control'), name).toBe('no-cache')
    }
    expect((await site.fetch(`/${script}`)).headers.get('cache-control')).toContain('immutable')
  })
})
