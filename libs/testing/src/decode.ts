import { spawn } from 'node:child_process'
import { buffer } from 'node:stream/consumers'
import { NekoError, within } from '@neko-edge/kit'
import { type Vp8Frame, vp8Size } from './vp8-frame.ts'

const decodeMs = 10_000

/** A decoded picture. */
export class Picture {
  readonly width: number
  readonly height: number
  readonly #rgbx: Uint8Array

  /** `rgbx`: four bytes a pixel, row by row, the fourth without meaning. */
  constructor({ width, height, rgbx }: { width: number; height: number; rgbx: Uint8Array }) {
    this.width = width
    this.height = height
    this.#rgbx = rgbx
  }

  /** Red, green and blue (0 to 255) at a place; `invalid` outside the picture. */
  at(x: number, y: number): [number, number, number] {
    if (x < 0 || y < 0 || x >= this.width || y >= this.height) {
      throw new NekoError('invalid', `(${x}, ${y}) is outside of ${this.width}x${this.height}`)
    }
    const [red = 0, green = 0, blue = 0] = this.#rgbx.subarray((y * this.width + x) * 4, (y * this.width + x) * 4 + 3)
    return [red, green, blue]
  }

  /** How many pixels of the rectangle differ from those of `other` by more than `tolerance` in one colour (encoders are not exact). */
  differing(other: Picture, { x, y, width, height, tolerance = 40 }: Area): number {
    let count = 0
    for (let row = y; row < y + height; row++) {
      for (let column = x; column < x + width; column++) {
        const mine = this.at(column, row)
        const theirs = other.at(column, row)
        count += mine.some((value, i) => Math.abs(value - theirs[i as 0 | 1 | 2]) > tolerance) ? 1 : 0 // i runs over a triple
      }
    }
    return count
  }
}

export interface Area {
  x: number
  y: number
  width: number
  height: number
  tolerance?: number
}

/**
 * Decodes VP8 in a GStreamer child, and gives the last picture. `frames` begins with a key frame.
 * `invalid` when it does not, or when the decoder refuses; `unavailable` when GStreamer is missing.
 */
export async function decodeVp8(frames: readonly Vp8Frame[]): Promise<Picture> {
  const size = vp8Size(frames[0]?.bytes ?? new Uint8Array())
  if (!size) {
    throw new NekoError('invalid', 'the first frame is not a VP8 key frame')
  }
  return decodeFrames(
    'vp8',
    frames.map(({ bytes }) => bytes),
    size,
  )
}

/** How a decoder is reached, and the name of the codec in an IVF file; H.264 is its own byte stream. */
const decoders = {
  vp8: { fourcc: 'VP80', elements: 'ivfparse ! vp8dec' },
  vp9: { fourcc: 'VP90', elements: 'ivfparse ! vp9dec' },
  av1: { fourcc: 'AV01', elements: 'ivfparse ! av1parse ! av1dec' },
  h264: { fourcc: undefined, elements: 'h264parse ! openh264dec' },
} as const

/** As `decodeVp8`, for any codec of ours and pictures of a known size. */
export async function decodeFrames(
  codec: keyof typeof decoders,
  frames: readonly Uint8Array[],
  size: { width: number; height: number },
): Promise<Picture> {
  const { fourcc, elements } = decoders[codec]
  const text = `fdsrc fd=0 ! ${elements} ! videoconvert ! video/x-raw,format=RGBx ! fdsink fd=1 sync=false`
  const child = spawn('gst-launch-1.0', ['-q', ...text.split(' ')], { stdio: ['pipe', 'pipe', 'pipe'] })
  const failed = new Promise<never>((_, reject) => {
    child.on('error', (cause) =>
      reject(new NekoError('unavailable', 'gst-launch-1.0 does not start: install gstreamer1.0-tools', { cause })),
    )
  })
  try {
    child.stdin.end(fourcc === undefined ? Buffer.concat(frames) : ivf(frames, { ...size, fourcc }))
    const output = Promise.all([buffer(child.stdout), buffer(child.stderr)])
    const [pixels, complaint] = await within(decodeMs, `decoding ${codec}`, Promise.race([output, failed]))
    const frameLength = size.width * size.height * 4
    if (pixels.length < frameLength) {
      throw new NekoError('invalid', `the decoder gave ${pixels.length} bytes instead of ${frameLength}: ${complaint.toString().trim()}`)
    }
    return new Picture({ ...size, rgbx: pixels.subarray(pixels.length - frameLength) })
  } finally {
    child.kill('SIGKILL')
  }
}

/** An IVF file: a 32-byte header, then each frame behind its length and number, all little endian. */
function ivf(frames: readonly Uint8Array[], { width, height, fourcc }: { width: number; height: number; fourcc: string }): Buffer {
  const header = Buffer.alloc(32)
  header.write('DKIF', 0, 'latin1')
  header.writeUInt16LE(32, 6)
  header.write(fourcc, 8, 'latin1')
  header.writeUInt16LE(width, 12)
  header.writeUInt16LE(height, 14)
  header.writeUInt32LE(30, 16)
  header.writeUInt32LE(1, 20)
  header.writeUInt32LE(frames.length, 24)
  const parts: Uint8Array[] = [header]
  for (const [index, frame] of frames.entries()) {
    const head = Buffer.alloc(12)
    head.writeUInt32LE(frame.length, 0)
    head.writeUInt32LE(index, 4)
    parts.push(head, frame)
  }
  return Buffer.concat(parts)
}
