import type { Context } from 'hono'
import { getMimeType } from 'hono/utils/mime'
import type { Deps } from './context.ts'
import { notFound } from './error.ts'
import { fileResponse } from './file-response.ts'

/*
 * Our own page needs no inline script and no other host; pictures of the cursor are blobs, and a WebSocket goes to where
 * the page came from. A client that somebody else brings keeps its own ways.
 */
const policy = [
  "default-src 'self'",
  "img-src 'self' data: blob:",
  "media-src 'self' blob: mediastream:",
  "connect-src 'self'",
  "object-src 'none'",
  "base-uri 'none'",
  "form-action 'self'",
].join('; ')

/** Serves the web client; a name with a hash in it never changes, everything else is asked for anew. */
export async function clientPage(context: Context, { options, runtime }: Deps): Promise<Response> {
  const path = decodePath(context.req.path)
  const file = options.client && path !== undefined ? await runtime.openFile(options.client.directory, path) : undefined
  if (!options.client || !file || path === undefined) {
    return notFound()
  }
  const type =
    getMimeType(path.endsWith('/') ? 'index.html' : path) ?? (path.includes('.') ? 'application/octet-stream' : 'text/html; charset=utf-8')
  return fileResponse(context.req.raw, file, {
    'content-type': type,
    'x-content-type-options': 'nosniff',
    'cache-control': /[-.][\w-]{8,}\.(js|css|woff2|svg|png)$/.test(path) ? 'public, max-age=31536000, immutable' : 'no-cache',
    ...(options.client.isOurs && { 'content-security-policy': policy, 'referrer-policy': 'no-referrer' }),
  })
}

function decodePath(path: string): string | undefined {
  try {
    const decoded = decodeURIComponent(path)
    return decoded.includes('\0') ? undefined : decoded
  } catch {
    return undefined
  }
}
