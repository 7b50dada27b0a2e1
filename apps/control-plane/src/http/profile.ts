import { NekoError } from '@neko-edge/kit'
import type { Hono } from 'hono'
import type { Profiler } from '../runtime.ts'
import type { Deps } from './context.ts'
import { admit } from './operation.ts'
import { addGet } from './routes.ts'

const longestS = 60
const kinds = {
  profile: { take: 'cpu', seconds: 30, file: 'neko.cpuprofile', about: 'where the processor spends its time' },
  heap: { take: 'heap', seconds: 10, file: 'neko.heapprofile', about: 'which functions take memory' },
} as const

const index = `${Object.entries(kinds)
  .map(([name, { seconds, about }]) => `${name}?seconds=${seconds}  ${about}`)
  .join('\n')}\n`

/** `/debug/pprof/`, for admins: profiles of this process, one at a time, as files that Chrome's developer tools open. */
export function addProfiles(app: Hono, profiler: Profiler, deps: Deps): void {
  let isTaking = false
  addGet(app, '/debug/pprof/', async (context) => {
    await admit(['session', 'admin'], context, deps)
    return context.text(index)
  })
  for (const [name, { take, seconds, file }] of Object.entries(kinds)) {
    addGet(app, `/debug/pprof/${name}`, async (context) => {
      await admit(['session', 'admin'], context, deps)
      const ms = durationOf(context.req.query('seconds') ?? String(seconds))
      if (isTaking) {
        throw new NekoError('conflict', 'a profile is being taken: ask again when it is done')
      }
      isTaking = true
      try {
        const headers = { 'content-type': 'application/json', 'content-disposition': `attachment; filename="${file}"` }
        return context.body(await profiler[take](ms), 200, headers)
      } finally {
        isTaking = false
      }
    })
  }
}

function durationOf(text: string): number {
  if (!/^\d{1,2}$/.test(text) || Number(text) < 1 || Number(text) > longestS) {
    throw new NekoError('invalid', `seconds is a whole number from 1 to ${longestS}`)
  }
  return Number(text) * 1000
}
