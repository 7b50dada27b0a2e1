import { createLog, type Log, NekoError } from '@neko-edge/kit'
import { workerBinary } from '../../../../infra/worker/locate.ts'
import type { AudioCodecName, VideoCodecName } from '../../src/capture/codec.ts'
import { type MediasoupSfuOptions, openMediasoupSfu } from '../../src/sfu/mediasoup-sfu.ts'
import { testSources } from './gst-source.ts'

/** How long a test waits for what takes a second on an idle machine: encoders, browsers and other people's tests share two cores. */
export const patienceMs = 25_000

/** The worker program under test. */
export const workerBin = workerBinary() ?? missing()

function missing(): never {
  throw new Error('there is no media worker yet: run `npm run setup`, or name one with MEDIASOUP_WORKER_BIN')
}

export interface LogLine {
  readonly level: string
  readonly message: string
  readonly fields: Readonly<Record<string, unknown>>
}

/** A log that keeps its lines, and shows them with `SFU_LOG=1`. */
export function keptLog(): { log: Log; lines: LogLine[] } {
  const lines: LogLine[] = []
  const log = createLog((level, fields, message) => {
    lines.push({ level, message, fields })
    if (process.env['SFU_LOG'] !== undefined) {
      process.stderr.write(`${level} ${message} ${JSON.stringify(fields)}\n`)
    }
  })
  return { log, lines }
}

/** An SFU on loopback with one room of test sources; all of it ends with the scope. */
export async function testRoom(options: Partial<MediasoupSfuOptions> & { video?: VideoCodecName; sound?: AudioCodecName } = {}) {
  const { video, sound, ...rest } = options
  const { log, lines } = keptLog()
  const sources = testSources(video, sound)
  const sfu = await openMediasoupSfu({
    workerBin,
    ports: { listenIp: '127.0.0.1', range: { min: 40_000, max: 49_999 } },
    announced: ['127.0.0.1'],
    log,
    ...rest,
  })
  const room = await sfu.openRoom(sources)
  return {
    sfu,
    room,
    sources,
    lines,
    async [Symbol.asyncDispose]() {
      await sfu[Symbol.asyncDispose]()
      sources[Symbol.dispose]()
    },
  }
}

/** The code of the NekoError that `work` ends with; undefined when it succeeds. */
export async function codeOf(work: Promise<unknown>): Promise<string | undefined> {
  try {
    await work
    return undefined
  } catch (error) {
    if (error instanceof NekoError) {
      return error.code
    }
    throw error
  }
}
