import type { ReadableFile } from '../runtime.ts'

/** Sends a file by RFC 9110: its date for conditional requests, one byte range, nothing at all for a HEAD. */
export function fileResponse(request: Request, file: ReadableFile, headers: Record<string, string>): Response {
  const modified = new Date(Math.floor(file.modified / 1000) * 1000)
  const common = { 'last-modified': modified.toUTCString(), 'accept-ranges': 'bytes', ...headers }
  const since = Date.parse(request.headers.get('if-modified-since') ?? '')
  if (modified.getTime() <= since) {
    return new Response(null, { status: 304, headers: common })
  }
  const range = readRange(request.headers.get('range'), file.size)
  if (range === 'unsatisfiable') {
    return new Response(null, { status: 416, headers: { ...common, 'content-range': `bytes */${file.size}` } })
  }
  const [start, end] = range ?? [0, file.size]
  const body = request.method === 'HEAD' || end === start ? null : file.read(start, end)
  const length = { 'content-length': String(end - start) }
  return range
    ? new Response(body, { status: 206, headers: { ...common, ...length, 'content-range': `bytes ${start}-${end - 1}/${file.size}` } })
    : new Response(body, { status: 200, headers: { ...common, ...length } })
}

/** A single range as [start, end), `undefined` where the whole file is to be sent (no range, several, or one that is none). */
export function readRange(header: string | null, size: number): [number, number] | 'unsatisfiable' | undefined {
  const match = /^bytes=(\d*)-(\d*)$/.exec(header?.trim() ?? '')
  const [first, last] = [match?.[1] ?? '', match?.[2] ?? '']
  if (!match || (first === '' && last === '')) {
    return undefined
  }
  const start = first === '' ? Math.max(0, size - Number(last)) : Number(first)
  const end = first === '' || last === '' ? size : Math.min(size, Number(last) + 1)
  return start < end ? [start, end] : 'unsatisfiable'
}
