import { FakeClock } from '@neko-edge/testing'
import { describe, expect, it } from 'vitest'
import { type CursorList, InactiveCursors } from './inactive-cursors.ts'

function collecting() {
  const clock = new FakeClock()
  const shown: CursorList[] = []
  let isOn = true
  const cursors = new InactiveCursors({ clock, isOn: () => isOn, flush: (list) => shown.push(list) })
  return { clock, shown, cursors, turn: (on: boolean) => (isOn = on) }
}

describe('inactive cursors', () => {
  it('[CH-8] are shown together every 750 ms, each with all its places in order', async () => {
    const { clock, shown, cursors } = collecting()
    cursors.add('ann', { x: 1, y: 2 })
    cursors.add('bob', { x: 5, y: 6 })
    cursors.add('ann', { x: 3, y: 4 })
    clock.advance(750)
    expect(shown).toEqual([
      [
        {
          id: 'ann',
          cursors: [
            { x: 1, y: 2 },
            { x: 3, y: 4 },
          ],
        },
        { id: 'bob', cursors: [{ x: 5, y: 6 }] },
      ],
    ])
  })

  it('[CH-9] end with one empty list, and silence', async () => {
    const { clock, shown, cursors, turn } = collecting()
    clock.advance(750)
    clock.advance(3_000)
    expect(shown).toEqual([[]])
    cursors.add('ann', { x: 1, y: 2 })
    clock.advance(750)
    turn(false)
    cursors.add('ann', { x: 3, y: 4 })
    clock.advance(3_000)
    expect(shown.slice(2)).toEqual([[]])
    turn(true)
    clock.advance(3_000)
    expect(shown).toHaveLength(3)
    cursors.close()
  })

  it('[CH-10] of one session do not grow without a bound', () => {
    const { clock, shown, cursors } = collecting()
    for (let index = 0; index < 1_000; index++) {
      cursors.add('ann', { x: index, y: 0 })
    }
    clock.advance(750)
    expect(shown[0]?.[0]?.cursors).toHaveLength(64)
  })
})
