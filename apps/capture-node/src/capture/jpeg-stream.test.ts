import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { JpegStream } from './jpeg-stream.ts'

describe('JPEG stream', () => {
  test('[CAP-24] pictures survive any cutting of the stream', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 80 }), { maxLength: 8 }), fc.integer({ min: 1, max: 90 }), (pictures, step) => {
        const bytes = Buffer.concat(
          pictures.flatMap((picture) => [
            Buffer.from(`\r\n--neko\r\nContent-Type: image/jpeg\r\nContent-Length: ${picture.length}\r\n\r\n`),
            Buffer.from(picture),
          ]),
        )
        const stream = new JpegStream()
        const got: Buffer[] = []
        for (let at = 0; at < bytes.length; at += step) {
          got.push(...stream.push(bytes.subarray(at, at + step)))
        }
        expect(got.map((picture) => [...picture])).toEqual(pictures.map((picture) => [...picture]))
      }),
    )
  })

  test('[CAP-24] what is no multipart is an error and not a growing buffer', () => {
    expect(() => new JpegStream().push(Buffer.alloc(2_000))).toThrow('no end of header')
    expect(() => new JpegStream().push(Buffer.from('Content-Length: 99999999999\r\n\r\n'))).toThrow('Content-Length')
    expect(() => new JpegStream().push(Buffer.from('--neko\r\n\r\n'))).toThrow('Content-Length')
  })
})
