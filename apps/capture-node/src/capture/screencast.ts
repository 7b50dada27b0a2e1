import { assert, Listeners, NekoError, within } from '@neko-edge/kit'
import type { Child } from '@neko-edge/process'
import type { ScreencastOptions } from './capture-options.ts'
import { JpegStream } from './jpeg-stream.ts'
import { fillPlaceholders, replaceAppsink, safeValue } from './launch-text.ts'
import { isSet } from './pipeline.ts'
import { type PipelineEnvironment, PipelineProcess } from './pipeline-process.ts'

/** How long a request waits for the first picture. */
const firstImageMs = 1_000
/** The pipeline stops at the second look in a row that finds no request since the one before: 5–10 s after the last. */
const idleLookMs = 5_000

/** The desktop as JPEG pictures for clients without WebRTC: runs while somebody asks, keeps only the newest picture. */
export class Screencast implements AsyncDisposable {
  readonly #isEnabled: boolean
  readonly #environment: PipelineEnvironment
  readonly #process: PipelineProcess
  #latest: Buffer | undefined
  #waiting: PromiseWithResolvers<Buffer> | undefined
  #cancelLook: (() => void) | undefined
  readonly #watchers = new Listeners<Buffer>()
  #wasAsked = false
  #images = 0

  constructor(options: ScreencastOptions, display: string, environment: PipelineEnvironment) {
    this.#isEnabled = options.enabled
    this.#environment = environment
    this.#process = new PipelineProcess(
      {
        name: 'screencast',
        text: () => screencastText(options, display),
        pipes: 1,
        onRun: (child) => this.#attach(child),
        onFailure: (failure) => this.#failed(failure),
      },
      environment,
    )
  }

  get isRunning(): boolean {
    return this.#process.isRunning
  }

  /** Pictures made so far. */
  get images(): number {
    return this.#images
  }

  get runs(): number {
    return this.#process.runs
  }

  /** The newest JPEG; starts the pipeline where it does not run. Errors: `invalid` when not enabled or not parsable, `timeout` without a picture in one second. */
  async image(): Promise<Buffer> {
    if (!this.#isEnabled) {
      throw new NekoError('invalid', 'screencast pipeline is not enabled')
    }
    this.#start()
    if (this.#latest !== undefined) {
      return this.#latest
    }
    if (this.#process.failure?.code === 'invalid') {
      throw this.#process.failure
    }
    this.#waiting ??= withoutUnhandled(Promise.withResolvers<Buffer>())
    return await within(firstImageMs, 'screencast', this.#waiting.promise)
  }

  /** Every picture from now on, beginning with the newest that there is, until the returned function is called; also where requests for single ones are not enabled. */
  watch(listener: (picture: Buffer) => void): () => void {
    this.#start()
    const stop = this.#watchers.add(listener)
    if (this.#latest !== undefined) {
      listener(this.#latest)
    }
    return stop
  }

  /** For a new screen; nothing where it does not run. */
  async restart(): Promise<void> {
    this.#latest = undefined
    await this.#process.restart()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stop()
  }

  #start(): void {
    this.#wasAsked = true
    this.#process.start()
    this.#cancelLook ??= this.#environment.clock.every(idleLookMs, () => this.#look())
  }

  #attach(child: Child): void {
    const [pipe] = child.pipes
    assert(pipe !== undefined, 'a screencast has one pipe')
    const stream = new JpegStream()
    pipe.on('data', (chunk: Buffer) => {
      try {
        this.#take(stream.push(chunk))
      } catch (error) {
        pipe.destroy()
        this.#process.abandon(String(error))
      }
    })
  }

  #take(pictures: readonly Buffer[]): void {
    const newest = pictures.at(-1)
    if (newest === undefined || !this.#process.isWanted) {
      return
    }
    this.#images += pictures.length
    this.#latest = newest
    this.#process.succeeded()
    this.#waiting?.resolve(newest)
    this.#waiting = undefined
    this.#watchers.emit(newest)
  }

  #failed(failure: NekoError | undefined): void {
    if (failure !== undefined) {
      // An old picture of a desktop that cannot be seen any more would be a lie.
      this.#latest = undefined
    }
    if (failure?.code === 'invalid') {
      this.#waiting?.reject(failure)
      this.#waiting = undefined
    }
  }

  #look(): void {
    if (!this.#wasAsked && this.#watchers.size === 0) {
      void this.#stop()
    }
    this.#wasAsked = false
  }

  async #stop(): Promise<void> {
    this.#cancelLook?.()
    this.#cancelLook = undefined
    this.#latest = undefined
    await this.#process.stop()
  }
}

/** The pipeline that writes JPEG pictures to descriptor 3. Errors: `invalid` without exactly one appsink. */
export function screencastText({ rate, quality, pipeline }: ScreencastOptions, display: string): string {
  const screen = safeValue(display, 'display')
  const text = isSet(pipeline)
    ? fillPlaceholders(pipeline, { display: screen })
    : `ximagesrc display-name=${screen} show-pointer=true use-damage=false ! video/x-raw,framerate=${safeValue(rate, 'screencast rate')} ! videoconvert ! queue max-size-buffers=1 leaky=downstream ! jpegenc quality=${safeValue(quality, 'screencast quality')} ! appsink name=appsink`
  return replaceAppsink(text, 'multipartmux boundary=neko ! fdsink fd=3 sync=false async=false')
}

/** Everybody who waited may be gone (timed out) when the failure comes; it is then in the log only. */
function withoutUnhandled<T>(one: PromiseWithResolvers<T>): PromiseWithResolvers<T> {
  one.promise.catch(() => undefined)
  return one
}
