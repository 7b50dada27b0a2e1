import sharp from 'sharp'
import type { XConnection } from './connection.ts'
import type { ScreenSize } from './desktop.ts'

const zPixmap = 2

/** The picture on the root window as JPEG; `quality` is brought into 1…100. Colours are 8-8-8 in 32 bits, as depth 24 has them. */
export async function takeScreenshot(connection: XConnection, { width, height }: ScreenSize, quality: number): Promise<Uint8Array> {
  const { data } = await connection.ask<{ data: Buffer }>('the picture of the screen', (x, callback) =>
    x.GetImage(zPixmap, connection.root, 0, 0, width, height, 0xffff_ffff, callback),
  )
  const pixels = data.subarray(0, width * height * 4)
  // BGRx on the wire: swap to RGB; the fourth byte is not alpha.
  const rgb = Buffer.allocUnsafe(width * height * 3)
  for (let from = 0, to = 0; from < pixels.length; from += 4, to += 3) {
    rgb[to] = pixels[from + 2] ?? 0
    rgb[to + 1] = pixels[from + 1] ?? 0
    rgb[to + 2] = pixels[from] ?? 0
  }
  return sharp(rgb, { raw: { width, height, channels: 3 } })
    .jpeg({ quality: Math.max(1, Math.min(100, Math.round(quality) || 90)) })
    .toBuffer()
}
