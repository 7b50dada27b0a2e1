import { availableParallelism, loadavg } from 'node:os'
import { NekoError } from '@neko-edge/kit'
import { clientMemory } from './client-memory.ts'
import { ClientPage } from './client-page.ts'
import { type PageWeight, weighPage } from './page-weight.ts'
import { type Summary, summarise, tenth } from './summary.ts'
import { servePage, startOurs, type Target } from './target.ts'

export interface ClientOptions {
  /** Names of what to measure, of `clientParts`; `invalid` for another. */
  parts: readonly string[]
  /** Pages to open and people to let in. */
  runs: number
  clicks: number
  /** How long the page watches a moving room. */
  minutes: number
}

/** Of a long run: an hour of it costs little beside other work, and the page keeps as much for a small picture as for a large one. */
const calmScreen = '320x240@5'
const watchMs = 10_000
const members = 2_000

/** What can be measured, in this order, each at a server of its own. */
const measures: Record<
  string,
  { calm?: true; measure: (target: Target, options: ClientOptions, progress: (what: string) => void) => Promise<object> }
> = {
  'coming-in': { measure: (target, { runs }) => measureComingIn(target, runs) },
  watching: { measure: (target, { clicks }) => measureWatching(target, clicks) },
  crowd: { measure: async (target) => ({ crowd: await measureCrowd(target) }) },
  memory: { calm: true, measure: async (target, { minutes }, progress) => ({ memory: await clientMemory(target, minutes, progress) }) },
}
export const clientParts = Object.keys(measures)

/** Measures our page in a real Chromium against our server, and gives what is printed as JSON. `progress` hears what is done. */
export async function client(options: ClientOptions, progress: (what: string) => void): Promise<object> {
  const unknown = options.parts.find((part) => !clientParts.includes(part))
  if (unknown !== undefined) {
    throw new NekoError('invalid', `--part ${unknown}: there are ${clientParts.join(', ')}`)
  }
  const loadBefore = loadavg().map(tenth)
  await using desk = await servePage()
  const measured: object[] = []
  for (const [part, { calm, measure }] of Object.entries(measures).filter(([name]) => options.parts.includes(name))) {
    progress(part)
    await using target = await startOurs(calm ? { pageUrl: `${desk.url}?calm`, screen: calmScreen } : { pageUrl: desk.url })
    measured.push(await measure(target, options, progress))
  }
  return {
    at: new Date().toISOString(),
    machine: { cpus: availableParallelism(), loadBefore, loadAfter: loadavg().map(tenth) },
    weightKb: inKb(await weighPage()),
    ...Object.assign({}, ...measured),
  }
}

function inKb(weight: PageWeight): Record<string, { raw: number; gzip: number; files: number }> {
  const parts = Object.entries(weight) as [string, PageWeight['all']][]
  const kb = (bytes: number) => tenth(bytes / 1_000)
  return Object.fromEntries(
    parts.map(([part, { names, rawBytes, gzipBytes }]) => [part, { raw: kb(rawBytes), gzip: kb(gzipBytes), files: names.length }]),
  )
}

interface ComingIn {
  /** From the navigation to the login page, nothing in the browser's cache. */
  firstPaintMs: Summary | undefined
  /** From the click on "Join" to the first decoded frame. */
  loginToFrameMs: Summary | undefined
}

async function measureComingIn(target: Target, runs: number): Promise<ComingIn> {
  await using page = await ClientPage.open(target)
  const paints: number[] = []
  const frames: number[] = []
  for (let run = 0; run < runs; run++) {
    paints.push(await page.paint())
    frames.push(await page.signIn())
    await page.signOut()
  }
  return { firstPaintMs: summarise(paints), loginToFrameMs: summarise(frames) }
}

interface Watching {
  framesPerSecond: number
  /** Of one processor, per cent, of the process that runs the page and decodes its picture. */
  pageCpu: number
}

async function measureWatching(target: Target, clicks: number): Promise<{ clickToPixelMs: Summary | undefined; watching: Watching }> {
  await using page = await ClientPage.open(target)
  await page.paint()
  await page.signIn()
  const clickToPixelMs = summarise(await page.clicks(clicks))
  const before = { ...(await page.usage()), frames: await page.frames(), at: performance.now() }
  await page.wait(watchMs)
  const after = { ...(await page.usage()), frames: await page.frames() }
  const seconds = (performance.now() - before.at) / 1_000
  return {
    clickToPixelMs,
    watching: {
      framesPerSecond: tenth((after.frames - before.frames) / seconds),
      pageCpu: tenth((100 * (after.cpuSeconds - before.cpuSeconds)) / seconds),
    },
  }
}

interface Crowd {
  members: number
  /** From the first message about one of them to the list that shows them all. */
  takenInMs: number
  /** Of the page, with the list open. */
  heapMb: number
  /** While the whole list passes by. */
  framesPerSecond: number
  longestFrameMs: number
}

async function measureCrowd(target: Target): Promise<Crowd> {
  await using page = await ClientPage.open(target)
  await page.paint()
  await page.signIn()
  const takenInMs = await page.crowd(members)
  const { framesPerSecond, longestFrameMs } = await page.scroll()
  return { members, takenInMs: tenth(takenInMs), heapMb: tenth((await page.usage()).heapBytes / 1e6), framesPerSecond, longestFrameMs }
}
