import { chmod, readFile, readlink, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { silentLog, systemClock, until } from '@neko-edge/kit'
import { processTree } from '@neko-edge/testing'
import { roomUser, tempFolder } from '@neko-edge/testing/process'
import { describe, expect, it } from 'vitest'
import type { Application } from '../../src/process/application.ts'
import { chromiumPolicies, chromiumProgram, policyFolder } from '../../src/process/chromium.ts'
import { openRoomDesktop, type RoomDesktop } from '../../src/process/room-desktop.ts'
import { windowNamed } from './windows.fixture.ts'

/** A cold start of the browser on a busy machine. */
const browserMs = 25_000

interface Browser extends AsyncDisposable {
  readonly desktop: RoomDesktop
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
  return { desktop, titleOf, [Symbol.asyncDispose]: () => owned.disposeAsync() }
}

describe('Chromium in the cage', { timeout: 90_000 }, () => {
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
    const pidOfBrowser =
      lines.find(({ line }) => line.startsWith(chromiumProgram) && !line.includes('--type='))?.pid ?? expect.fail('no browser')
    expect(JSON.parse(await readFile(`/proc/${pidOfBrowser}/root${policyFolder}/policies.json`, 'utf8'))).toEqual(chromiumPolicies)
    const outside = await readlink('/proc/self/ns/user')
    const browserSpace = await readlink(`/proc/${pidOfBrowser}/ns/user`)
    for (const { pid } of renderers) {
      const status = await readFile(`/proc/${pid}/status`, 'utf8')
      // Filtered by seccomp, and in a user and a PID namespace below the cage's: Chromium's layer-1 and layer-2 sandboxes.
      expect(status).toMatch(/^Seccomp:\s+2$/m)
      expect(status).toMatch(/^NSpid:(\s+\d+){4}$/m)
      expect([outside, browserSpace]).not.toContain(await readlink(`/proc/${pid}/ns/user`))
    }
  })

  it("[PRC-61] can not read a file of the machine, though it can its own home's", async () => {
    await using data = await tempFolder()
    await chmod(data.path, 0o755)
    await writeFile(join(data.path, 'secret.html'), '<p>swordfish</p>')
    const [secret, folder, own] = await readAddresses(
      [`file://${data.path}/secret.html`, 'file:///root/', 'file:///home/neko/own.html'],
      {},
    )
    expect(secret).toMatch(/ERR_FILE_NOT_FOUND/)
    expect(folder).toMatch(/ERR_FILE_NOT_FOUND/)
    expect(own).toMatch(/goldfish/)
  })

  it('[PRC-62] reads no file address at all under its policies', async () => {
    // Reading a page without a window needs the developer tools, which the policies forbid as well.
    const policies = { ...chromiumPolicies, DeveloperToolsAvailability: 1 }
    const [own] = await readAddresses(['file:///home/neko/own.html'], policies)
    expect(own).toMatch(/ERR_BLOCKED_BY_ADMINISTRATOR/)
  })

  it('[PRC-63] comes back when it was closed, with its profile', async () => {
    await using page = await servePage('<title>again</title>')
    await using browser = await openBrowser({ url: page.url })
    await browser.titleOf(/^again - Chromium$/)
    const first = browser.desktop.pids().application ?? expect.fail('not up')
    const start = performance.now()
    expect(page.requests()).toBe(1)
    process.kill(first, 'SIGKILL')
    await until(() => page.requests() === 2, { ms: browserMs, what: 'second visit' })
    await browser.titleOf(/^again - Chromium$/)
    expect(browser.desktop.pids().application).not.toBe(first)
    console.log(JSON.stringify({ killed: 'chromium', gapMs: Math.round(performance.now() - start) }))
  })
})

/** What the browser makes of each address, its HTML or why it could not be loaded, run in a room's cage under `policies`; ~/own.html is a file of its own. */
async function readAddresses(addresses: readonly string[], policies: Readonly<Record<string, unknown>>): Promise<string[]> {
  await using folder = await tempFolder()
  const policyFile = join(folder.path, 'policies.json')
  await writeFile(policyFile, JSON.stringify(policies))
  const identity = roomUser()
  const browser = `${chromiumProgram} --headless --disable-gpu --disable-background-networking --dump-dom`
  const reads = addresses.map((address, index) => `${browser} ${address} >~/page${index} 2>&1;`).join(' ')
  await using desktop = await openRoomDesktop({
    runFolder: join(folder.path, 'room'),
    ...(identity && { identity }),
    screen: { width: 640, height: 480, rate: 25 },
    application: {
      is: 'command',
      line: `echo '<p>goldfish</p>' >~/own.html; ${reads} echo done >~/done; exec sleep 60`,
      shown: { [`${policyFolder}/policies.json`]: policyFile },
    },
    clock: systemClock,
    log: silentLog,
  })
  expect(desktop.display).toMatch(/^:/)
  const file = (name: string): Promise<string> => readFile(join(folder.path, 'room/home', name), 'utf8')
  await until(() => file('done').catch(() => undefined), { ms: browserMs * addresses.length, what: 'pages', everyMs: 100 })
  return await Promise.all(addresses.map((_address, index) => file(`page${index}`)))
}

/** One page on a loopback port, and how often it was asked for. */
async function servePage(html: string): Promise<AsyncDisposable & { readonly url: string; requests(): number }> {
  let requests = 0
  const server = createServer((request, response) => {
    requests += request.url === '/' ? 1 : 0
    response.setHeader('content-type', 'text/html').end(html)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  // A TCP server that listens has an address with a port.
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}/`,
    requests: () => requests,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections()
      server.close()
    },
  }
}
