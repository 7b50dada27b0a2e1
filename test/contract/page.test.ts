import { describe, expect, it } from 'vitest'
import { dist, read, weighPage } from '../bench/page-weight.ts'
import { Site } from './options.fixture.ts'

/** What a part of the page may weigh, in bytes after gzip. */
const most = { firstPaint: 30_000, all: 150_000, element: 60_000 }

describe('the page as it is built', () => {
  it('[WEB-1501] is painted from little, without the code of WebRTC and of the room, which come after it', async () => {
    const { first, room } = await weighPage()
    expect((await Promise.all(first.names.map(read))).join('')).not.toContain('RTCPeerConnection')
    expect((await Promise.all(room.names.map(read))).join('')).toContain('RTCPeerConnection')
    expect(first.gzipBytes).toBeLessThan(most.firstPaint)
  })

  it('[WEB-1502] weighs little in all, in its heaviest language, and the element alone as well', async () => {
    const { all, element } = await weighPage()
    expect(all.names.filter((name) => name.includes('assets/ru-'))).toHaveLength(1)
    expect(all.gzipBytes).toBeLessThan(most.all)
    expect((await Promise.all(element.names.map(read))).join('')).toContain('RTCPeerConnection')
    expect((await Promise.all(element.names.map(read))).join('')).not.toMatch(/ZodError|zod\/v4/)
    expect(element.gzipBytes).toBeLessThan(most.element)
  })

  it('[WEB-1421] has the client at an address that stays, usable without a page up to where it needs a browser', async () => {
    const client = await import(new URL('neko-client.js', dist).href)
    expect(Object.keys(client)).toEqual(expect.arrayContaining(['NekoClient', 'troubleWords', 'ratesBetween', 'profileOf']))
    const room = new client.NekoClient({ base: 'https://example.org/' })
    expect([room.connection.value, room.api.url('api/login')]).toEqual([{ is: 'signed-out' }, 'https://example.org/api/login'])
    room.close()
    expect(await read('neko-view.js')).toMatch(/export\s*\{[^}]*\bas NekoView\b/)
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
