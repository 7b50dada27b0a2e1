/** A picture as it came over the bus (base64), never kept by a cache: the next one is another. */
export function image(base64: string, type: 'image/jpeg' | 'image/png'): Response {
  const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0))
  return new Response(bytes, { headers: { 'content-type': type, 'cache-control': 'no-cache, no-store, must-revalidate' } })
}
