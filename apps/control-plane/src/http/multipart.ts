import { Buffer } from 'node:buffer'
import { NekoError } from '@neko-edge/kit'

/** What a form consists of, in the order in which it comes: a part begins, and then come its bytes. */
export type FormEvent = { readonly is: 'part'; readonly name: string; readonly filename: string | undefined } | { readonly is: 'bytes'; readonly bytes: Buffer }

const maxHead = 16 * 1024
const lineEnd = Buffer.from('\r\n')
const headEnd = Buffer.from('\r\n\r\n')

/** The boundary of a `multipart/form-data`, `undefined` where a body is none. */
export function boundaryOf(contentType: string | null): Buffer | undefined {
  const [, quoted, plain] = /^multipart\/form-data\s*;(?:.*;)?\s*boundary=(?:"([^"]{1,200})"|([^\s;"]{1,200}))/i.exec(contentType ?? '') ?? []
  const boundary = quoted ?? plain
  return boundary === undefined ? undefined : Buffer.from(`\r\n--${boundary}`, 'latin1')
}

/**
 * Reads a form (RFC 7578) as it comes, holding no more of it than what may be the beginning of a boundary. Fails with `invalid`
 * where the form is malformed or ends too early: what was read of its last part is not all of it.
 */
export async function* readForm(body: ReadableStream<Uint8Array>, boundary: Buffer): AsyncGenerator<FormEvent> {
  const input = new Input(body)
  // The first boundary has no line before it.
  input.put(lineEnd)
  await input.find(boundary, { each: () => undefined })
  while (!(await endsHere(input))) {
    yield readHead(await input.until(headEnd, maxHead))
    input.put(lineEnd)
    const pieces: Buffer[] = []
    let isDone = false
    while (!isDone) {
      isDone = await input.advance(boundary, (bytes) => pieces.push(bytes))
      for (const bytes of trimmed(pieces.splice(0))) {
        yield { is: 'bytes', bytes }
      }
    }
  }
}
