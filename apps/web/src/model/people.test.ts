import type { Room } from '@neko-edge/client'
import { baseProfile } from '@neko-edge/protocol'
import { describe, expect, it } from 'vitest'
import { countIn, presentIn } from './people.ts'

type Sessions = Room['sessions']

function sessions(...names: readonly string[]): Sessions {
  const of = (name: string) => ({
    id: name,
    profile: baseProfile({ granted: true, name }),
    state: { is_connected: name !== 'gone', is_watching: true },
  })
  return new Map(names.map((name) => [name, of(name)]))
}

describe('presentIn', () => {
  it('[WEB-146] the host first, then oneself, then by name; nobody who is not connected', () => {
    const room = { sessions: sessions('zoe', 'Émile', 'bob', 'gone', 'anna', 'p10', 'p9'), host: 'zoe', me: 'p10' }
    expect(presentIn(room)).toEqual(['zoe', 'p10', 'anna', 'bob', 'Émile', 'p9'])
    expect(presentIn(room, ' B')).toEqual(['bob'])
  })

  it('[PRES-1709] their number is that of the connected, or of the crowd where only some are listed', () => {
    expect(countIn({ sessions: sessions('anna', 'gone', 'bob'), crowd: undefined })).toBe(2)
    expect(countIn({ sessions: sessions('anna', 'gone', 'bob'), crowd: 2_000 })).toBe(2_000)
  })

  it('[WEB-147] two thousand are sorted in the time of a frame or two', () => {
    const room = {
      sessions: sessions(...Array.from({ length: 2_000 }, (_, index) => `person ${(index * 7919) % 2000}`)),
      host: undefined,
      me: '',
    }
    presentIn(room)
    const startedAt = performance.now()
    presentIn(room)
    expect(performance.now() - startedAt).toBeLessThan(300)
  })
})
