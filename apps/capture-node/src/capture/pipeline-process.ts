import { Backoff, type Clock, createLog, type Log, messageOf, NekoError } from '@neko-edge/kit'
import { type Child, type ChildOptions, type Exit, spawnChild } from '@neko-edge/process'
import { launchArguments } from './launch-text.ts'

/** Where and as whom the children of a room run. */
export interface PipelineEnvironment {
  /** DISPLAY, XAUTHORITY, PULSE_SERVER and PULSE_COOKIE of the room, and the namespace that shares memory with its X server: `captureChild` of its desktop. */
  readonly child: Pick<ChildOptions, 'env' | 'identity' | 'ipc'>
  /** Whether what the encoders give is to go nowhere now. */
  readonly isSilent?: () => boolean
  readonly log: Log
  readonly clock: Clock
}

export interface PipelineOptions {
  /** What the pipeline is called in the log. */
  readonly name: string
  /** The text for gst-launch, asked for at every start. A `NekoError` of code `invalid` is final until `restart`. */
  readonly text: () => string
  /** How many two-way pipes the text uses, from descriptor 3 on. */
  readonly pipes: number
  /** Called with each new run; the run is over when `onEnd` is called. */
  readonly onRun?: (child: Child) => void
  readonly onEnd?: () => void
  /** Called whenever `failure` changes. */
  readonly onFailure?: (failure: NekoError | undefined) => void
  /** `finish` lets the pipeline write its last bytes (end of stream on SIGINT, one second); `kill` does not wait. */
  readonly ending?: 'finish' | 'kill'
}

const keptErrorLines = 8
const maxFailureLength = 1_000
/** What gst-launch says of a text that will not become a pipeline, however often it is tried. */
const unparsable = /erroneous pipeline|pipeline could not be constructed/u

/** A GStreamer pipeline in a process of its own, kept running with back-off for as long as it is wanted. */
export class PipelineProcess implements AsyncDisposable {
  readonly #options: PipelineOptions
  readonly #environment: PipelineEnvironment
  readonly #log: Log
  #isWanted = false
  #child: Child | undefined
  /** Resolves when the present run is over and its successor, if any is wanted at once, has begun. */
  #over: Promise<void> = Promise.resolve()
  #backoff = newBackoff()
  #cancelRetry: (() => void) | undefined
  #failure: NekoError | undefined
  #runs = 0

  constructor(options: PipelineOptions, environment: PipelineEnvironment) {
    this.#options = options
    this.#environment = environment
    this.#log = environment.log.child({ pipeline: options.name })
  }

  /** Whether a process runs now. */
  get isRunning(): boolean {
    return this.#child !== undefined
  }

  /** Process id of the present run, for metrics. */
  get pid(): number | undefined {
    return this.#child?.pid
  }

  get isWanted(): boolean {
    return this.#isWanted
  }

  /** Why the last run ended or none could start; cleared by `succeeded` and `restart`. */
  get failure(): NekoError | undefined {
    return this.#failure
  }

  /** Processes started so far. */
  get runs(): number {
    return this.#runs
  }

  /** Wants the pipeline, and starts it. */
  start(): void {
    if (!this.#isWanted) {
      this.#isWanted = true
      this.#fresh()
      this.#launch()
    }
  }

  /** The run does what it should: its failures are history. */
  succeeded(): void {
    this.#fail(undefined)
  }

  /** A new run at once, with the text asked for anew; resolves when it has begun and the old one is gone. Nothing where the pipeline is not wanted. */
  async restart(): Promise<void> {
    if (!this.#isWanted) {
      return
    }
    this.#fresh()
    if (this.#child === undefined) {
      this.#launch()
    } else {
      await this.#endRun(this.#child)
    }
  }

  /** Ends a run that no longer does its work; the next follows with back-off, if the code is not `invalid`, and `reason` is the failure until it succeeds. */
  abandon(reason: string, code: 'unavailable' | 'invalid' = 'unavailable'): void {
    this.#fail(new NekoError(code, `${this.#options.name}: ${reason}`))
    this.#child?.signal('SIGKILL')
  }

  /** Wants it no more; resolves when the process is gone. */
  async stop(): Promise<void> {
    this.#isWanted = false
    this.#fresh()
    if (this.#child !== undefined) {
      await this.#endRun(this.#child)
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
  }

  async #endRun(child: Child): Promise<void> {
    const over = this.#over
    await child.stop()
    await over
  }

  #fresh(): void {
    this.#cancelRetry?.()
    this.#cancelRetry = undefined
    this.#backoff = newBackoff()
    this.#fail(undefined)
  }

  #launch(): void {
    if (!this.#isWanted || this.#child !== undefined) {
      return
    }
    const errors: string[] = []
    try {
      this.#child = this.#spawn(errors)
    } catch (error) {
      const failure = error instanceof NekoError ? error : new NekoError('internal', messageOf(error), { cause: error })
      this.#log.error({ error: failure.message }, 'pipeline can not start')
      this.#settle(failure, 0)
      return
    }
    this.#runs += 1
    const child = this.#child
    const startedAt = performance.now()
    for (const pipe of child.pipes) {
      // EPIPE and ECONNRESET come when the child ends; its exit says so already.
      pipe.on('error', () => undefined)
    }
    this.#options.onRun?.(child)
    this.#over = child.exited.then((exit) => this.#ended({ child, exit, errors, livedMs: performance.now() - startedAt }))
  }

  #spawn(errors: string[]): Child {
    const { name, text, pipes, ending } = this.#options
    const finish = ending === 'finish'
    return spawnChild({
      name,
      command: ['gst-launch-1.0', ...(finish ? ['-e'] : []), ...launchArguments(text())],
      ...this.#environment.child,
      log: keepLines(this.#environment.log, errors),
      // Its last words are told once, as the reason of its end.
      levels: { stderr: 'debug' },
      extraPipes: pipes,
      stopSignal: finish ? 'SIGINT' : 'SIGKILL',
      graceMs: 1_000,
      aptPackage: 'gstreamer1.0-tools',
    })
  }

  async #ended({ child, exit, errors, livedMs }: { child: Child; exit: Exit; errors: readonly string[]; livedMs: number }): Promise<void> {
    // The exit can be known before the last lines are read: they are after one more turn of the event loop.
    await nextTurn()
    await nextTurn()
    for (const pipe of child.pipes) {
      pipe.destroy()
    }
    this.#child = undefined
    this.#options.onEnd?.()
    if (exit.is === 'asked') {
      this.#launch()
    } else if (this.#isWanted) {
      const why = reason(errors) ?? this.#failure?.message ?? `ended with ${exit.signal ?? `code ${exit.code}`}`
      const isFinal = this.#failure?.code === 'invalid' || errors.some((line) => unparsable.test(line))
      const code = isFinal ? 'invalid' : 'unavailable'
      this.#log.warn({ why, livedMs: Math.round(livedMs) }, 'pipeline ended')
      this.#settle(new NekoError(code, why.slice(0, maxFailureLength)), livedMs)
    }
  }

  /** Notes the failure, and tries again later unless trying cannot help. */
  #settle(failure: NekoError, livedMs: number): void {
    this.#fail(failure)
    if (failure.code === 'invalid') {
      return
    }
    this.#cancelRetry = this.#environment.clock.after(this.#backoff.next(livedMs), () => {
      this.#cancelRetry = undefined
      this.#launch()
    })
  }

  #fail(failure: NekoError | undefined): void {
    if (this.#failure !== failure) {
      this.#failure = failure
      this.#options.onFailure?.(failure)
    }
  }
}

const newBackoff = (): Backoff => new Backoff({ firstMs: 100, maxMs: 5_000 })

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

/** What a child said of its end: the first two messages, without the places in GStreamer's source that follow them. */
function reason(lines: readonly string[]): string | undefined {
  const messages = lines.filter((line) => /^(?:ERROR|WARNING)/u.test(line))
  const told = (messages.length > 0 ? messages : lines).slice(0, 2)
  return told.length > 0 ? told.join('; ') : undefined
}

/** The log, which also keeps the first lines that a child wrote. */
function keepLines(log: Log, lines: string[]): Log {
  return createLog((level, fields, message) => {
    const line = fields['line']
    if (typeof line === 'string' && lines.length < keptErrorLines) {
      lines.push(line)
    }
    log[level](fields, message)
  })
}
