import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { until } from '@neko-edge/kit'
import { freeTcpPort } from '@neko-edge/testing'

export type RuntimeName = 'node' | 'deno'

const path = (relative: string) => fileURLToPath(new URL(`../../${relative}`, import.meta.url))

// The `deno` of node_modules/.bin is a script that would die of our signals alone, and leave the runtime behind.
function denoBinary(): string {
  const packages = path('node_modules/@deno')
  const [platform] = readdirSync(packages)
  if (platform === undefined) {
    throw new Error(`there is no deno in ${packages}: npm ci installs it`)
  }
  return join(packages, platform, 'deno')
}

/** How each runtime is told to run a control plane, as `npm run` does it. */
const commands: Record<RuntimeName, readonly string[]> = {
  node: [process.execPath, path('apps/neko/src/main.ts'), 'control-plane'],
  deno: [
    denoBinary(),
    'run',
    '--no-lock',
    '--node-modules-dir=manual',
    '--allow-net',
    '--allow-env',
    '--allow-read',
    '--allow-write',
    '--allow-sys',
    path('apps/control-plane/src/main.deno.ts'),
  ],
}

/** A control plane in a process of its own, which ends with it. */
export class ControlPlaneProcess implements AsyncDisposable {
  readonly url: string
  readonly #child: ChildProcess
  readonly #output: string[]

  private constructor(url: string, child: ChildProcess, output: string[]) {
    this.url = url
    this.#child = child
    this.#output = output
  }

  /** Starts one and waits until it is ready, at most 30 s. */
  static async open(
    runtime: RuntimeName,
    { redisUrl, env = {} }: { redisUrl: string; env?: Readonly<Record<string, string>> },
  ): Promise<ControlPlaneProcess> {
    const port = await freeTcpPort()
    const [command = '', ...args] = commands[runtime]
    // setpriv: a test run that is killed takes its processes along.
    const child = spawn('setpriv', ['--pdeathsig', 'SIGKILL', '--', command, ...args], {
      cwd: path('.'),
      env: {
        PATH: process.env['PATH'] ?? '',
        HOME: process.env['HOME'] ?? '/root',
        NEKO_REDIS_URL: redisUrl,
        NEKO_SERVER_BIND: `127.0.0.1:${port}`,
        ...env,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    const output: string[] = []
    child.stdout.on('data', (chunk: Buffer) => output.push(chunk.toString()))
    child.stderr.on('data', (chunk: Buffer) => output.push(chunk.toString()))
    const plane = new ControlPlaneProcess(`http://127.0.0.1:${port}`, child, output)
    const isReady = async () => {
      if (child.exitCode !== null) {
        throw new Error(`${runtime}: the control plane ended with ${child.exitCode}: ${plane.log}`)
      }
      return fetch(`${plane.url}/readyz`).then(
        ({ ok }) => ok,
        () => false,
      )
    }
    await until(isReady, { ms: 30_000, what: `the control plane on ${runtime} is ready`, everyMs: 50 })
    return plane
  }

  /** All that it has said. */
  get log(): string {
    return this.#output.join('')
  }

  /** SIGKILL: it can not say goodbye. */
  kill(): Promise<void> {
    return this.#end('SIGKILL')
  }

  /** SIGTERM; gives its exit code. */
  async stop(): Promise<number | null> {
    await this.#end('SIGTERM')
    return this.#child.exitCode
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#end('SIGKILL')
  }

  async #end(signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
    const child = this.#child
    if (child.exitCode === null && child.signalCode === null && child.kill(signal)) {
      await once(child, 'exit')
    }
  }
}
