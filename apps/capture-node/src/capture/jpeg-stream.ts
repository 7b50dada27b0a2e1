/** JPEG pictures out of multipartmux: `Content-Length` in a header per part (RFC 2046 §5.1), then the picture. */

const headerEnd = Buffer.from('\r\n\r\n')
const maxHeaderLength = 1_024
const maxPictureLength = 64 * 1_024 * 1_024

export class JpegStream {
  #chunks: Buffer[] = []
  #length = 0
  /** Bytes of the picture that is being read; undefined in a header. */
  #wanted: number | undefined

  /** The pictures that `chunk` completes. Throws a plain error on what multipartmux never writes. */
  push(chunk: Buffer): Buffer[] {
    this.#chunks.push(chunk)
    this.#length += chunk.length
    const pictures: Buffer[] = []
    for (;;) {
      this.#wanted ??= this.#header()
      if (this.#wanted === undefined || this.#length < this.#wanted) {
        return pictures
      }
      const bytes = this.#joined()
      // A copy, so that keeping one picture does not keep the whole chunk.
      pictures.push(Buffer.from(bytes.subarray(0, this.#wanted)))
      this.#keep(bytes.subarray(this.#wanted))
      this.#wanted = undefined
    }
  }

  #header(): number | undefined {
    const bytes = this.#joined()
    const end = bytes.indexOf(headerEnd)
    if (end < 0) {
      if (bytes.length > maxHeaderLength) {
        throw new Error('multipart: no end of header')
      }
      return undefined
    }
    const length = Number(/content-length: *(\d+)/iu.exec(bytes.subarray(0, end).toString('latin1'))?.[1])
    if (!(length <= maxPictureLength)) {
      throw new Error('multipart: no usable Content-Length')
    }
    this.#keep(bytes.subarray(end + headerEnd.length))
    return length
  }

  #joined(): Buffer {
    const [first] = this.#chunks
    const bytes = this.#chunks.length === 1 && first !== undefined ? first : Buffer.concat(this.#chunks)
    this.#chunks = [bytes]
    return bytes
  }

  #keep(bytes: Buffer): void {
    this.#chunks = bytes.length > 0 ? [bytes] : []
    this.#length = bytes.length
  }
}
