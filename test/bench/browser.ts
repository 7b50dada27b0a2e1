import { NekoError, within } from '@neko-edge/kit'
import { TestBrowser } from '@neko-edge/testing/chromium'
import { loginV3, V3Viewer } from '@neko-edge/testing/viewer'
import { type Summary, summarise } from './summary.ts'
import type { Target } from './target.ts'

const frameMs = 15_000
const clickMs = 2_000
/** In the half of the page that flips; see click-page.html. */
const place = { x: 200, y: 300 }
const script = new URL('browser-viewer.js', import.meta.url).pathname

export interface BrowserTimes {
  firstFrame: { alone: Summary | undefined; joining: Summary | undefined }
  /** Undefined when the desktop does not react to a click. */
  clickToPixel: Summary | undefined
}

/** What a person in a real Chromium waits for, milliseconds: WebSocket open → first decoded frame, and click → changed pixel. */
export async function measureInBrowser(target: Target, { frames, clicks }: { frames: number; clicks: number }): Promise<BrowserTimes> {
  await using browser = await TestBrowser.open()
  const session = await loginV3({ url: target.url, username: 'bench-browser', password: target.password })
  const alone = await firstFrames({ browser, target, token: session.token, runs: frames })
  await using watcher = await V3Viewer.open({ url: target.url, username: 'bench-watcher', password: target.password, frames: false })
  await watcher.watch()
  const joining = await firstFrames({ browser, target, token: session.token, runs: frames })
  await watcher.logout()
  const clickToPixel = await clickTimes({ browser, target, token: session.token, runs: clicks })
  return { firstFrame: { alone, joining }, clickToPixel }
}

interface Series {
  browser: TestBrowser
  target: Target
  token: string
  runs: number
}

async function firstFrames({ runs, ...series }: Series): Promise<Summary | undefined> {
  const times: number[] = []
  for (let run = 0; run < runs; run++) {
    const page = await viewerPage(series)
    times.push(await openViewer(page, series.token))
    await page.evaluate('benchViewer.close()')
    await page.close()
  }
  return summarise(times)
}

async function clickTimes({ runs, ...series }: Series): Promise<Summary | undefined> {
  const page = await viewerPage(series)
  await openViewer(page, series.token)
  await page.evaluate('benchViewer.host()')
  const times: number[] = []
  for (let run = 0; run < runs; run++) {
    const time: unknown = await page.evaluate(`benchViewer.click(${JSON.stringify({ ...place, limitMs: clickMs })})`)
    if (typeof time === 'number') {
      times.push(time)
    } else if (times.length === 0 && run > 2) {
      break // this desktop shows something else than our page
    }
    // Not in step with the frames: the pause differs from run to run, by steps that no frame rate has.
    await page.waitForTimeout(150 + ((run * 7) % 40))
  }
  await page.evaluate('benchViewer.close()')
  await page.close()
  return summarise(times)
}

type Page = Awaited<ReturnType<TestBrowser['newPage']>>

async function viewerPage({ browser, target }: Omit<Series, 'runs'>): Promise<Page> {
  const page = await browser.newPage()
  await page.addInitScript({ path: script })
  // Any page of the server's own origin will do: its socket may refuse others.
  await page.goto(`${target.url}/health`)
  return page
}

async function openViewer(page: Page, token: string): Promise<number> {
  const opening = page.evaluate(`benchViewer.open(${JSON.stringify(token)})`)
  const time: unknown = await within(frameMs, 'the first decoded frame', opening)
  if (typeof time !== 'number') {
    throw new NekoError('internal', `the page of the bench gave ${String(time)}`)
  }
  return time
}
