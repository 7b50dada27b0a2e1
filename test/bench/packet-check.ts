/** Every check of the packet path (apps/capture-node/test/packet-path) at length, with each worker. */
import * as check from '../../apps/capture-node/test/packet-path/packet-check.ts'
import { checkThinPathInNamespace } from '../../apps/capture-node/test/packet-path/thin-path.ts'

export interface PacketCheckOptions {
  readonly workers: readonly { name: string; path: string }[]
  /** How many packets the first check waits for. */
  readonly packets: number
}

const minuteMs = 60_000

/** Runs all checks, one after the other, and gives what is printed as JSON: for each its counts, and what was wrong, which should be nothing. */
export async function packetCheck({ workers, packets }: PacketCheckOptions, progress: (part: string) => void): Promise<object> {
  const results: object[] = []
  for (const { name, path: workerBin } of workers) {
    const checks: Record<string, () => Promise<check.Outcome>> = {
      payloads: () => check.checkPayloads({ workerBin, viewers: 150, ms: 0, packets }),
      losses: () => check.checkLosses({ workerBin, viewers: 100, ms: minuteMs / 2 }),
      // The roll-over counter of SRTP goes from 0 to 3.
      rollover: () => check.checkRollover({ workerBin, packets: 3.5 * 65_536 }),
      layers: () => check.checkLayers({ workerBin, viewers: 50, ms: minuteMs / 2 }),
      'slow receivers': () => check.checkSlowReceivers({ workerBin, viewers: 50, ms: minuteMs / 3 }),
      departures: () => check.checkDepartures({ workerBin, viewers: 50, ms: minuteMs / 3 }),
      'closed rooms': () => check.checkClosedRooms({ workerBin, viewers: 50, ms: minuteMs / 3 }),
      'thin path': () => checkThinPathInNamespace({ workerBin, viewers: 20, ms: minuteMs / 12 }),
    }
    for (const [what, run] of Object.entries(checks)) {
      progress(`${name}: ${what}`)
      const start = performance.now()
      const { wrong, report } = await run()
      results.push({ worker: name, check: what, wrong, seconds: Math.round((performance.now() - start) / 1_000), ...counts(report) })
    }
  }
  return { at: new Date().toISOString(), results }
}

function counts({ viewers, packets, bytes, lost, damaged, outOfPlace, retransmitted, switches, starts }: check.Outcome['report']) {
  return { viewers, packets, bytes, lost, damaged, outOfPlace, retransmitted, switches, starts }
}
