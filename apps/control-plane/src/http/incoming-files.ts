import { Buffer } from 'node:buffer'
import { messageOf, NekoError } from '@neko-edge/kit'
import { chunkBytes } from '@neko-edge/protocol'
import type { NodeClient } from '../session/node-client.ts'
import { boundaryOf, readForm } from './multipart.ts'
import type { EarlyCall } from './operation.ts'

/** Chunks that are under way to the capture node at once: what of a file is in memory here. */
const window = 8
/** The longest field of a form that is no file. */
const maxField = 64 * 1024

/** Files that have arrived on the capture node, and the other fields of their form. */
export interface Received {
  readonly upload: string
  readonly count: number
  readonly fields: ReadonlyMap<string, string>
}

/**
 * Hands the files of a form (its parts `files`) to the capture node as they come, and gives what `use` makes of them. Whatever goes
 * wrong, the sender's leaving included, leaves nothing of them there. Fails with `invalid` in the words `malformed` where there is no form.
 */
export async function receiveFiles<T>(
  { context, hub }: EarlyCall,
  { to, malformed, use }: { to: 'desktop' | 'transfer'; malformed: string; use: (received: Received) => Promise<T> },
): Promise<T> {
  const boundary = boundaryOf(context.req.header('content-type'))
  const { body } = context.req.raw
  if (boundary === undefined || !body) {
    throw new NekoError('invalid', malformed)
  }
  const { upload } = await hub.node.call('upload.open', { to })
  try {
    const received = await receive({ node: hub.node, upload, body, boundary }).catch((error: unknown) => {
      throw error instanceof NekoError ? error : new NekoError('invalid', malformed, { cause: error })
    })
    return await use(received)
  } catch (error) {
    await hub.node
      .call('upload.cancel', { upload })
      .catch((cause: unknown) => hub.log.debug({ error: messageOf(cause) }, 'upload not taken back'))
    throw error
  }
}

interface Incoming {
  readonly node: NodeClient
  readonly upload: string
  readonly body: ReadableStream<Uint8Array>
  readonly boundary: string
}

async function receive({ node, upload, body, boundary }: Incoming): Promise<Received> {
  const fields = new Map<string, string>()
  const sender = new ChunkSender(node, upload)
  let field: string | undefined
  let count = 0
  for await (const event of readForm(body, boundary)) {
    if (event.is === 'part' && event.name === 'files' && event.filename !== '') {
      count++
      field = undefined
      await sender.begin(event.filename)
    } else if (event.is === 'part') {
      // Files under other names are no business of ours, as in upstream.
      field = event.filename === '' ? event.name : ''
      fields.set(field, '')
    } else if (field === undefined) {
      await sender.put(event.bytes)
    } else if (field !== '') {
      fields.set(field, shortField((fields.get(field) ?? '') + event.bytes.toString('utf8')))
    }
  }
  await sender.end()
  return { upload, count, fields }
}

function shortField(text: string): string {
  if (text.length > maxField) {
    throw new NekoError('tooLarge', `a field of the form is longer than ${maxField} characters`)
  }
  return text
}

/** Cuts bytes into chunks and keeps a window of them under way; the first failure of one is the failure of the next call. */
class ChunkSender {
  readonly #node: NodeClient
  readonly #upload: string
  readonly #underWay = new Set<Promise<void>>()
  #rest: Buffer[] = []
  #length = 0
  #failure: unknown

  constructor(node: NodeClient, upload: string) {
    this.#node = node
    this.#upload = upload
  }

  async begin(name: string): Promise<void> {
    await this.#flush()
    await this.#send(() => this.#node.call('upload.file', { upload: this.#upload, name }))
  }

  async put(bytes: Buffer): Promise<void> {
    for (let at = 0; at < bytes.length; ) {
      const piece = bytes.subarray(at, at + chunkBytes - this.#length)
      this.#rest.push(piece)
      this.#length += piece.length
      at += piece.length
      if (this.#length === chunkBytes) {
        await this.#flush()
      }
    }
  }

  async end(): Promise<void> {
    await this.#flush()
    await Promise.all(this.#underWay)
    this.#check()
  }

  async #flush(): Promise<void> {
    if (this.#length > 0) {
      const data = Buffer.concat(this.#rest).toString('base64')
      this.#rest = []
      this.#length = 0
      await this.#send(() => this.#node.call('upload.write', { upload: this.#upload, data }))
    }
  }

  async #send(call: () => Promise<unknown>): Promise<void> {
    while (this.#underWay.size >= window) {
      await Promise.race(this.#underWay)
    }
    this.#check()
    const sent: Promise<void> = call()
      .then(
        () => undefined,
        (error: unknown) => {
          this.#failure ??= error
        },
      )
      .finally(() => this.#underWay.delete(sent))
    this.#underWay.add(sent)
  }

  #check(): void {
    if (this.#failure !== undefined) {
      throw this.#failure
    }
  }
}
