import { Session } from 'node:inspector/promises'
import { delay } from '@neko-edge/kit'
import type { Profiler } from '../runtime.ts'

/** Profiles by V8's own inspector. They name functions and lines; no value of the program is in them. */
export const profiler: Profiler = {
  cpu: (ms) =>
    inspected(async (session) => {
      await session.post('Profiler.enable')
      await session.post('Profiler.start')
      await delay(ms)
      return (await session.post('Profiler.stop')).profile
    }),
  heap: (ms) =>
    inspected(async (session) => {
      await session.post('HeapProfiler.startSampling')
      await delay(ms)
      return (await session.post('HeapProfiler.stopSampling')).profile
    }),
}

async function inspected(work: (session: Session) => Promise<object>): Promise<string> {
  const session = new Session()
  session.connect()
  try {
    return JSON.stringify(await work(session))
  } finally {
    session.disconnect()
  }
}
