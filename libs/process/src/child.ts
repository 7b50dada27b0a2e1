import { type ChildProcess, type StdioOptions, spawn } from 'node:child_process'
import type { Socket } from 'node:net'
import type { Readable, Writable } from 'node:stream'
import { assert, type Log, type LogLevel, NekoError, until } from '@neko-edge/kit'
import { logLines } from './line.ts'
import { type Namespaces, namespacePrefix } from './namespaces.ts'
import { groupRuns, signalGroup } from './process-group.ts'
import { findProgram, systemPath } from './program.ts'

/** The unprivileged user that a child runs as; only a node that runs as root can give one. */
export interface Identity {
  readonly uid: number
  readonly gid: number
}

export interface ChildOptions extends Namespaces {
  /** What the child is called in the log (`proc`). */
  readonly name: string
  /** A program name or absolute path, and its arguments; no shell is involved. */
  readonly command: readonly [program: string, ...args: string[]]
  /** The whole environment besides PATH: nothing of the node's own environment is inherited. */
  readonly env: Readonly<Record<string, string>>
  readonly log: Log
  readonly cwd?: string
  readonly identity?: Identity
  /** `pipe` keeps the stream for the owner (`child.stdin`, `child.stdout`); otherwise stdin is empty and stdout goes to the log. */
  readonly stdin?: 'none' | 'pipe'
  readonly stdout?: 'log' | 'pipe'
  /** `inherit` for a program of ours, whose lines are log lines already. */
  readonly stderr?: 'log' | 'inherit'
  /** How many two-way pipes the child finds at descriptors 3, 4, …; they are `child.pipes`. */
  readonly extraPipes?: number
  /** Log levels of the two streams; default stdout debug, stderr warn. */
  readonly levels?: { readonly stdout?: LogLevel; readonly stderr?: LogLevel }
  /** The polite signal and how long it is given before SIGKILL, in milliseconds; default SIGTERM and 1000. */
  readonly stopSignal?: NodeJS.Signals
  readonly graceMs?: number
  /** The Debian package that brings the program, named when it is missing. */
  readonly aptPackage?: string
}

/** How a child ended: `asked` when `stop()` came first, `died` when it went by itself. */
export interface Exit {
  readonly is: 'asked' | 'died'
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

/** How long the rest of a group that got SIGKILL may take to disappear. */
const groupGoneMs = 1_000

/**
 * One child process and its whole process group. Three different facts: `stop()` was asked for, the child `exited`
 * (by itself or not), and its group is `gone`. It never outlives this process: the kernel kills it (`setpriv --pdeathsig`,
 * which is bound to the *thread* that spawns: spawn from the main thread), and what it leaves in its group is killed when it ends.
 */
export class Child implements AsyncDisposable {
  readonly name: string
  /** Process id, and the id of the group. */
  readonly pid: number
  /** Ends of the extra pipes: `pipes[0]` is the child's descriptor 3. */
  readonly pipes: readonly Socket[]
  readonly stdin: Writable | null
  readonly stdout: Readable | null
  /** Resolves when the child's main process has ended; never rejects. */
  readonly exited: Promise<Exit>
  /** Resolves when no process of the group is left (bounded); never rejects. */
  readonly gone: Promise<void>
  readonly #stopSignal: NodeJS.Signals
  readonly #graceMs: number
  #ended = false
  #stopping: Promise<Exit> | undefined

  constructor(process: ChildProcess, options: ChildOptions) {
    assert(process.pid !== undefined, 'spawnChild checked that the process started')
    this.name = options.name
    this.pid = process.pid
    this.stdin = process.stdin
    this.stdout = options.stdout === 'pipe' ? process.stdout : null
    // Node types extra descriptors as Readable | Writable; a 'pipe' is a socket pair, hence always a Socket.
    this.pipes = process.stdio.slice(3) as unknown as Socket[]
    this.#stopSignal = options.stopSignal ?? 'SIGTERM'
    this.#graceMs = options.graceMs ?? 1_000
    for (const stream of [this.stdin, ...this.pipes]) {
      // EPIPE and ECONNRESET come when the child ends while it is written to; its exit says so.
      stream?.on('error', () => undefined)
    }
    this.exited = new Promise((resolve) => {
      process.once('exit', (code, signal) => {
        this.#ended = true
        signalGroup(this.pid, 'SIGKILL')
        resolve({ is: this.#stopping === undefined ? 'died' : 'asked', code, signal })
      })
    })
    this.gone = this.exited.then(() => this.#groupGone())
  }

  /** Whether the main process is still there. */
  get isRunning(): boolean {
    return !this.#ended
  }

  /** Sends a signal to the whole group, when it is still there. */
  signal(signal: NodeJS.Signals): void {
    if (!this.#ended) {
      signalGroup(this.pid, signal)
    }
  }

  /** Ends the group: the polite signal, `graceMs` of patience, then SIGKILL. Resolves when the group is gone; calling it again is the same call. */
  stop(): Promise<Exit> {
    this.#stopping ??= this.#end()
    return this.#stopping
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
  }

  async #end(): Promise<Exit> {
    this.signal(this.#stopSignal)
    const kill = setTimeout(() => this.signal('SIGKILL'), this.#graceMs)
    const exit = await this.exited
    clearTimeout(kill)
    await this.gone
    return exit
  }

  async #groupGone(): Promise<void> {
    const isGone = (): boolean => !groupRuns(this.pid)
    // A process in an uninterruptible wait outlasts SIGKILL; it goes by itself, and nothing here can wait for it.
    await until(isGone, { ms: groupGoneMs, what: `end of the group of ${this.name}`, everyMs: 5 }).catch(() => undefined)
  }
}

/** The part of every command line after `setpriv`: dies with its parent, gains no privilege, and becomes `identity` where one is given. */
function setprivArgs(identity: Identity | undefined): string[] {
  const drop =
    identity === undefined
      ? []
      : ['--reuid', `${identity.uid}`, '--regid', `${identity.gid}`, '--clear-groups', '--inh-caps=-all', '--bounding-set=-all']
  return ['--pdeathsig', 'KILL', '--no-new-privs', ...drop, '--']
}

/** Starts a child in a session and process group of its own. Throws `unavailable` when the program is missing or the machine has no process left to give. */
export function spawnChild(options: ChildOptions): Child {
  const [program, ...args] = options.command
  const file = findProgram(program, options.aptPackage)
  const stdio: StdioOptions = [
    options.stdin === 'pipe' ? 'pipe' : 'ignore',
    'pipe',
    options.stderr === 'inherit' ? 'inherit' : 'pipe',
    ...Array<'pipe'>(options.extraPipes ?? 0).fill('pipe'),
  ]
  const [first, ...rest] = [...namespacePrefix(options), 'setpriv']
  const process = spawn(findProgram(first ?? 'setpriv', 'util-linux'), [...rest, ...setprivArgs(options.identity), file, ...args], {
    cwd: options.cwd ?? '/',
    env: { PATH: systemPath, ...options.env },
    stdio,
    detached: true,
  })
  if (process.pid === undefined) {
    process.once('error', (error) => options.log.warn({ proc: options.name, error: error.message }, 'child did not start'))
    throw new NekoError('unavailable', `${options.name} could not be started`)
  }
  const child = new Child(process, options)
  const log = options.log.child({ proc: options.name, pid: child.pid })
  if (options.stdout !== 'pipe' && process.stdout !== null) {
    logLines(process.stdout, (line) => log[options.levels?.stdout ?? 'debug']({ line }, 'child says'))
  }
  if (process.stderr !== null) {
    logLines(process.stderr, (line) => log[options.levels?.stderr ?? 'warn']({ line }, 'child says'))
  }
  log.debug({ program: file }, 'child started')
  void child.exited.then((exit) => log.debug({ ...exit }, 'child ended'))
  return child
}
