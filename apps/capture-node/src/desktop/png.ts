import { crc32, deflateSync } from 'node:zlib'

const signature = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a)

function chunk(type: string, data: Uint8Array): Uint8Array {
  const bytes = Buffer.alloc(12 + data.length)
  bytes.writeUInt32BE(data.length, 0)
  bytes.write(type, 4, 'latin1')
  bytes.set(data, 8)
  bytes.writeUInt32BE(crc32(bytes.subarray(4, 8 + data.length)), 8 + data.length)
  return bytes
}

/** A PNG of `width` × `height` pixels, given as RGBA bytes that are not premultiplied (PNG specification: 8 bit, colour type 6). */
export function encodePng(width: number, height: number, rgba: Uint8Array): Uint8Array {
  const header = Buffer.alloc(13)
  header.writeUInt32BE(width, 0)
  header.writeUInt32BE(height, 4)
  header.writeUInt8(8, 8)
  header.writeUInt8(6, 9)
  // Every row starts with its filter; 0 is none, which suits a cursor's few colours.
  const rows = Buffer.alloc((width * 4 + 1) * height)
  for (let y = 0; y < height; y++) {
    rows.set(rgba.subarray(y * width * 4, (y + 1) * width * 4), y * (width * 4 + 1) + 1)
  }
  return Buffer.concat([signature, chunk('IHDR', header), chunk('IDAT', deflateSync(rows)), chunk('IEND', new Uint8Array(0))])
}

/** X's premultiplied ARGB words (little endian: B, G, R, A) as plain RGBA bytes. */
export function rgbaFromPremultiplied(argb: Uint8Array): Uint8Array {
  const rgba = new Uint8Array(argb.length)
  for (let i = 0; i + 3 < argb.length; i += 4) {
    const alpha = argb[i + 3] ?? 0
    const plain = (value: number | undefined) => (alpha === 0 ? 0 : Math.min(255, Math.round(((value ?? 0) * 255) / alpha)))
    rgba[i] = plain(argb[i + 2])
    rgba[i + 1] = plain(argb[i + 1])
    rgba[i + 2] = plain(argb[i])
    rgba[i + 3] = alpha
  }
  return rgba
}
