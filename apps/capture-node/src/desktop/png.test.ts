import fc from 'fast-check'
import sharp from 'sharp'
import { expect, test } from 'vitest'
import { encodePng, rgbaFromPremultiplied } from './png.ts'

test('[DSK-89] a PNG decodes to the pixels it was made of', async () => {
  const picture = fc
    .record({ width: fc.integer({ min: 1, max: 40 }), height: fc.integer({ min: 1, max: 40 }) })
    .chain(({ width, height }) =>
      fc.record({
        width: fc.constant(width),
        height: fc.constant(height),
        rgba: fc.uint8Array({ minLength: width * height * 4, maxLength: width * height * 4 }),
      }),
    )
  await fc.assert(
    fc.asyncProperty(picture, async ({ width, height, rgba }) => {
      const { data, info } = await sharp(encodePng(width, height, rgba))
        .raw()
        .toBuffer({ resolveWithObject: true })
      expect([info.width, info.height, info.channels]).toEqual([width, height, 4])
      expect(data.equals(rgba)).toBe(true)
    }),
    { numRuns: 20 },
  )
})

test('[DSK-90] X’s premultiplied words become plain colours', () => {
  const words = Uint8Array.of(0, 0, 0, 0, 64, 32, 128, 128, 3, 2, 1, 255, 200, 200, 200, 100)
  expect([...rgbaFromPremultiplied(words)]).toEqual([0, 0, 0, 0, 255, 64, 128, 128, 1, 2, 3, 255, 255, 255, 255, 100])
})
