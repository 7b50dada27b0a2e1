import { describe, expect, it } from 'vitest'
import { windowOf } from './virtual-list.tsx'

describe('windowOf', () => {
  it('[WEB-145] draws what is in sight and a little more, however long the list', () => {
    expect(windowOf({ count: 2000, rowPx: 50, top: 0, height: 500 })).toEqual({ from: 0, to: 16 })
    expect(windowOf({ count: 2000, rowPx: 50, top: 50_000, height: 500 })).toEqual({ from: 994, to: 1016 })
    expect(windowOf({ count: 2000, rowPx: 50, top: 99_500, height: 500 })).toEqual({ from: 1984, to: 2000 })
  })

  it('[WEB-145] a list that became shorter than where one was shows its end', () => {
    expect(windowOf({ count: 3, rowPx: 50, top: 50_000, height: 500 })).toEqual({ from: 0, to: 3 })
    expect(windowOf({ count: 0, rowPx: 50, top: 0, height: 500 })).toEqual({ from: 0, to: 0 })
  })
})
