import { availableParallelism, loadavg } from 'node:os'
import { measureInBrowser } from './browser.ts'
import { measureFirstPacket } from './first-packet.ts'
import { measureLoad } from './load.ts'
import { summarise, tenth } from './summary.ts'
import { foreignTarget, type StartTimes, servePage, startOurs, type Target } from './target.ts'

export interface FirstLightOptions {
  /** A server that runs already; ours is started when there is none. */
  url: string | undefined
  password: string
  /** Roots of that server's process trees. */
  pids: readonly number[]
  /** Runs of everything that is timed once a connection. */
  runs: number
  clicks: number
  starts: number
  viewers: readonly number[]
}

/** Measures one server as it is from the first connection on, and gives what is printed as JSON. `progress` hears of each part that begins. */
export async function firstLight(options: FirstLightOptions, progress: (part: string) => void): Promise<object> {
  const loadBefore = loadavg().map(tenth)
  await using page = await servePage()
  const { target, start } = await begin(options, page.url)
  await using _ = target
  progress('first packet')
  const firstPacket = await measureFirstPacket(target, options.runs)
  progress('browser')
  const browser = await measureInBrowser(target, { frames: options.runs, clicks: options.clicks })
  progress('load')
  const load = await measureLoad(target, options.viewers)
  return {
    target: options.url ?? 'neko-edge',
    at: new Date().toISOString(),
    // What else the machine did makes two results comparable or not.
    machine: { cpus: availableParallelism(), loadBefore, loadAfter: loadavg().map(tenth) },
    serveToReadyMs: start && summarise(start.map(({ readyMs }) => readyMs)),
    serveToPictureMs: start && summarise(start.map(({ pictureMs }) => pictureMs)),
    openToFirstPacketMs: firstPacket,
    openToFirstFrameMs: browser.firstFrame,
    clickToPixelMs: browser.clickToPixel ?? 'the desktop does not show the page of the bench',
    load: load.length > 0 ? load : 'not measured: name the server with --pid',
  }
}

async function begin(options: FirstLightOptions, pageUrl: string): Promise<{ target: Target; start: StartTimes[] | undefined }> {
  if (options.url !== undefined) {
    return { target: foreignTarget({ url: options.url, password: options.password, pids: options.pids }), start: undefined }
  }
  const times: StartTimes[] = []
  for (;;) {
    const target = await startOurs({ pageUrl })
    if (target.start) {
      times.push(target.start)
    }
    if (times.length >= options.starts) {
      return { target, start: times }
    }
    await target[Symbol.asyncDispose]()
  }
}
