import { describe, expect, it } from 'vitest'
import { pickRung } from './stream-selector.ts'

const rungs = [
  { id: 'hq', bitrate: 0 },
  { id: 'mq', bitrate: 800_000 },
  { id: 'lq', bitrate: 200_000 },
]
const idle = rungs.map(({ id }) => ({ id, bitrate: 0 }))
const pick = (
  selector: { id?: string; type?: 'exact' | 'nearest' | 'lower' | 'higher'; bitrate?: number },
  ladder = rungs,
  isFirst = false,
) => pickRung({ id: '', type: 'exact', bitrate: 0, ...selector }, { rungs: ladder, cursorVideoId: 'legacy', isFirst })

describe('the choice of a rung', () => {
  it('[VID-10] by id is that rung, also the one with the pointer, which the list does not name', () => {
    for (const type of ['exact', 'nearest'] as const) {
      expect([pick({ id: 'mq', type }), pick({ id: 'legacy', type }), pick({ id: 'nope', type })]).toEqual(['mq', 'legacy', undefined])
    }
  })

  it('[VID-11] by step goes from the id that is named, and not beyond the ends', () => {
    expect([pick({ id: 'hq', type: 'lower' }), pick({ id: 'lq', type: 'lower' }), pick({ id: 'nope', type: 'lower' })]).toEqual([
      'mq',
      undefined,
      undefined,
    ])
    expect([pick({ id: 'lq', type: 'higher' }), pick({ id: 'hq', type: 'higher' }), pick({ id: 'legacy', type: 'higher' })]).toEqual([
      'mq',
      undefined,
      undefined,
    ])
  })

  it('[VID-12] by rate compares with what runs', () => {
    expect(pick({ bitrate: 900_000, type: 'nearest' })).toBe('mq')
    expect(pick({ bitrate: 500_000, type: 'nearest' })).toBe('lq')
    expect(pick({ bitrate: 1, type: 'nearest' })).toBe('lq')
    expect([pick({ bitrate: 800_000, type: 'lower' }), pick({ bitrate: 200_000, type: 'lower' })]).toEqual(['lq', undefined])
    expect([pick({ bitrate: 200_000, type: 'higher' }), pick({ bitrate: 800_000, type: 'higher' })]).toEqual(['mq', undefined])
    expect([pick({ bitrate: 800_000 }), pick({ bitrate: 1 })]).toEqual(['mq', undefined])
    expect(pick({ bitrate: 900_000, type: 'nearest' }, idle)).toBe('hq')
  })

  it('[VID-13] is the best rung where a first request chooses none, and nothing where a change does', () => {
    expect([pick({}, rungs, true), pick({})]).toEqual(['hq', undefined])
  })
})
