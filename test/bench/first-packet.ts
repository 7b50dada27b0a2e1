import { until } from '@neko-edge/kit'
import { loginV3, V3Viewer } from '@neko-edge/testing/viewer'
import { type Summary, summarise } from './summary.ts'
import type { Target } from './target.ts'

const packetMs = 15_000

export interface FirstPacket {
  /** Nobody else watches: the pictures may have to be started. */
  alone: Summary | undefined
  /** Somebody watches already. */
  joining: Summary | undefined
}

/** WebSocket open → first video RTP packet, milliseconds, with a headless viewer. */
export async function measureFirstPacket(target: Target, runs: number): Promise<FirstPacket> {
  const alone = await series(target, runs)
  await using watcher = await V3Viewer.open({ url: target.url, username: 'bench-watcher', password: target.password, frames: false })
  await watcher.watch()
  const joining = await series(target, runs)
  await watcher.logout()
  return { alone, joining }
}

async function series(target: Target, runs: number): Promise<Summary | undefined> {
  // One login for all runs: it is not part of what is measured, and servers slow down whoever logs in often.
  const session = await loginV3({ url: target.url, username: 'bench-packet', password: target.password })
  const times: number[] = []
  for (let run = 0; run < runs; run++) {
    await using viewer = await V3Viewer.connect(session, { frames: false })
    await viewer.watch()
    const first = await until(() => viewer.peer.video.firstAt, { ms: packetMs, what: 'the first video packet', everyMs: 1 })
    times.push(first - viewer.socket.openedAt)
    if (run === runs - 1) {
      await viewer.logout()
    }
  }
  return summarise(times)
}
