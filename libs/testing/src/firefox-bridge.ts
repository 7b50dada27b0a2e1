#!/usr/bin/env node
/**
 * Debian's Firefox, as a program that playwright-core can drive: it speaks WebDriver BiDi, and playwright asks for things that this Firefox
 * does not do and no test needs. This stands between them and answers those itself.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { WebSocket, WebSocketServer } from 'ws'

const program = '/usr/bin/firefox-esr'
/** Colour schemes and the like: the page is as Firefox is. Downloads: they go where the profile says, and not where nobody finds them. */
const lacking: readonly unknown[] = ['emulation.setMediaFeaturesOverride', 'browser.setDownloadBehavior']

const firefox = spawn(program, process.argv.slice(2), { stdio: ['ignore', 'ignore', 'pipe'] })
firefox.on('error', ({ message }) => {
  console.error(`${program}: ${message}; install the Debian package firefox-esr`)
  process.exit(1)
})
firefox.on('exit', (code) => process.exit(code ?? 1))
process.on('SIGTERM', () => firefox.kill('SIGTERM'))
firefox.stderr.setEncoding('utf8').on('data', (text: string) => {
  const [, address] = /WebDriver BiDi listening on (ws:\/\/\S+)/.exec(text) ?? []
  if (address === undefined) {
    process.stderr.write(text)
  } else {
    void listen(address)
  }
})

/** Takes playwright's connection in Firefox's place, and says where. */
async function listen(address: string): Promise<void> {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' })
  server.on('connection', (near, request) => join(near, new WebSocket(`${address}${request.url}`, { perMessageDeflate: false })))
  await once(server, 'listening')
  const bound = server.address()
  process.stderr.write(`WebDriver BiDi listening on ws://127.0.0.1:${typeof bound === 'object' ? bound?.port : ''}\n`)
}

function join(near: WebSocket, far: WebSocket): void {
  const isOpen = once(far, 'open')
  near.on('message', (data) => {
    const text = String(data)
    const { id, method } = JSON.parse(text) as { id: number; method: string }
    if (lacking.includes(method)) {
      near.send(JSON.stringify({ type: 'success', id, result: {} }))
    } else {
      void isOpen.then(() => far.send(text))
    }
  })
  far.on('message', (data) => near.send(String(data)))
  far.on('close', () => near.close())
  near.on('close', () => far.close())
}
