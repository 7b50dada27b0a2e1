import { type Clock, NekoError, randomText } from '@neko-edge/kit'
import { type Blob, chunkBytes, type NodeArgs, type NodeReplies } from '@neko-edge/protocol'

/** How long the rest of a long answer waits for whoever asked, in milliseconds. */
const keptMs = 10_000
/** The longest answer, in bytes, and how much may wait in all: a picture of the largest screen fits many times. */
const maxBlob = 32 * 1024 * 1024
const maxKept = 128 * 1024 * 1024

/** Long answers, handed out piece by piece: no message on the bus is longer than a chunk. */
export class Blobs {
  readonly #clock: Clock
  readonly #kept = new Map<string, Uint8Array>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** The beginning of an answer, and where the rest of it is. Fails with `tooLarge`, or `tooMany` while too much waits. */
  give(bytes: Uint8Array): Blob {
    const first = { size: bytes.length, data: base64(bytes.subarray(0, chunkBytes)) }
    if (bytes.length <= chunkBytes) {
      return first
    }
    if (bytes.length > maxBlob) {
      throw new NekoError('tooLarge', `an answer of ${bytes.length} bytes is too long`)
    }
    const waiting = [...this.#kept.values()].reduce((sum, { length }) => sum + length, 0)
    if (waiting + bytes.length > maxKept) {
      throw new NekoError('tooMany', 'too many long answers are on their way: try again in a moment')
    }
    const blob = randomText(16)
    this.#kept.set(blob, bytes)
    this.#clock.after(keptMs, () => this.#kept.delete(blob))
    return { ...first, blob }
  }

  read({ blob, offset }: NodeArgs<'blob.read'>): NodeReplies['blob.read'] {
    const bytes = this.#kept.get(blob)
    if (!bytes) {
      throw new NekoError('notFound', 'that answer is not kept any more')
    }
    return { data: base64(bytes.subarray(offset, offset + chunkBytes)) }
  }
}

export const base64 = (bytes: Uint8Array): string => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64')
