import { Buffer } from 'node:buffer'
import { type Blob, chunkBytes } from '@neko-edge/protocol'
import type { NodeClient } from '../session/node-client.ts'

/** Chunks that are asked for before the first of them has come. */
const window = 4

/** All bytes of a long answer of a capture node. */
export async function readBlob(node: NodeClient, { size, data, blob }: Blob): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = new Uint8Array(size)
  bytes.set(Buffer.from(data, 'base64'))
  if (blob !== undefined) {
    const offsets = Array.from({ length: Math.ceil(size / chunkBytes) - 1 }, (_, index) => (index + 1) * chunkBytes)
    const read = async () => {
      for (let offset = offsets.shift(); offset !== undefined; offset = offsets.shift()) {
        const chunk = await node.call('blob.read', { blob, offset })
        bytes.set(Buffer.from(chunk.data, 'base64'), offset)
      }
    }
    await Promise.all(Array.from({ length: window }, read))
  }
  return bytes
}

/** A picture that no cache may keep. */
export async function pictureResponse(node: NodeClient, blob: Blob, type: 'image/jpeg' | 'image/png'): Promise<Response> {
  return new Response(await readBlob(node, blob), {
    headers: { 'content-type': type, 'cache-control': 'no-cache, no-store, must-revalidate' },
  })
}
