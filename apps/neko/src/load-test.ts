import { setTimeout as sleep } from 'node:timers/promises'
import { messageOf, NekoError } from '@neko-edge/kit'
import { NativeViewers, type ViewersReport } from '../../../infra/viewers/native-viewers.ts'
import { LoadTestMember } from './load-test-member.ts'

/** How often the progress line is told. */
const progressMs = 1_000

export interface LoadTestOptions {
  readonly url: URL
  readonly password: string
  /** Members are called by it and a number. */
  readonly name: string
  readonly members: number
  readonly joinsPerSecond: number
  /** How long all watch, from the last join on. */
  readonly seconds: number
  /** Ends the test early; those inside leave, and the result says what was until then. */
  readonly signal: AbortSignal
  readonly progress: (line: string) => void
}

interface Joined {
  readonly member: LoadTestMember
  readonly startedAt: number
  readonly ms: number
}

/** The crowd of one test: who is in, and who is not and why. */
class Crowd {
  /** All with a session, in or not: each must log out. */
  readonly members: LoadTestMember[] = []
  readonly joined: Joined[] = []
  readonly failures: string[] = []
  readonly #options: LoadTestOptions
  readonly #viewers: NativeViewers

  constructor(options: LoadTestOptions, viewers: NativeViewers) {
    this.#options = options
    this.#viewers = viewers
  }

  /** All come in, each at its time, without waiting for those before. Fails where the password is wrong: nobody else needs to try. */
  async ramp(): Promise<void> {
    const { members, joinsPerSecond, signal } = this.#options
    const refused = new AbortController()
    const either = AbortSignal.any([signal, refused.signal])
    const joins = Array.from({ length: members }, async (_, index) => {
      await sleep((index * 1_000) / joinsPerSecond, undefined, { signal: either }).catch(() => undefined)
      if (!either.aborted) {
        await this.#join(index, either).catch((error: unknown) => {
          if (error instanceof NekoError && error.code === 'unauthorized') {
            refused.abort(error)
          } else if (!either.aborted) {
            this.failures.push(messageOf(error).replace(/\bviewer \d+/, 'viewer'))
          }
        })
      }
    })
    await Promise.all(joins)
    refused.signal.throwIfAborted()
  }

  /** Everybody logs out; one that can not does not keep the others. */
  async leave(): Promise<void> {
    await Promise.allSettled(this.members.map((member) => member.leave()))
  }

  async #join(index: number, signal: AbortSignal): Promise<void> {
    const { url: base, name, password } = this.#options
    const startedAt = performance.now()
    const member = await LoadTestMember.login({ base, username: `${name}-${index + 1}`, password }, this.#viewers)
    this.members.push(member)
    await member.watch(signal)
    this.joined.push({ member, startedAt, ms: performance.now() - startedAt })
  }
}

/** Runs the test and gives what is printed as JSON. Fails with `unauthorized` where the server refuses the password. */
export async function loadTest(options: LoadTestOptions) {
  await using viewers = await NativeViewers.open()
  const crowd = new Crowd(options, viewers)
  const told = tell(options, { crowd, viewers })
  try {
    await crowd.ramp()
    const { report, elapsedMs, clientCpu } = await hold(crowd.joined.length === 0 ? 0 : options.seconds, {
      viewers,
      signal: options.signal,
    })
    return { ...outcome(options, crowd), ...arrived(report, elapsedMs), clientCpu }
  } finally {
    clearInterval(told)
    await crowd.leave()
  }
}

/** Lets all watch, and gives what came in that time and the cores that it took here, of the viewers and of this process with its sockets. */
async function hold(seconds: number, { viewers, signal }: { viewers: NativeViewers; signal: AbortSignal }) {
  const before = await viewers.report()
  viewers.reset()
  const cpu = process.cpuUsage()
  const start = performance.now()
  await sleep(seconds * 1_000, undefined, { signal }).catch(() => undefined)
  const report = await viewers.report()
  const elapsedMs = performance.now() - start
  const { user, system } = process.cpuUsage(cpu)
  const cores = (ms: number) => hundredth(ms / elapsedMs)
  return { report, elapsedMs, clientCpu: { viewers: cores(report.cpuMs - before.cpuMs), signalling: cores((user + system) / 1_000) } }
}

function outcome({ url, members, joinsPerSecond, signal }: LoadTestOptions, { joined, failures }: Crowd) {
  const gone = joined.flatMap(({ member }) => member.goneBy ?? [])
  return {
    target: url.href,
    at: new Date().toISOString(),
    interrupted: signal.aborted,
    members,
    joinsPerSecond,
    joined: joined.length,
    failed: failures.length,
    failures: tally(failures),
    gone: gone.length,
    goneBy: tally(gone),
    codec: joined[0]?.member.codec,
    joinMs: percentiles(joined.map(({ ms }) => ms)),
    firstPacketMs: percentiles(
      joined.flatMap(({ member, startedAt }) => (member.firstPacketAt === undefined ? [] : member.firstPacketAt - startedAt)),
    ),
  }
}

function arrived({ connected, packets, audioPackets, bytes, lost, least, most }: ViewersReport, elapsedMs: number) {
  return {
    seconds: hundredth(elapsedMs / 1_000),
    connected,
    packets,
    audioPackets,
    bytes,
    lost,
    lostShare: packets === 0 ? 0 : lost / (packets + lost),
    packetsPerViewer: { least, most },
    bitratePerViewer: connected === 0 ? 0 : Math.round((bytes * 8_000) / elapsedMs / connected),
  }
}

function tell(options: LoadTestOptions, { crowd, viewers }: { crowd: Crowd; viewers: NativeViewers }): ReturnType<typeof setInterval> {
  let before = 0
  const show = ({ packets }: ViewersReport) => {
    const gone = crowd.joined.filter(({ member }) => member.goneBy !== undefined).length
    // The sums begin anew when all are in.
    const news = packets < before ? packets : packets - before
    before = packets
    options.progress(
      `${crowd.joined.length} of ${options.members} joined, ${crowd.failures.length} failed, ${gone} gone, ${news} packets/s`,
    )
  }
  // A report that does not come ends the test itself: this is only what is shown meanwhile.
  return setInterval(() => {
    viewers.report().then(show, () => undefined)
  }, progressMs)
}

function tally(reasons: readonly string[]): Readonly<Record<string, number>> {
  return Object.fromEntries(
    Array.from(
      Map.groupBy(reasons, (reason) => reason),
      ([reason, all]) => [reason, all.length],
    ),
  )
}

function percentiles(values: readonly number[]): { p50: number; p95: number } | undefined {
  const sorted = values.toSorted((a, b) => a - b)
  const rank = (share: number) => Math.round(sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? 0)
  return sorted.length === 0 ? undefined : { p50: rank(0.5), p95: rank(0.95) }
}

const hundredth = (value: number): number => Math.round(value * 100) / 100
