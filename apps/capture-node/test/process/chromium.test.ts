import { chmod, readFile, readlink, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { silentLog, systemClock, until } from '@neko-edge/kit'
import { processTree } from '@neko-edge/testing'
import { describe, expect, it } from 'vitest'
import type { Application } from '../../src/process/application.ts'
import { openRoomDesktop, type RoomDesktop } from '../../src/process/room-desktop.ts'
import { namedWindows, windowNamed } from './windows.fixture.ts'
import { roomUser, tempFolder } from './world.fixture.ts'

/** A cold start of the browser on a busy machine. */
/** The window's name once its page has one: the title, or what the browser calls a page that it could not load. */
const settled = /^(?!Untitled|New Tab|about:blank).* - Chromium$/

const browserMs = 25_000

interface Browser extends AsyncDisposable {
  readonly desktop: RoomDesktop
  /** The application's home as the node sees it. */
  readonly home: string
  /** The name of the browser's window, once the page has given it one. */
  titleOf(name: RegExp): Promise<string>
}

async function openBrowser(application: Omit<Extract<Application, { is: 'chromium' }>, 'is'>): Promise<Browser> {
  await using stack = new AsyncDisposableStack()
  const folder = stack.use(await tempFolder())
  const identity = roomUser()
  const desktop = stack.use(
    await openRoomDesktop({
      runFolder: join(folder.path, 'room'),
      ...(identity && { identity }),
      screen: { width: 1280, height: 720, rate: 30 },
      application: { is: 'chromium', ...application },
      clock: systemClock,
      log: silentLog,
    }),
  )
  const owned = stack.move()
  const titleOf = async (name: RegExp): Promise<string> =>
    (await until(() => windowNamed(desktop, name), { ms: browserMs, what: `window ${name}`, everyMs: 100 })).name
  return { desktop, home: join(folder.path, 'room/home'), titleOf, [Symbol.asyncDispose]: () => owned.disposeAsync() }
}

describe('Chromium in the cage', { timeout: 60_000 }, () => {
  it('[PRC-60] shows a page of the network, maximised, with its own sandbox on', async () => {
    await using page = await servePage('<title>first light</title>')
    await using browser = await openBrowser({ url: page.url })
    await browser.titleOf(/^first light - Chromium$/)
    expect(await windowNamed(browser.desktop, /first light/)).toMatchObject({ isMaximised: true, frame: [0, 0, 0, 0] })
    const processes = await processTree(browser.desktop.pids().application ?? 0)
    const lines = await Promise.all(
      processes.map(async ({ pid }) => ({ pid, line: await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '') })),
    )
    expect(lines.filter(({ line }) => line.includes('--no-sandbox'))).toEqual([])
    const renderers = lines.filter(({ line }) => line.includes('--type=renderer'))
    expect(renderers.length).toBeGreaterThan(0)
    const outside = await readlink('/proc/self/ns/user')
    const browserSpace = await readlink(
      `/proc/${lines.find(({ line }) => !line.includes('--type=') && line.includes('/chromium\0'))?.pid}/ns/user`,
    )
    for (const { pid } of renderers) {
      const status = await readFile(`/proc/${pid}/status`, 'utf8')
      // Filtered by seccomp, and in a user and a PID namespace below the cage's: Chromium's layer-1 and layer-2 sandboxes.
      expect(status).toMatch(/^Seccomp:\s+2$/m)
      expect(status).toMatch(/^NSpid:(\s+\d+){4}$/m)
      expect([outside, browserSpace]).not.toContain(await readlink(`/proc/${pid}/ns/user`))
    }
  })

  it('[PRC-61] can not read a file of the machine even where its policies allow file addresses', async () => {
    await using data = await tempFolder()
    await chmod(data.path, 0o755)
    const secret = join(data.path, 'secret.html')
    await writeFile(secret, '<title>swordfish</title>')
    await using browser = await openBrowser({ url: `file://${secret}`, policies: {} })
    const title = await browser.titleOf(settled); console.log(title); expect(title).not.toMatch(/swordfish/)
    await writeFile(join(browser.home, 'own.html'), '<title>own file</title>')
    expect((await namedWindows(browser.desktop)).filter(({ name }) => name.includes('swordfish'))).toEqual([])
  })

  it('[PRC-62] reads its own home where its policies allow it, and nothing through file addresses with the default ones', async () => {
    for (const [policies, expected] of [
      [{}, /^own file - Chromium$/],
      [undefined, /^file:\/\/\/home\/neko\/own.html|^.*blocked.* - Chromium$|^home\/neko\/own.html - Chromium$/],
    ] as const) {
      await using browser = await openBrowser({ url: 'file:///home/neko/own.html', ...(policies && { policies }) })
      await writeFile(join(browser.home, 'own.html'), '<title>own file</title>')
      await chmod(join(browser.home, 'own.html'), 0o644)
      await browser.titleOf(settled)
      const first = browser.desktop.pids().application ?? expect.fail('not up')
      process.kill(first, 'SIGKILL')
      await until(() => browser.desktop.pids().application !== first && browser.desktop.pids().application, {
        ms: 5_000,
        what: 'second run',
      })
      console.log(await browser.titleOf(settled))
      expect(await browser.titleOf(settled)).toMatch(expected)
    }
  })
})

/** One page on a loopback port. */
async function servePage(html: string): Promise<AsyncDisposable & { readonly url: string }> {
  const server = createServer((_request, response) => response.setHeader('content-type', 'text/html').end(html))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  // A TCP server that listens has an address with a port.
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}/`,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections()
      server.close()
    },
  }
}
