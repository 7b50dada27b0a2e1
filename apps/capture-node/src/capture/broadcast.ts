import { hostname } from 'node:os'
import { NekoError } from '@neko-edge/kit'
import type { BroadcastOptions } from './capture-options.ts'
import { fillPlaceholders, safeValue } from './launch-text.ts'
import { isSet } from './pipeline.ts'
import { type PipelineEnvironment, PipelineProcess } from './pipeline-process.ts'

export interface BroadcastStatus {
  /** The last address given, also when stopped; empty when there was none. */
  readonly url: string
  /** Whether it is meant to run; a run that died is tried again until `stop`. */
  readonly isActive: boolean
  /** Why it does not run right now. */
  readonly error?: string
}

/** How long `start` waits for a pipeline that fails at once. */
const settleMs = 500
/** A run this long counts as one that works. */
const steadyMs = 5_000

/** Pushes picture and sound to an RTMP server, whoever watches. */
export class Broadcast implements AsyncDisposable {
  readonly #options: BroadcastOptions
  readonly #environment: PipelineEnvironment
  readonly #process: PipelineProcess
  #url: string
  #cancelSteady: (() => void) | undefined
  #failureListener: ((failure: NekoError) => void) | undefined

  constructor(options: BroadcastOptions, { display, device }: { display: string; device: string }, environment: PipelineEnvironment) {
    this.#options = options
    this.#url = options.url
    this.#environment = environment
    this.#process = new PipelineProcess(
      {
        name: 'broadcast',
        text: () => broadcastText(this.#options, { display, device, url: this.#url }),
        pipes: 0,
        ending: 'finish',
        onRun: () => this.#watchSteady(),
        onEnd: () => this.#cancelSteady?.(),
        onFailure: (failure) => failure !== undefined && this.#failureListener?.(failure),
      },
      environment,
    )
  }

  get status(): BroadcastStatus {
    const error = this.#process.failure?.message
    return { url: this.#url, isActive: this.#process.isWanted, ...(error === undefined ? {} : { error }) }
  }

  get isRunning(): boolean {
    return this.#process.isRunning
  }

  get runs(): number {
    return this.#process.runs
  }

  /** Starts what the configuration says is to run from the beginning; a failure is logged and tried again. */
  autostart(): void {
    if (isSet(this.#options.url) && this.#options.autostart) {
      this.#process.start()
    }
  }

  /**
   * Starts towards `url`, which is remembered even when that fails. Errors: `invalid` without URL or with one that is none,
   * `unprocessable` while one runs, `internal` when GStreamer refuses the pipeline. A server that cannot be reached is no error here: see `status`.
   */
  async start(url: string): Promise<void> {
    if (!isSet(url)) {
      throw new NekoError('invalid', 'missing broadcast URL')
    }
    if (this.#process.isWanted) {
      throw new NekoError('unprocessable', 'server is already broadcasting')
    }
    checkUrl(url, this.#options)
    this.#url = url
    const failure = await this.#firstFailure()
    if (failure?.code === 'invalid') {
      await this.#process.stop()
      throw new NekoError('internal', `broadcast: ${failure.message}`, { cause: failure })
    }
  }

  /** Stops and forgets any failure; the URL stays. Errors: `unprocessable` when none is running. */
  async stop(): Promise<void> {
    if (!this.#process.isWanted) {
      throw new NekoError('unprocessable', 'server is not broadcasting')
    }
    await this.#process.stop()
  }

  /** For a new screen; nothing where it does not run. */
  restart(): Promise<void> {
    return this.#process.restart()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#process.stop()
  }

  async #firstFailure(): Promise<NekoError | undefined> {
    const { promise, resolve } = Promise.withResolvers<NekoError | undefined>()
    const cancel = this.#environment.clock.after(settleMs, () => resolve(undefined))
    this.#failureListener = resolve
    this.#process.start()
    const failure = await promise
    cancel()
    this.#failureListener = undefined
    return failure
  }

  #watchSteady(): void {
    this.#cancelSteady?.()
    this.#cancelSteady = this.#environment.clock.after(steadyMs, () => this.#process.succeeded())
  }
}

/** The address goes into a pipeline's text: nothing in it may end the value there, and our own pipeline speaks RTMP only. */
function checkUrl(url: string, { pipeline }: BroadcastOptions): void {
  safeValue(url, 'broadcast URL')
  if (!isSet(pipeline) && !/^rtmps?:\/\/[^/]+/u.test(url)) {
    throw new NekoError('invalid', `broadcast URL ${JSON.stringify(url)}: must begin with rtmp:// or rtmps:// and name a host`)
  }
}

/** The pipeline to `url`: the operator's own, or one for RTMP. Errors: `invalid` for an address that can not stand in it. */
export function broadcastText(
  options: BroadcastOptions,
  { display, device, url }: { display: string; device: string; url: string },
): string {
  checkUrl(url, options)
  const screen = safeValue(display, 'display')
  const source = safeValue(device, 'audio device')
  if (isSet(options.pipeline)) {
    return fillPlaceholders(options.pipeline, { hostname: hostname(), display: screen, device: source, url })
  }
  const sound = `pulsesrc device=${source} ! audio/x-raw,channels=2 ! audioconvert ! queue ! voaacenc bitrate=${options.audio_bitrate * 1000} ! mux.`
  const encoder = `x264enc threads=4 bitrate=${options.video_bitrate} key-int-max=15 byte-stream=true tune=zerolatency speed-preset=${safeValue(options.preset, 'broadcast preset')}`
  const picture = `ximagesrc display-name=${screen} show-pointer=true use-damage=false ! videoconvert ! video/x-raw,format=I420 ! queue ! ${encoder} ! mux.`
  return `flvmux name=mux ! rtmpsink location='${url} live=1' ${sound} ${picture}`
}
