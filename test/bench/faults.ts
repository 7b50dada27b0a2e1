import { mkdtemp, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { messageOf, NekoError } from '@neko-edge/kit'
import { seeded, TcpRelay } from '@neko-edge/testing'
import { Fleet } from '../e2e/fleet.ts'
import { areUp, type FaultKind, type Findings, faultKinds, type Stage } from './fault-kinds.ts'
import { type Lived, SteadyViewer } from './steady-viewer.ts'
import { type Summary, summarise } from './summary.ts'

export interface FaultsOptions {
  /** Names of `faultKinds`; empty: all of them. */
  readonly only: readonly string[]
  readonly rounds: number
  /** Who is struck, and for how long, follows from it. */
  readonly seed: number
}

export interface FaultResult {
  readonly about: string
  readonly rounds: number
  /** How long those without a new peer and with their socket may be without a picture, where nobody is struck; and those who are struck. */
  readonly boundMs: number
  /** The longest gap in the picture of each viewer who was struck. */
  readonly gapMs: Summary | undefined
  /** The same of the others; and packets that they never got. */
  readonly othersGapMs: Summary | undefined
  readonly othersMissing: number
  /** From a lost socket to the greeting on another one. */
  readonly backMs: Summary | undefined
  /** What else was measured. */
  readonly findings: Readonly<Record<string, Summary | undefined>>
  /** Rounds in which something did not come back, or not in time. */
  readonly failures: readonly string[]
}

/** Who loses nothing may be without a packet for so long, on a machine that is shared with what was struck. */
const noGapMs = 500
/** How soon a socket that was lost is greeted elsewhere. */
const backBoundMs = 2_000

/** Does to a fleet under viewers what can happen to one, many times each; what came of it, by fault. */
export async function faults(
  { only, rounds, seed }: FaultsOptions,
  progress: (part: string) => void,
): Promise<{ seed: number; faults: Record<string, FaultResult> }> {
  const names = only.length > 0 ? only : Object.keys(faultKinds)
  const results: Record<string, FaultResult> = {}
  for (const name of names) {
    const kind = Object.hasOwn(faultKinds, name) ? faultKinds[name] : undefined
    if (!kind) {
      throw new NekoError('invalid', `--only ${name}: there is no such fault; there are ${Object.keys(faultKinds).join(', ')}`)
    }
    results[name] = await strikes(kind, { rounds, random: seeded(seed), progress: (text) => progress(`${name} ${text}`) })
  }
  return { seed, faults: results }
}

interface Strikes {
  readonly rounds: number
  readonly random: () => number
  readonly progress: (part: string) => void
}

async function strikes(kind: FaultKind, { rounds, random, progress }: Strikes): Promise<FaultResult> {
  await using owned = new AsyncDisposableStack()
  const stage = await openStage(kind, { random, owned })
  const lived: Lived[] = []
  const findings: Findings[] = []
  const failures: string[] = []
  for (let round = 1; round <= rounds; round++) {
    try {
      const one = await strike(kind, stage)
      lived.push(...one.lived)
      findings.push(one.findings)
      const late = tooLate(kind, one.lived)
      failures.push(...late.map((text) => `round ${round}: ${text}`))
      progress(`${round}/${rounds}: ${inWords(kind, one)}${late.length > 0 ? `; ${late.join(', ')}` : ''}`)
    } catch (error) {
      const file = join(await mkdtemp(join(tmpdir(), 'neko-faults-')), 'log')
      await writeFile(file, stage.fleet.log)
      failures.push(`round ${round}: ${messageOf(error)}; what the fleet said is in ${file}`)
      progress(failures.at(-1) ?? '')
      break
    }
  }
  const [hit, others] = [lived.filter((one) => isStruck(kind, one)), lived.filter((one) => !isStruck(kind, one))]
  const names = [...new Set(findings.flatMap((one) => Object.keys(one)))]
  return {
    about: kind.about,
    rounds: findings.length,
    boundMs: kind.boundMs,
    gapMs: summarise(
      hit.map(({ gapMs }) => gapMs),
      Math.round,
    ),
    othersGapMs: summarise(
      others.map(({ gapMs }) => gapMs),
      Math.round,
    ),
    othersMissing: others.reduce((sum, { missing }) => sum + missing, 0),
    backMs: summarise(
      lived.flatMap(({ backMs }) => backMs ?? []),
      Math.round,
    ),
    findings: Object.fromEntries(
      names.map((name) => [
        name,
        summarise(
          findings.flatMap((one) => one[name] ?? []),
          Math.round,
        ),
      ]),
    ),
    failures,
  }
}

async function openStage(kind: FaultKind, { random, owned }: { random: () => number; owned: AsyncDisposableStack }): Promise<Stage> {
  const fleet = owned.use(await Fleet.open(kind.fleet))
  await areUp({ fleet }, kind.fleet.nodes?.length ?? 1)
  const proxy = owned.use(await TcpRelay.open(...fleet.urls.map((url) => ({ host: '127.0.0.1', port: Number(new URL(url).port) }))))
  const viewers: SteadyViewer[] = []
  for (let index = 0; index < kind.viewers; index++) {
    viewers.push(owned.use(await SteadyViewer.open({ url: proxy.url, username: `viewer-${index}`, password: 'admin' })))
  }
  return { fleet, proxy, viewers, random }
}

async function strike(kind: FaultKind, stage: Stage): Promise<{ lived: Lived[]; findings: Findings }> {
  const { viewers } = stage
  await kind.prepare?.(stage)
  await Promise.all(viewers.map((viewer) => viewer.steady()))
  viewers.forEach((viewer) => viewer.mark())
  const from = performance.now()
  const findings = await kind.strike(stage)
  // Who is struck may not have noticed yet.
  await Promise.all(viewers.map((viewer) => viewer.steady({ from: from + 1_500 })))
  const lived = viewers.map((viewer) => viewer.lived)
  await kind.restore?.(stage)
  return { lived, findings }
}

/** A viewer is struck who was given a new peer, or saw nothing for a while where somebody may. */
const isStruck = ({ boundMs }: FaultKind, { provides, gapMs }: Lived): boolean => boundMs > 0 && (provides > 0 || gapMs > noGapMs)

function tooLate(kind: FaultKind, lived: readonly Lived[]): string[] {
  return lived.flatMap((one, index) => {
    const bound = isStruck(kind, one) ? kind.boundMs : noGapMs
    return [
      ...(one.gapMs > bound ? [`viewer ${index} saw nothing for ${Math.round(one.gapMs)} ms`] : []),
      ...(one.missing > 0 ? [`viewer ${index} misses ${one.missing} packets`] : []),
      ...((one.backMs ?? 0) > backBoundMs ? [`viewer ${index} was back after ${Math.round(one.backMs ?? 0)} ms`] : []),
    ]
  })
}

function inWords(kind: FaultKind, { lived, findings }: { lived: readonly Lived[]; findings: Findings }): string {
  const worst = (some: readonly Lived[]) => Math.round(Math.max(0, ...some.map(({ gapMs }) => gapMs)))
  const hit = lived.filter((one) => isStruck(kind, one))
  const back = lived.flatMap(({ backMs }) => backMs ?? [])
  return [
    `${hit.length} of ${lived.length} struck`,
    ...(hit.length > 0 ? [`gap ${worst(hit)} ms`] : []),
    `others ${worst(lived.filter((one) => !isStruck(kind, one)))} ms`,
    ...(back.length > 0 ? [`back in ${Math.round(Math.max(...back))} ms`] : []),
    ...Object.entries(findings).map(([name, value]) => `${name} ${Math.round(value)}`),
  ].join(', ')
}
