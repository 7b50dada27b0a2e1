import { delay } from '@neko-edge/kit'
import { V3Viewer } from '@neko-edge/testing/viewer'
import { ClientPage, type PageUsage } from './client-page.ts'
import { tenth } from './summary.ts'
import type { Target } from './target.ts'

/** As many lines as the chat keeps: before it is full it has to grow. */
const chatLines = 500
const everyMs = 1_000
const leastSamples = 6

/** How the page's memory went while the room moved. */
export interface Growth {
  minutes: number
  heapMb: Ends
  nodes: Ends
  listeners: Ends
  /** Resident memory of the process that runs the page. */
  processMb: Ends
  /** Of the straight line through all samples. */
  heapKbPerMinute: number
}

interface Ends {
  first: number
  last: number
}

/** Watches a room in which people talk, come and go, for `minutes`, and samples the page after garbage collections. */
export async function clientMemory(target: Target, minutes: number, progress: (what: string) => void): Promise<Growth> {
  await using page = await ClientPage.open(target)
  await page.paint()
  await page.signIn()
  await using talker = await V3Viewer.open({ url: target.url, username: 'talker', password: target.password })
  for (let line = 0; line < chatLines; line++) {
    talker.send('chat/message', { text: `line ${line}` })
    // One after the other: a socket that floods is not heard out.
    await talker.event('chat/message')
  }
  const samples: (PageUsage & { minute: number })[] = []
  const startedAt = performance.now()
  const elapsed = () => (performance.now() - startedAt) / 60_000
  const sampleMs = Math.max(2_000, (minutes * 60_000) / 40)
  while (elapsed() < minutes || samples.length < leastSamples) {
    const until = performance.now() + sampleMs
    while (performance.now() < until) {
      await move(target, talker)
      await delay(everyMs)
    }
    const usage = await page.usage()
    samples.push({ ...usage, minute: elapsed() })
    progress(`minute ${tenth(elapsed())}: ${JSON.stringify(usage)}`)
  }
  const ends = (of: (usage: PageUsage) => number): Ends => ({
    first: tenth(of(samples[0] as PageUsage)),
    last: tenth(of(samples[samples.length - 1] as PageUsage)),
  })
  return {
    minutes: tenth(elapsed()),
    heapMb: ends(({ heapBytes }) => heapBytes / 1e6),
    nodes: ends(({ nodes }) => nodes),
    listeners: ends(({ listeners }) => listeners),
    processMb: ends(({ processBytes }) => processBytes / 1e6),
    heapKbPerMinute: tenth(slope(samples.map(({ minute, heapBytes }) => [minute, heapBytes / 1e3]))),
  }
}

/** What a lively room does in a moment: a message with Markdown, an emote, somebody who comes and goes. */
async function move(target: Target, talker: V3Viewer): Promise<void> {
  talker.send('chat/message', { text: `**now** ${new Date().toISOString()} https://example.org/` })
  talker.send('send/broadcast', { subject: 'emote', body: 'party' })
  const guest = await V3Viewer.open({ url: target.url, username: `guest ${Date.now()}`, password: target.password })
  await guest.logout()
  await guest.close()
}

/** Of the straight line through the points, by least squares. */
function slope(points: readonly (readonly [x: number, y: number])[]): number {
  const mean = (at: 0 | 1) => points.reduce((all, point) => all + point[at], 0) / points.length
  const [x, y] = [mean(0), mean(1)]
  const over = points.reduce((all, [px, py]) => all + (px - x) * (py - y), 0)
  const under = points.reduce((all, [px]) => all + (px - x) ** 2, 0)
  return under === 0 ? 0 : over / under
}
