import type { Readable } from 'node:stream'

/** A line longer than this is cut, so that a child that writes no line ends costs no memory. */
const maxLineLength = 4_096

/** Calls `take` with each line of a text stream, without its line end; empty lines are skipped, over-long ones cut. Errors of the stream end it. */
export function logLines(stream: Readable, take: (line: string) => void): void {
  let rest = ''
  const flush = (text: string): void => {
    const line = text.trimEnd()
    if (line !== '') {
      take(line.length > maxLineLength ? `${line.slice(0, maxLineLength)}…` : line)
    }
  }
  stream.setEncoding('utf8')
  stream.on('data', (chunk: string) => {
    const lines = (rest + chunk).split('\n')
    rest = lines.pop() ?? ''
    lines.forEach(flush)
    if (rest.length > maxLineLength) {
      flush(rest)
      rest = ''
    }
  })
  stream.once('end', () => flush(rest))
  // EPIPE and ECONNRESET come when the child is killed; its exit says so already.
  stream.on('error', () => undefined)
}
