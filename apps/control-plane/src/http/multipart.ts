import { Buffer } from 'node:buffer'

/** What a form consists of, in the order in which it comes: a part begins, and then come its bytes. */
export type FormEvent =
  | { readonly is: 'part'; readonly name: string; readonly filename: string }
  | { readonly is: 'bytes'; readonly bytes: Buffer }

const maxHead = 16 * 1024
const headEnd = Buffer.from('\r\n\r\n')

/** The boundary of a `multipart/form-data`, `undefined` where a body is none. */
export function boundaryOf(contentType: string | undefined): string | undefined {
  const [, quoted, plain] =
    /^multipart\/form-data\s*;(?:.*;)?\s*boundary=(?:"([^"]{1,200})"|([^\s;"]{1,200}))/i.exec(contentType ?? '') ?? []
  return quoted ?? plain
}

/**
 * Reads a form (RFC 7578) as it comes, holding no more of it than a piece and what may be the beginning of a boundary. Fails
 * where the form is malformed, or ends before its end: the last part is not whole then.
 */
export async function* readForm(body: AsyncIterable<Uint8Array>, boundary: string): AsyncGenerator<FormEvent> {
  const input = new FormInput(body)
  const delimiter = Buffer.from(`\r\n--${boundary}`, 'latin1')
  for await (const _ of input.upTo(delimiter)) {
    // What comes before the first boundary is for mail readers.
  }
  while (!(await input.isLast())) {
    yield { is: 'part', ...dispositionIn(await input.head()) }
    for await (const bytes of input.upTo(delimiter)) {
      yield { is: 'bytes', bytes }
    }
  }
}

const malformed = () => new Error('the form ends too early, or is none')

class FormInput {
  readonly #chunks: AsyncIterator<Uint8Array>
  // The first boundary is at the beginning of a line as well.
  #buffer = Buffer.from('\r\n')

  constructor(body: AsyncIterable<Uint8Array>) {
    this.#chunks = body[Symbol.asyncIterator]()
  }

  /** The bytes before a delimiter, which is taken away, too. */
  async *upTo(delimiter: Buffer): AsyncGenerator<Buffer> {
    for (;;) {
      const at = this.#buffer.indexOf(delimiter)
      const end = at >= 0 ? at : this.#buffer.length - delimiter.length + 1
      if (end > 0) {
        yield this.#take(end)
      }
      if (at >= 0) {
        this.#take(delimiter.length)
        return
      }
      await this.#more()
    }
  }

  /** Whether the boundary that was found is the last one. */
  async isLast(): Promise<boolean> {
    while (this.#buffer.length < 2) {
      await this.#more()
    }
    return this.#buffer.subarray(0, 2).toString('latin1') === '--'
  }

  /** The header lines of a part. */
  async head(): Promise<string> {
    let head = ''
    for await (const bytes of this.upTo(headEnd)) {
      head += bytes.toString('latin1')
      if (head.length > maxHead) {
        throw malformed()
      }
    }
    return Buffer.from(head, 'latin1').toString('utf8')
  }

  #take(length: number): Buffer {
    const taken = this.#buffer.subarray(0, length)
    this.#buffer = this.#buffer.subarray(length)
    return taken
  }

  async #more(): Promise<void> {
    const { done, value } = await this.#chunks.next()
    if (done) {
      throw malformed()
    }
    this.#buffer = Buffer.concat([this.#buffer, value])
  }
}

/** Names as browsers and curl write them: quotes as `%22` or `\"`, line ends as `%0D%0A`. */
function dispositionIn(head: string): { name: string; filename: string } {
  const line = /^content-disposition:\s*form-data\s*(;.*)$/im.exec(head)?.[1] ?? ''
  const value = (key: string) => {
    const [, quoted, plain] = new RegExp(`;\\s*${key}=(?:"((?:\\\\["\\\\]|[^"])*)"|([^;\\s"]*))`, 'i').exec(line) ?? []
    return quoted === undefined ? (plain ?? '') : quoted.replaceAll(/\\(["\\])/g, '$1')
  }
  const decoded = (text: string) => text.replaceAll(/%(22|0D|0A)/gi, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16)))
  return { name: decoded(value('name')), filename: decoded(value('filename')) }
}
