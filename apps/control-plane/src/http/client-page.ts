import type { Context } from 'hono'
import { getMimeType } from 'hono/utils/mime'
import type { Deps, HttpOptions } from './context.ts'
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
]

/**
 * Whoever shows the page in a frame can lay something over it and have it clicked: only its own site, those that may call the API, and those that
 * the configuration names (CSP 3 §6.4.2). A client that somebody else brings is framed as the configuration says, if it says anything.
 */
function policyOf({ client, cors, frameAncestors }: HttpOptions): string | undefined {
  const ancestors = `frame-ancestors ${["'self'", ...cors, ...frameAncestors].join(' ')}`
  if (client?.isOurs) {
    return [...policy, ancestors].join('; ')
  }
  return frameAncestors.length > 0 ? ancestors : undefined
}

/** Serves the web client; a name with a hash in it never changes, everything else is asked for anew. */
export async function clientPage(context: Context, { options, runtime }: Deps): Promise<Response> {
  const path = decodePath(context.req.path)
  const file = options.client && path !== undefined ? await runtime.openFile(options.client.directory, path) : undefined
  if (!options.client || !file || path === undefined) {
    return notFound()
  }
  const type =
    getMimeType(path.endsWith('/') ? 'index.html' : path) ?? (path.includes('.') ? 'application/octet-stream' : 'text/html; charset=utf-8')
  const contentPolicy = policyOf(options)
  return fileResponse(context.req.raw, file, {
    'content-type': type,
    'x-content-type-options': 'nosniff',
    'cache-control': /[-.][\w-]{8,}\.(js|css|woff2|svg|png)$/.test(path) ? 'public, max-age=31536000, immutable' : 'no-cache',
    ...(contentPolicy !== undefined && { 'content-security-policy': contentPolicy }),
    // Modules may be loaded by every site, or an element that may not connect could not say so; there is nothing secret in them.
    ...(options.client.isOurs && { 'referrer-policy': 'no-referrer', 'access-control-allow-origin': '*' }),
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
