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
  /** How many watch, rising: at each number all of them watch for `seconds`, and what reaches them is a step of the result. */
  readonly members: readonly number[]
  readonly joinsPerSecond: number
  readonly seconds: number
  /** The codec that the room is to have; one that has another is not joined. */
  readonly codec: string | undefined
  /** Which of the room's pictures they ask for: its name, `auto`, or what the room gives first. */
  readonly video: string | undefined
  /** Those behind a thin line: their share, 0 to 1, and what it carries to each, in bit/s. */
  readonly thin: { readonly share: number; readonly bitsPerSecond: number }
  /** Ends the test early; those inside leave, and the result says what was until then. */
  readonly signal: AbortSignal
  readonly progress: (line: string) => void
}

interface Joined {
  readonly member: LoadTestMember
  readonly startedAt: number
  readonly ms: number
}

/** Those with a line like the server's, and those behind a thin one: two processes, so that each is counted by itself. */
interface Lines {
  readonly wide: NativeViewers
  readonly thin: NativeViewers | undefined
}

/** The crowd of one test: who is in, and who is not and why. */
class Crowd {
  /** All with a session, in or not: each must log out. */
  readonly members: LoadTestMember[] = []
  readonly joined: Joined[] = []
  readonly failures: string[] = []
  readonly #options: LoadTestOptions
  readonly #lines: Lines
  #tried = 0

  constructor(options: LoadTestOptions, lines: Lines) {
    this.#options = options
    this.#lines = lines
  }

  /**
   * As many come in as are missing of `count`, each at its time, without waiting for those before. Fails where the password is wrong: nobody
   * else needs to try.
   */
  async rise(count: number): Promise<void> {
    const { joinsPerSecond, signal } = this.#options
    const refused = new AbortController()
    const either = AbortSignal.any([signal, refused.signal])
    const first = this.#tried
    this.#tried = count
    const joins = Array.from({ length: count - first }, async (_, index) => {
      await sleep((index * 1_000) / joinsPerSecond, undefined, { signal: either }).catch(() => undefined)
      if (!either.aborted) {
        await this.#join(first + index, either).catch((error: unknown) => {
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
    const { url: base, name, password, codec, video } = this.#options
    const startedAt = performance.now()
    const member = await LoadTestMember.login({ base, username: `${name}-${index + 1}`, password }, this.#lineOf(index))
    this.members.push(member)
    await member.watch({ codec, video }, signal)
    this.joined.push({ member, startedAt, ms: performance.now() - startedAt })
  }

  /** Thin lines are spread evenly over those who come. */
  #lineOf(index: number): NativeViewers {
    const { share } = this.#options.thin
    const isThin = Math.floor((index + 1) * share) > Math.floor(index * share)
    return (isThin && this.#lines.thin) || this.#lines.wide
  }
}

/** Runs the test and gives what is printed as JSON. Fails with `unauthorized` where the server refuses the password. */
export async function loadTest(options: LoadTestOptions) {
  await using wide = await NativeViewers.open()
  await using thin = options.thin.share === 0 ? undefined : await NativeViewers.open()
  thin?.setRate(options.thin.bitsPerSecond)
  const lines: Lines = { wide, thin }
  const crowd = new Crowd(options, lines)
  const told = tell(options, { crowd, lines })
  try {
    const steps: Awaited<ReturnType<typeof hold>>[] = []
    for (const members of options.members) {
      await crowd.rise(members)
      steps.push(await hold(crowd.joined.length === 0 ? 0 : options.seconds, { lines, signal: options.signal }))
      if (options.signal.aborted) {
        break
      }
    }
    return { ...outcome(options, crowd), steps }
  } finally {
    clearInterval(told)
    await crowd.leave()
  }
}

/** Lets all watch, and gives what came in that time and the cores that it took here, of the viewers and of this process with its sockets. */
async function hold(seconds: number, { lines: { wide, thin }, signal }: { lines: Lines; signal: AbortSignal }) {
  const both = [wide, thin].filter((line) => line !== undefined)
  const before = await Promise.all(both.map((line) => line.report()))
  for (const line of both) {
    line.reset()
  }
  const cpu = process.cpuUsage()
  const start = performance.now()
  await sleep(seconds * 1_000, undefined, { signal }).catch(() => undefined)
  const [report, ofThin] = await Promise.all([wide.report(), thin?.report()])
  const elapsedMs = performance.now() - start
  const { user, system } = process.cpuUsage(cpu)
  const cores = (ms: number) => hundredth(ms / elapsedMs)
  const viewersMs = report.cpuMs + (ofThin?.cpuMs ?? 0) - sum(before.map(({ cpuMs }) => cpuMs))
  return {
    seconds: hundredth(elapsedMs / 1_000),
    ...arrived(report, elapsedMs),
    ...(ofThin && { thin: arrived(ofThin, elapsedMs) }),
    clientCpu: { viewers: cores(viewersMs), signalling: cores((user + system) / 1_000) },
  }
}

function outcome({ url, members, joinsPerSecond, thin, signal }: LoadTestOptions, { joined, failures }: Crowd) {
  const gone = joined.flatMap(({ member }) => member.goneBy ?? [])
  return {
    target: url.href,
    at: new Date().toISOString(),
    interrupted: signal.aborted,
    members: members.at(-1),
    joinsPerSecond,
    ...(thin.share > 0 && { thin }),
    joined: joined.length,
    failed: failures.length,
    failures: tally(failures),
    gone: gone.length,
    goneBy: tally(gone),
    // Connected, and not a packet of the picture so far.
    withoutPicture: joined.filter(({ member }) => member.firstPacketAt === undefined).length,
    codec: joined[0]?.member.codec,
    joinMs: percentiles(joined.map(({ ms }) => ms)),
    firstPacketMs: percentiles(
      joined.flatMap(({ member, startedAt }) => (member.firstPacketAt === undefined ? [] : member.firstPacketAt - startedAt)),
    ),
  }
}

function arrived({ connected, packets, audioPackets, bytes, lost, retransmitted, least, most }: ViewersReport, elapsedMs: number) {
  return {
    connected,
    packets,
    audioPackets,
    bytes,
    lost,
    retransmitted,
    lostShare: packets === 0 ? 0 : lost / (packets + lost),
    packetsPerViewer: { least, most },
    bitratePerViewer: connected === 0 ? 0 : Math.round((bytes * 8_000) / elapsedMs / connected),
  }
}

function tell(options: LoadTestOptions, { crowd, lines }: { crowd: Crowd; lines: Lines }): ReturnType<typeof setInterval> {
  let before = { packets: 0, bytes: 0 }
  const show = (reports: readonly ViewersReport[]) => {
    const gone = crowd.joined.filter(({ member }) => member.goneBy !== undefined).length
    const now = { packets: sum(reports.map(({ packets }) => packets)), bytes: sum(reports.map(({ bytes }) => bytes)) }
    // The sums begin anew with each step.
    const since = now.packets < before.packets ? { packets: 0, bytes: 0 } : before
    before = now
    options.progress(
      `${crowd.joined.length} of ${options.members.at(-1)} joined, ${crowd.failures.length} failed, ${gone} gone, ` +
        `${now.packets - since.packets} packets/s, ${hundredth(((now.bytes - since.bytes) * 8) / 1e6)} Mbit/s`,
    )
  }
  // A report that does not come ends the test itself: this is only what is shown meanwhile.
  return setInterval(() => {
    Promise.all([lines.wide, lines.thin].flatMap((line) => line?.report() ?? [])).then(show, () => undefined)
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

const sum = (values: readonly number[]): number => values.reduce((all, value) => all + value, 0)
