import { Buffer } from 'node:buffer'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { boundaryOf, readForm } from './multipart.ts'

/** The parts of a form that comes in pieces of the given sizes, over and over. */
async function read(
  text: string | Buffer,
  sizes: readonly number[] = [text.length],
): Promise<{ name: string; filename: string; content: string }[]> {
  const bytes = Buffer.from(text as string)
  async function* pieces() {
    for (let at = 0, turn = 0; at < bytes.length; turn++) {
      const size = sizes[turn % sizes.length] ?? 1
      yield bytes.subarray(at, at + size)
      at += size
    }
  }
  const parts: { name: string; filename: string; content: string }[] = []
  for await (const event of readForm(pieces(), 'edge')) {
    if (event.is === 'part') {
      parts.push({ name: event.name, filename: event.filename, content: '' })
    } else {
      const last = parts.at(-1)
      if (last) {
        last.content += event.bytes.toString('latin1')
      }
    }
  }
  return parts
}

const part = (disposition: string, content: string) =>
  `--edge\r\nContent-Disposition: form-data; ${disposition}\r\nContent-Type: text/plain\r\n\r\n${content}\r\n`

describe('forms', () => {
  it('[HTTP-60] reads fields and files with their names, as browsers and curl write them', async () => {
    const form = [
      part('name="x"', '1'),
      part('name="files"; filename="a \\"b\\" %22c%22.txt"', 'file'),
      part('filename=plain; name=files', ''),
      part('name="files"; filename="größe"', 'é'),
    ]
    expect(await read(`preamble\r\n${form.join('')}--edge--\r\nepilogue`)).toEqual([
      { name: 'x', filename: '', content: '1' },
      { name: 'files', filename: 'a "b" "c".txt', content: 'file' },
      { name: 'files', filename: 'plain', content: '' },
      { name: 'files', filename: 'größe', content: Buffer.from('é').toString('latin1') },
    ])
  })

  it('[HTTP-61] gives the same parts however the bytes are cut, boundaries in the content included', async () => {
    const content = fc
      .array(fc.constantFrom('\r\n', '--edg', '\r\n--ed', 'edge', '\r', '-', 'x', '\0'), { maxLength: 12 })
      .map((pieces) => pieces.join(''))
    await fc.assert(
      fc.asyncProperty(
        fc.array(content, { maxLength: 4 }),
        fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 5 }),
        async (contents, sizes) => {
          // Together such pieces may make a boundary of their own, which no sender would have chosen.
          fc.pre(contents.every((text) => !`\r\n${text}\r\n`.includes('\r\n--edge')))
          const form = `${contents.map((text, index) => part(`name="${index}"`, text)).join('')}--edge--`
          expect((await read(form, sizes)).map((one) => one.content)).toEqual(contents)
        },
      ),
    )
  })

  it('[HTTP-62] a form that ends before its end fails, and so does a head without end', async () => {
    const form = `${part('name="a"', 'b')}--edge--`
    for (let length = 0; length < form.length; length++) {
      await expect(read(form.slice(0, length))).rejects.toThrow('ends too early')
    }
    await expect(read(`--edge\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`)).rejects.toThrow()
  })

  it('[HTTP-63] knows a form by its content type', () => {
    expect(boundaryOf('multipart/form-data; boundary=a-b')).toBe('a-b')
    expect(boundaryOf('Multipart/Form-Data; charset=x; boundary="a b"')).toBe('a b')
    for (const other of [
      undefined,
      '',
      'application/json',
      'multipart/form-data',
      'multipart/mixed; boundary=a',
      'multipart/form-data; boundary=',
    ]) {
      expect(boundaryOf(other)).toBeUndefined()
    }
  })
})
