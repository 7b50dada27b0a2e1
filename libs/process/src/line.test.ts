import { Readable } from 'node:stream'
import { finished } from 'node:stream/promises'
import { describe, expect, it } from 'vitest'
import { logLines } from './line.ts'

const linesOf = async (...chunks: string[]): Promise<string[]> => {
  const lines: string[] = []
  const stream = Readable.from(chunks)
  logLines(stream, (line) => lines.push(line))
  await finished(stream)
  return lines
}

describe('logLines', () => {
  it('[PRC-16] gives whole lines however they are cut, and the last one without its end', async () => {
    expect(await linesOf('one\ntw', 'o\n\nthree\r\n', 'four')).toEqual(['one', 'two', 'three', 'four'])
  })

  it('[PRC-17] cuts a line that does not end', async () => {
    const lines = await linesOf('x'.repeat(5_000), 'y'.repeat(10), '\n')
    expect(lines.map((line) => line.length)).toEqual([4_097, 10])
  })
})
