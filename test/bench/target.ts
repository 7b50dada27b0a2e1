import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { messageOf, NekoError, until, within } from '@neko-edge/kit'
import { freeTcpPort, freeUdpPort } from '@neko-edge/testing'
import { loginV3, V3Viewer } from '@neko-edge/testing/viewer'

const startMs = 30_000
const pictureMs = 2_000
/** What a server on loopback lets users in with unless it is told another. */
const password = 'neko'
const stopMs = 10_000
const root = new URL('../..', import.meta.url).pathname

/** A server that is measured. */
export interface Target extends AsyncDisposable {
  url: string
  /** Password of a user who may watch and host. */
  password: string
  /** Processes whose trees are the server; empty when nobody told us. */
  pids: readonly number[]
  /** Undefined for a server that ran before. */
  start: StartTimes | undefined
}

/** From the start of `neko serve`, milliseconds. */
export interface StartTimes {
  /** Until `/readyz` says yes. */
  readyMs: number
  /** Until somebody who tries to watch all the time has the first video packet. */
  pictureMs: number
}

/** A server that somebody else started and will stop. */
export function foreignTarget({ url, password, pids }: { url: string; password: string; pids: readonly number[] }): Target {
  return { url, password, pids, start: undefined, async [Symbol.asyncDispose]() {} }
}

/** Starts our own server through its CLI, with the page of the bench in its desktop, in a data directory that goes with it. */
export async function startOurs({ pageUrl, screen = '1280x720@30' }: { pageUrl: string; screen?: string }): Promise<Target> {
  const directory = await mkdtemp(join(tmpdir(), 'neko-bench-'))
  const port = await freeTcpPort()
  const settings = {
    NEKO_SERVER_BIND: `127.0.0.1:${port}`,
    NEKO_DATA_DIR: directory,
    NEKO_DESKTOP_APP_URL: pageUrl,
    // The page is served on loopback.
    NEKO_DESKTOP_APP_NETWORK: 'shared',
    NEKO_DESKTOP_SCREEN: screen,
    NEKO_WEBRTC_UDPMUX: String(await freeUdpPort()),
    NEKO_WEBRTC_NAT1TO1: '127.0.0.1',
  }
  const pairs = Object.entries(settings).map(([key, value]) => `${key}=${value}`)
  const started = performance.now()
  // setpriv: a bench that is killed must not leave a desktop running.
  const command = ['--pdeathsig', 'SIGTERM', '--', 'env', ...pairs, process.execPath, join(root, 'apps/neko/src/main.ts'), 'serve']
  const child = spawn('setpriv', command, { stdio: ['ignore', 'pipe', 'pipe'] })
  const output = collect(child)
  const stop = async () => {
    await end(child)
    await rm(directory, { recursive: true, force: true })
  }
  const url = `http://127.0.0.1:${port}`
  try {
    await until(() => isReady(url, child, output), { ms: startMs, what: 'neko serve is ready', everyMs: 10 })
    const readyMs = performance.now() - started
    await firstPicture(url)
    const start = { readyMs, pictureMs: performance.now() - started }
    return { url, password, pids: child.pid === undefined ? [] : [child.pid], start, [Symbol.asyncDispose]: stop }
  } catch (cause) {
    await stop()
    throw new NekoError('unavailable', `neko serve did not get ready: ${messageOf(cause)}\n${output.text}`, { cause })
  }
}

/** Serves the page that the desktop's browser shows; an application in a cage sees no file of ours, but the network. */
export async function servePage(): Promise<{ url: string } & AsyncDisposable> {
  const page = await readFile(new URL('click-page.html', import.meta.url))
  const server: Server = createServer((_, response) => response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' }).end(page))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') {
    throw new Error('a TCP server on 127.0.0.1 always has a port')
  }
  const close = async () => {
    server.closeAllConnections()
    server.close()
    await once(server, 'close')
  }
  return { url: `http://127.0.0.1:${address.port}/`, [Symbol.asyncDispose]: close }
}

function collect(child: ChildProcess): { text: string } {
  const output = { text: '' }
  const note = (chunk: Buffer) => {
    output.text = (output.text + chunk.toString()).slice(-4_000)
  }
  child.stdout?.on('data', note)
  child.stderr?.on('data', note)
  return output
}

async function isReady(url: string, child: ChildProcess, output: { text: string }): Promise<boolean> {
  if (child.exitCode !== null) {
    throw new NekoError('unavailable', `neko serve ended with ${child.exitCode}: ${output.text}`)
  }
  const response = await fetch(`${url}/readyz`, { signal: AbortSignal.timeout(1_000) }).catch(() => undefined)
  await response?.body?.cancel()
  return response?.ok === true
}

/** Watches until a packet comes, again and again: the room may start after the doors are open. */
async function firstPicture(url: string): Promise<void> {
  const session = await loginV3({ url, username: 'bench-start', password })
  let last: unknown
  const sees = async () => {
    await using viewer = await V3Viewer.connect(session, { frames: false })
    const packet = viewer.watch().then(() => until(() => viewer.peer.video.firstAt, { ms: pictureMs, what: 'a packet', everyMs: 2 }))
    try {
      return await within(pictureMs, 'the first picture', packet)
    } catch (error) {
      last = error
      return undefined
    }
  }
  await until(sees, { ms: startMs, what: 'the first picture after the start', everyMs: 50 }).catch((cause: unknown) => {
    throw new NekoError('unavailable', `${messageOf(cause)}; at last: ${messageOf(last)}`, { cause: last })
  })
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) {
    return
  }
  child.kill('SIGTERM')
  const gone = once(child, 'exit')
  await within(stopMs, 'stopping neko serve', gone).catch(() => child.kill('SIGKILL'))
}
