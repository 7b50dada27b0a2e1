import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { nearestPixel } from './mapping.ts'
import { Zoom } from './zoom.ts'

const frame = { left: 10, top: 20, width: 400, height: 300 }
const screen = { width: 1280, height: 960 }

describe('Zoom', () => {
  it('[WEB-150] the pixel between the fingers stays between them', () => {
    const zoom = new Zoom(() => {})
    const at = { x: 300, y: 200 }
    const before = nearestPixel(at, zoom.apply(frame, frame), screen)
    zoom.pinch({ factor: 2.5, at, by: { x: 0, y: 0 } }, frame)
    expect(nearestPixel(at, zoom.apply(frame, frame), screen)).toEqual(before)
    zoom.reset()
    expect([zoom.transform, zoom.apply(frame, frame)]).toEqual(['none', frame])
  })

  it('[WEB-151] whatever fingers do, the frame stays covered and the scale within one to six', () => {
    const step = fc.record({
      factor: fc.double({ min: 0.1, max: 10, noNaN: true }),
      at: fc.record({ x: fc.integer({ min: 10, max: 410 }), y: fc.integer({ min: 20, max: 320 }) }),
      by: fc.record({ x: fc.integer({ min: -500, max: 500 }), y: fc.integer({ min: -500, max: 500 }) }),
    })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 20 }), (steps) => {
        const zoom = new Zoom(() => {})
        for (const each of steps) {
          zoom.pinch(each, frame)
        }
        const rect = zoom.apply(frame, frame)
        expect(zoom.scale).toBeGreaterThanOrEqual(1)
        expect(zoom.scale).toBeLessThanOrEqual(6)
        expect(rect.left).toBeLessThanOrEqual(frame.left + 1e-6)
        expect(rect.left + rect.width).toBeGreaterThanOrEqual(frame.left + frame.width - 1e-6)
      }),
    )
  })

  it('[WEB-1405] follows the pointer of a trackpad while magnified, and stands still while it is in sight', () => {
    const zoom = new Zoom(() => {})
    zoom.reveal({ x: 9_000, y: 9_000 }, frame)
    expect(zoom.transform).toBe('none')
    zoom.pinch({ factor: 2, at: { x: 10, y: 20 }, by: { x: 0, y: 0 } }, frame)
    zoom.reveal({ x: 210, y: 170 }, frame)
    expect(zoom.transform).toBe('translate(0px, 0px) scale(2)')
    // Out of sight to the right: it comes in, an eighth away from the edge.
    zoom.reveal({ x: 460, y: 170 }, frame)
    expect(zoom.transform).toBe('translate(-100px, 0px) scale(2)')
    zoom.reveal({ x: 9_000, y: 170 }, frame)
    expect(zoom.transform).toBe('translate(-400px, 0px) scale(2)')
  })
})
