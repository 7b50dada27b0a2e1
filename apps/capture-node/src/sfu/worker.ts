import { Backoff, type Clock, Listeners, type Log, messageOf, NekoError, within } from '@neko-edge/kit'
import { setLogEventListeners } from 'mediasoup'
import type { WebRtcServer, Worker } from 'mediasoup/types'
import { listenInfos, portsText } from './listen-infos.ts'
import { startWorker, type Together } from './worker-channel.ts'
import { workerCounters } from './worker-counters.ts'
import type { SfuPorts } from './worker-options.ts'

export interface SfuWorkerOptions {
  /** Path of the mediasoup-worker program; of the same release as the package. */
  readonly workerBin: string
  /** Which of the node's workers: added to fixed ports. */
  readonly index: number
  readonly ports: SfuPorts
  readonly log: Log
  readonly clock: Clock
}

/** One run of the worker program, with the sockets that its viewers come in by. */
export interface WorkerRun {
  readonly worker: Worker
  readonly server: WebRtcServer
  readonly together: Together
}

const startMs = 10_000
/** How often a worker is asked whether it still answers, and how long it may take: one that hangs is killed, and replaced like one that died. */
const pulseEveryMs = 5_000
const pulseMs = 10_000

/** The worker's own default, and the estimator's timer at 25 instead of 5 ms, which halves what idle viewers cost. */
const fieldTrials = 'WebRTC-Bwe-AlrLimitedBackoff/Enabled/WebRTC-Pacer-MinPacketLimitMs/25/'

/** mediasoup logs per process, not per worker: failed requests are normal when a peer goes away in the middle of something, so warnings are for debugging. */
function logTo(log: Log): void {
  setLogEventListeners({
    onwarn: (namespace, line) => log.debug({ namespace, line }, 'mediasoup warns'),
    onerror: (namespace, line, error) => {
      // A worker that is told to end still tries to say something: that its reader has gone is what was wanted.
      const level = line.includes('broken pipe') ? 'debug' : 'warn'
      log[level]({ namespace, line, ...(error ? { error: messageOf(error) } : {}) }, 'mediasoup error')
    },
  })
}

async function startRun({ workerBin, index, ports, log }: SfuWorkerOptions): Promise<WorkerRun> {
  const starting = startWorker({ workerBin, logLevel: 'warn', libwebrtcFieldTrials: fieldTrials })
  let started: Awaited<typeof starting>
  try {
    started = await within(startMs, 'starting the media worker', starting)
  } catch (error) {
    // Should it start after all, nobody waits for it any more.
    starting.then(
      (late) => late.worker.close(),
      () => undefined,
    )
    throw new NekoError('unavailable', `media worker ${workerBin} does not start: ${messageOf(error)}`, { cause: error })
  }
  const { worker, together } = started
  try {
    const server = await worker.createWebRtcServer({ listenInfos: listenInfos(ports, index) })
    const aead = (await workerCounters(worker.pid))?.aead
    log.info(
      { proc: 'mediasoup-worker', pid: worker.pid, index, flavour: aead ? 'fast' : 'stock', ...(aead && { aead }) },
      'media worker started',
    )
    return { worker, server, together }
  } catch (error) {
    worker.close()
    throw new NekoError('unavailable', `media worker can not listen on ${portsText(ports, index)}: ${messageOf(error)}`, { cause: error })
  }
}

/** Keeps one worker running: a run that dies is followed by the next, later each time while they keep dying. */
export class SfuWorker implements AsyncDisposable {
  readonly index: number
  /** A new run, and the end of one that was not asked to end. */
  readonly onRun = new Listeners<WorkerRun>()
  readonly onDied = new Listeners<WorkerRun>()
  readonly #options: SfuWorkerOptions
  readonly #backoff = new Backoff({ firstMs: 50, maxMs: 5_000 })
  #run: WorkerRun | undefined
  #cancelRestart = (): void => undefined
  #cancelPulse = (): void => undefined
  #isClosed = false

  private constructor(options: SfuWorkerOptions) {
    this.#options = options
    this.index = options.index
  }

  /** Errors: `unavailable`, with the reason and the remedy, when the first run does not start. */
  static async open(options: SfuWorkerOptions): Promise<SfuWorker> {
    logTo(options.log)
    const self = new SfuWorker(options)
    self.#adopt(await startRun(options))
    return self
  }

  /** The present run, while there is one. */
  get run(): WorkerRun | undefined {
    return this.#run
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true
    this.#cancelRestart()
    this.#cancelPulse()
    const worker = this.#run?.worker
    this.#run = undefined
    if (worker !== undefined && !worker.subprocessClosed) {
      const gone = new Promise<void>((resolve) => worker.once('subprocessclose', resolve))
      worker.close()
      await within(2_000, 'ending the media worker', gone).catch(() => kill(worker))
    }
  }

  #adopt(run: WorkerRun): void {
    const since = this.#options.clock.now()
    this.#run = run
    run.worker.once('died', () => this.#died(run, since))
    this.#cancelPulse = this.#options.clock.every(pulseEveryMs, () => this.#feelPulse(run))
    this.onRun.emit(run)
  }

  #died(run: WorkerRun, since: number): void {
    this.#cancelPulse()
    this.#run = undefined
    this.#options.log.warn({ proc: 'mediasoup-worker', pid: run.worker.pid, index: this.index }, 'media worker died')
    this.onDied.emit(run)
    this.#restartAfter(this.#backoff.next(this.#options.clock.now() - since))
  }

  #restartAfter(delayMs: number): void {
    if (!this.#isClosed) {
      this.#cancelRestart = this.#options.clock.after(delayMs, () => void this.#restart())
    }
  }

  async #restart(): Promise<void> {
    try {
      const run = await startRun(this.#options)
      if (this.#isClosed) {
        run.worker.close()
      } else {
        this.#adopt(run)
      }
    } catch (error) {
      this.#options.log.error({ index: this.index, error: messageOf(error) }, 'media worker does not start')
      this.#restartAfter(this.#backoff.next(0))
    }
  }

  #feelPulse(run: WorkerRun): void {
    within(pulseMs, 'the media worker', run.worker.getResourceUsage()).catch(() => {
      // One that was closed on purpose (mediasoup does it by itself at SIGTERM) does not answer either.
      if (this.#run === run && !run.worker.closed) {
        this.#options.log.error({ pid: run.worker.pid }, 'media worker hangs: killing it')
        kill(run.worker)
      }
    })
  }
}

function kill(worker: Worker): void {
  try {
    process.kill(worker.pid, 'SIGKILL')
  } catch {
    // It is gone already, which is what was wanted.
  }
}
