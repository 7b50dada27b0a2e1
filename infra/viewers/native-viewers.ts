import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { NekoError, within } from '@neko-edge/kit'
import { z } from 'zod'
import { answerAsViewer } from './answer.ts'
import { viewersProgram } from './build.ts'

const startMs = 5_000
const reportMs = 10_000
const connectMs = 20_000

const Delays = z.object({ p50: z.number(), p95: z.number(), p99: z.number() })
const counts = [
  ...(['datagrams', 'packets', 'bytes', 'audioPackets', 'otherPackets', 'frames', 'keyFrames', 'starts', 'switches'] as const),
  ...(['lost', 'simulatedLosses', 'reordered', 'duplicates', 'damaged', 'outOfPlace', 'authFailures'] as const),
  ...(['retransmitted', 'nacks', 'feedbacks', 'reports', 'senderReports', 'stunErrors'] as const),
] as const
const Report = z.object({
  event: z.literal('report'),
  viewers: z.number(),
  connected: z.number(),
  /** Viewers that wait for a missing packet just now. */
  waiting: z.number(),
  /** Video packets of the viewer with the fewest and of the one with the most. */
  least: z.number(),
  most: z.number(),
  cpuMs: z.number(),
  ...(Object.fromEntries(counts.map((name) => [name, z.number()])) as Record<(typeof counts)[number], z.ZodNumber>),
  firstUs: Delays,
  lastUs: Delays,
})
const Line = z.discriminatedUnion('event', [
  z.object({ event: z.literal('ready'), fingerprint: z.string() }),
  z.object({ event: z.literal('connected'), id: z.number(), profile: z.string(), ms: z.number() }),
  z.object({ event: z.literal('picture'), id: z.number(), ms: z.number() }),
  z.object({ event: z.literal('failed'), id: z.number().optional(), message: z.string() }),
  z.object({ event: z.literal('closed'), id: z.number() }),
  Report,
])

/** Sums over all viewers since the last reset; README.md explains each. */
export type ViewersReport = z.infer<typeof Report>

export interface ViewOptions {
  /** Checks every payload: only for streams of the synthetic source. */
  readonly check?: boolean
  /** SRTP profiles by OpenSSL's names, best first, divided by colons. */
  readonly profiles?: string
  /** SO_RCVBUF in bytes: a small one makes a receiver who loses bursts. */
  readonly receiveBuffer?: number
  /** Reads so often only, in milliseconds: a slow receiver. */
  readonly everyMs?: number
  /** A candidate that came beside the offer. */
  readonly candidate?: string
}

/** One viewer: its answer to the offer, and its connection, which may fail. */
export interface NativeViewer {
  readonly id: number
  readonly answer: string
  /** The SRTP profile that was agreed; rejects with the reason when the connection fails. */
  readonly connected: Promise<string>
}

/** A process with any number of viewers that are native: hundreds on one core. The caller carries offers and answers. */
export class NativeViewers implements AsyncDisposable {
  readonly pid: number
  readonly #child: ChildProcess
  readonly #fingerprint: string
  readonly #waiting = new Map<number, { resolve: (profile: string) => void; reject: (error: Error) => void }>()
  readonly #reports: { resolve: (report: ViewersReport) => void; reject: (error: Error) => void }[] = []
  /** Viewers that ended after they were connected, with the reason. */
  readonly ended = new Map<number, string>()
  /** Of each viewer that has a picture: milliseconds from its start to the first packet of it. */
  readonly firstPacketMs = new Map<number, number>()
  /** How the process ended, once it has. */
  #exit: string | undefined
  #nextId = 0

  private constructor(child: ChildProcess, fingerprint: string) {
    this.#child = child
    this.#fingerprint = fingerprint
    this.pid = child.pid ?? 0
  }

  /** Compiles the program where needed, and starts it. */
  static async open(): Promise<NativeViewers> {
    // In a group of its own: a Ctrl-C is for us, who end the viewers after their sessions. Without us it ends with its stdin.
    const child = spawn(await viewersProgram(), [], { stdio: ['pipe', 'pipe', 'inherit'], detached: true })
    const lines = createInterface({ input: child.stdout })
    try {
      const [line] = await within(startMs, 'the viewers', once(lines, 'line'))
      const ready = Line.parse(JSON.parse(String(line)))
      if (ready.event !== 'ready') {
        throw new NekoError('internal', `the viewers began with ${ready.event}`)
      }
      const self = new NativeViewers(child, ready.fingerprint)
      lines.on('line', (text) => self.#hear(text))
      child.once('exit', (code, signal) => self.#gone(code ?? signal))
      return self
    } catch (error) {
      child.kill('SIGKILL')
      throw error
    }
  }

  /** A new viewer for this offer. */
  watch(offer: string, { check = false, candidate, ...options }: ViewOptions = {}): NativeViewer {
    const { answer, watched } = answerAsViewer(offer, this.#fingerprint, candidate)
    const id = this.#nextId++
    const { promise, resolve, reject } = Promise.withResolvers<string>()
    this.#waiting.set(id, { resolve, reject })
    this.#say('watch', { id, check: check ? 1 : 0, ...watched, ...options })
    return { id, answer, connected: within(connectMs, `viewer ${id}`, promise) }
  }

  /** Another offer to the same viewer: another consumer may be on its m-line. Gives the answer. */
  rewatch(id: number, offer: string): string {
    const { answer, watched } = answerAsViewer(offer, this.#fingerprint)
    const { video, rtx, audio, transportCc } = watched
    this.#say('video', { id, video, rtx, audio, transportCc })
    return answer
  }

  /** Ends a viewer: with a word to the server (`close`), or as if its cable was cut (`vanish`). */
  end(id: number, how: 'close' | 'vanish'): void {
    this.#say(how, { id })
  }

  /** The share of media packets that all viewers throw away from now on, 0 to 1, as if the path had lost them. */
  setLoss(share: number): void {
    this.#say('loss', { share })
  }

  /** What the line to each viewer carries from now on, in bit/s: what waits longer than 200 ms for it is lost. 0: everything. */
  setRate(bitsPerSecond: number): void {
    this.#say('rate', { bps: Math.round(bitsPerSecond) })
  }

  async report(): Promise<ViewersReport> {
    if (this.#exit !== undefined) {
      throw new NekoError('unavailable', this.#exit)
    }
    const { promise, resolve, reject } = Promise.withResolvers<ViewersReport>()
    this.#reports.push({ resolve, reject })
    this.#say('report', {})
    return within(reportMs, 'the report of the viewers', promise)
  }

  reset(): void {
    this.#say('reset', {})
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      const gone = once(this.#child, 'exit')
      this.#child.stdin?.end()
      await within(startMs, 'ending the viewers', gone).catch(() => this.#child.kill('SIGKILL'))
    }
  }

  #say(verb: string, values: Readonly<Record<string, string | number | undefined>>): void {
    const pairs = Object.entries(values).filter(([, value]) => value !== undefined)
    this.#child.stdin?.write(`${[verb, ...pairs.map(([name, value]) => `${name}=${value}`)].join(' ')}\n`)
  }

  #hear(text: string): void {
    const line = Line.parse(JSON.parse(text))
    switch (line.event) {
      case 'connected':
        return this.#waiting.get(line.id)?.resolve(line.profile)
      case 'picture':
        this.firstPacketMs.set(line.id, line.ms)
        return undefined
      case 'failed':
      case 'closed':
        return this.#end(line.id ?? -1, line.event === 'failed' ? line.message : 'closed by the server')
      case 'report':
        return this.#reports.shift()?.resolve(line)
      case 'ready':
        return undefined
      default:
        return line satisfies never
    }
  }

  #end(id: number, reason: string): void {
    this.ended.set(id, reason)
    this.#waiting.get(id)?.reject(new NekoError('unavailable', `viewer ${id}: ${reason}`))
  }

  #gone(how: number | NodeJS.Signals | null): void {
    const reason = `the viewers ended with ${how}`
    this.#exit = reason
    for (const id of this.#waiting.keys()) {
      this.#end(id, reason)
    }
    for (const { reject } of this.#reports.splice(0)) {
      reject(new NekoError('unavailable', reason))
    }
  }
}
