import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { until } from '@neko-edge/kit'
import { commandLineOf, freeTcpPort, freeUdpPort, isRunning, type ProcessUsage, processTree } from '@neko-edge/testing'

const main = fileURLToPath(new URL('../../apps/neko/src/main.ts', import.meta.url))

export interface StackOptions {
  /** The page that the desktop's browser opens. */
  readonly appUrl?: string
  readonly env?: Readonly<Record<string, string>>
}

/** `neko serve`, the whole product as a user starts it, on ports and in a data directory of its own. */
export class Stack implements AsyncDisposable {
  readonly url: string
  readonly dataFolder: string
  readonly #process: ReturnType<typeof spawn>
  readonly #output: string[]
  /** Milliseconds from the start of the process to its word that it is ready. */
  readonly readyMs: number
  #everything: ProcessUsage[] = []

  private constructor(parts: { url: string; dataFolder: string; process: ReturnType<typeof spawn>; output: string[]; readyMs: number }) {
    this.url = parts.url
    this.dataFolder = parts.dataFolder
    this.#process = parts.process
    this.#output = parts.output
    this.readyMs = parts.readyMs
  }

  static async open({ appUrl = 'about:blank', env = {} }: StackOptions = {}): Promise<Stack> {
    const dataFolder = await mkdtemp(join(tmpdir(), 'neko-e2e-'))
    const port = await freeTcpPort()
    const output: string[] = []
    const startedAt = performance.now()
    const process = spawn(globalThis.process.execPath, [main, 'serve'], {
      env: {
        PATH: globalThis.process.env['PATH'] ?? '',
        HOME: globalThis.process.env['HOME'] ?? '/root',
        ...(globalThis.process.env['NODE_COMPILE_CACHE'] && { NODE_COMPILE_CACHE: globalThis.process.env['NODE_COMPILE_CACHE'] }),
        ...(globalThis.process.env['MEDIASOUP_WORKER_BIN'] && { MEDIASOUP_WORKER_BIN: globalThis.process.env['MEDIASOUP_WORKER_BIN'] }),
        NEKO_DATA_DIR: dataFolder,
        NEKO_SERVER_BIND: `127.0.0.1:${port}`,
        NEKO_WEBRTC_UDPMUX: String(await freeUdpPort()),
        NEKO_WEBRTC_NAT1TO1: '127.0.0.1',
        NEKO_DESKTOP_APP_URL: appUrl,
        // The page is served on loopback.
        NEKO_DESKTOP_APP_NETWORK: 'shared',
        ...env,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    process.stdout.on('data', (chunk: Buffer) => output.push(chunk.toString()))
    process.stderr.on('data', (chunk: Buffer) => output.push(chunk.toString()))
    const isReady = () => {
      if (process.exitCode !== null) {
        throw new Error(`neko serve ended with ${process.exitCode}:\n${output.join('')}`)
      }
      return output.join('').includes('neko-edge is ready')
    }
    await until(isReady, { ms: 60_000, what: 'neko serve is ready' })
    return new Stack({ url: `http://127.0.0.1:${port}`, dataFolder, process, output, readyMs: performance.now() - startedAt })
  }

  get log(): string {
    return this.#output.join('')
  }

  get pid(): number {
    return this.#process.pid ?? 0
  }

  /** Every process of the product that runs now. */
  processes(): Promise<ProcessUsage[]> {
    return processTree(this.pid)
  }

  /** The process whose command line has these words; the newest of several. */
  async find(...words: readonly string[]): Promise<number> {
    return until(
      async () => {
        const all = await this.processes()
        const lines = await Promise.all(all.map(async ({ pid }) => ({ pid, line: await commandLineOf(pid) })))
        return lines.findLast(({ line }) => words.every((word) => line.includes(word)) && !line.startsWith('setpriv'))?.pid
      },
      { ms: 15_000, what: `a process ${words.join(' ')}` },
    )
  }

  /** How much of people's microphones has reached the desktop, in bytes. */
  async heard(): Promise<number> {
    const text = await (await fetch(`${this.url}/metrics`)).text()
    return Number(/streamsrc_data_bytes_sum\{[^}]*video_id="microphone"[^}]*\} (\d+)/.exec(text)?.[1] ?? 0)
  }

  /** SIGTERM, and what is left of it: processes that still run and files of its run directory. Gives how long it took. */
  async stop(): Promise<{ ms: number; left: string[] }> {
    this.#everything = await this.processes()
    const startedAt = performance.now()
    if (this.#process.exitCode === null && this.#process.signalCode === null) {
      this.#process.kill('SIGTERM')
      await once(this.#process, 'exit')
    }
    const ms = performance.now() - startedAt
    const running = await Promise.all(this.#everything.map(async ({ pid, name }) => ((await isRunning(pid)) ? [`${name} ${pid}`] : [])))
    const folders = await Promise.all(['/run', tmpdir()].map((folder) => readdir(folder).catch(() => [])))
    const files = folders.flat().filter((name) => this.#everything.some(({ pid }) => name === `neko-edge-${pid}`))
    return { ms, left: [...running.flat(), ...files] }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
    await rm(this.dataFolder, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 })
  }
}
