import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { contain, nearestPixel, pagePoint, screenPixel } from './mapping.ts'

const size = fc.record({ width: fc.integer({ min: 1, max: 8192 }), height: fc.integer({ min: 1, max: 8192 }) })
const box = fc.record({
  left: fc.double({ min: -500, max: 2000, noNaN: true }),
  top: fc.double({ min: -500, max: 2000, noNaN: true }),
  width: fc.double({ min: 1, max: 5000, noNaN: true }),
  height: fc.double({ min: 1, max: 5000, noNaN: true }),
})

describe('contain', () => {
  it('[WEB-20] shows the whole picture, centred, in its own proportions', () => {
    fc.assert(
      fc.property(box, size, (frame, picture) => {
        const rect = contain(frame, picture)
        expect(rect.width).toBeLessThanOrEqual(frame.width + 1e-6)
        expect(rect.height).toBeLessThanOrEqual(frame.height + 1e-6)
        expect(rect.width * picture.height).toBeCloseTo(rect.height * picture.width, 3)
        expect(rect.left - frame.left).toBeCloseTo(frame.left + frame.width - rect.left - rect.width, 6)
        expect(Math.abs(rect.width - frame.width) < 1e-6 || Math.abs(rect.height - frame.height) < 1e-6).toBe(true)
      }),
    )
  })

  it('[WEB-20] nothing to show, or nowhere to show it, is an empty rectangle', () => {
    expect(contain({ left: 5, top: 6, width: 0, height: 100 }, { width: 10, height: 10 })).toEqual({ left: 5, top: 6, width: 0, height: 0 })
  })
})

describe('screenPixel', () => {
  it('[WEB-21] the bars beside the picture are no part of the screen', () => {
    const frame = { left: 0, top: 0, width: 1000, height: 1000 }
    const screen = { width: 1280, height: 720 }
    const rect = contain(frame, screen)
    expect(screenPixel({ x: 500, y: rect.top - 0.5 }, rect, screen)).toBeUndefined()
    expect(screenPixel({ x: 500, y: rect.top + rect.height }, rect, screen)).toBeUndefined()
    expect(screenPixel({ x: 0, y: rect.top }, rect, screen)).toEqual({ x: 0, y: 0 })
    expect(screenPixel({ x: 999.999, y: rect.top + rect.height - 0.001 }, rect, screen)).toEqual({ x: 1279, y: 719 })
  })

  it('[WEB-22] every pixel of the screen is hit by its own place in the page, at every zoom', () => {
    const at = fc.double({ min: 0, max: 0.999, noNaN: true })
    fc.assert(
      fc.property(box, size, fc.tuple(at, at), (frame, screen, [u, v]) => {
        const rect = contain(frame, screen)
        const pixel = { x: Math.floor(u * screen.width), y: Math.floor(v * screen.height) }
        const point = pagePoint({ x: pixel.x + 0.5, y: pixel.y + 0.5 }, rect, screen)
        expect(screenPixel(point, rect, screen)).toEqual(pixel)
      }),
    )
  })

  it('[WEB-23] a drag beside the picture stays on the screen', () => {
    const anywhere = fc.record({ x: fc.double({ min: -1e5, max: 1e5, noNaN: true }), y: fc.double({ min: -1e5, max: 1e5, noNaN: true }) })
    fc.assert(
      fc.property(box, size, anywhere, (frame, screen, point) => {
        const { x, y } = nearestPixel(point, contain(frame, screen), screen)
        expect(x >= 0 && x < screen.width && y >= 0 && y < screen.height).toBe(true)
        expect(Number.isInteger(x) && Number.isInteger(y)).toBe(true)
      }),
    )
  })
})
