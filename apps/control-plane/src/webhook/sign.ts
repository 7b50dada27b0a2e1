/**
 * The headers of a webhook by Standard Webhooks: a unique id, the time in seconds, and HMAC-SHA256 over both and the body, so that a receiver knows who calls, and
 * that nobody plays an old call again.
 * @param secret `whsec_` and base64
 */
export async function signedHeaders(
  { id, body }: { id: string; body: string },
  { secret, now }: { secret: string; now: number },
): Promise<Record<string, string>> {
  const timestamp = String(Math.floor(now / 1000))
  const bytes = Uint8Array.from(atob(secret.replace(/^whsec_/, '')), (character) => character.charCodeAt(0))
  const key = await crypto.subtle.importKey('raw', bytes, { name: 'HMAC', hash: 'SHA-256' }, false, ['sign'])
  const signature = await crypto.subtle.sign('HMAC', key, new TextEncoder().encode(`${id}.${timestamp}.${body}`))
  return {
    'content-type': 'application/json',
    'user-agent': 'neko-edge',
    'webhook-id': id,
    'webhook-timestamp': timestamp,
    'webhook-signature': `v1,${btoa(String.fromCharCode(...new Uint8Array(signature)))}`,
  }
}
