import { Buffer } from 'node:buffer'
import { NekoError } from '@neko-edge/kit'
import { chunkBytes, type FoundFile } from '@neko-edge/protocol'
import { getMimeType } from 'hono/utils/mime'
import { isMistyped, isPermitted } from '../plugins/permission.ts'
import type { NodeClient } from '../session/node-client.ts'
import { notFound } from './error.ts'
import { fileResponse } from './file-response.ts'
import { receiveFiles } from './incoming-files.ts'
import { type EarlyCall, failure, type Guard, operation } from './operation.ts'
import { told } from './upload.ts'

const path = '/api/filetransfer'
const guards: readonly Guard[] = ['session']
const query = { filename: 'the name of a file of the transfer directory' }

/** The transfer directory of the room. */
export const fileTransfer = [
  operation({
    method: 'GET',
    path,
    isMount: true,
    summary: 'Download a file',
    guards,
    query,
    reply: { type: 'application/octet-stream' },
    fails: { 400: 'no name of a file', 403: 'not allowed', 404: 'no such file' },
    permit: (call) => permit(call, 'download'),
    handle: download,
  }),
  operation({
    method: 'POST',
    path,
    isMount: true,
    summary: 'Upload files; one of the same name is replaced',
    guards,
    upload: { type: 'multipart/form-data', parts: { files: 'files, any number of them' } },
    reply: { type: 'nothing' },
    fails: { 400: 'the form is not as it is to be', 403: 'not allowed', 500: 'a file can not be written' },
    permit: (call) => permit(call, 'upload'),
    handle: (call) => told(receive(call)),
  }),
  operation({
    method: 'DELETE',
    path,
    isMount: true,
    summary: 'Delete a file',
    guards,
    query,
    reply: { type: 'nothing' },
    fails: { 400: 'no name of a file', 403: 'not allowed', 404: 'no such file', 500: 'it can not be deleted' },
    permit: (call) => permit(call, 'delete'),
    handle: remove,
  }),
]

function permit({ hub, actor }: EarlyCall, what: 'download' | 'upload' | 'delete'): Response | undefined {
  const { settings } = hub.room.view
  const { enabled, userDownload, userUpload, userDelete } = hub.features.fileTransfer
  if (isMistyped('filetransfer.enabled', settings, actor)) {
    return failure(500, 'error checking file transfer permissions')
  }
  if (!isPermitted('filetransfer.enabled', { enabled, settings, session: actor })) {
    throw new NekoError('forbidden', 'file transfer is disabled')
  }
  if (!actor.profile.is_admin && !{ download: userDownload, upload: userUpload, delete: userDelete }[what]) {
    throw new NekoError('forbidden', `file ${what} is not allowed for non-admin users`)
  }
  return undefined
}

/** As upstream: no way up, and of a path only its last part. */
function nameIn({ context }: EarlyCall): string {
  const text = context.req.query('filename') ?? ''
  const name = text.split('/').findLast((part) => part !== '' && part !== '.') ?? ''
  if (name === '' || /\.\.(?:\/|$)/m.test(text) || name.includes('\0') || Buffer.byteLength(name) > 255) {
    throw new NekoError('invalid', 'bad filename')
  }
  return name
}

/** Answers without a body, which is not 204 here. */
const nothing = () => new Response(null, { status: 200 })

/** Sends one file of the transfer directory, whole or in part. Who may is not its question. */
export async function download(call: EarlyCall): Promise<Response> {
  const name = nameIn(call)
  const { node } = call.hub
  let found: FoundFile
  try {
    found = await node.call('files.find', { name })
  } catch (error) {
    if (error instanceof NekoError && error.code === 'notFound') {
      return notFound()
    }
    throw error
  }
  const file = { ...found, read: (start: number, end: number) => readFile(node, { name, version: found.version, start, end }) }
  return fileResponse(call.context.req.raw, file, {
    'content-type': getMimeType(name) ?? 'application/octet-stream',
    // What users put there runs nowhere in our name: no page of ours, no script.
    'content-security-policy': "sandbox; default-src 'none'",
    'x-content-type-options': 'nosniff',
  })
}

/** Chunks that are asked for before the reader has taken the first. */
const readAhead = 4

function readFile(
  node: NodeClient,
  { name, version, start, end }: { name: string; version: string; start: number; end: number },
): ReadableStream<Uint8Array> {
  const asked: Promise<{ data: string }>[] = []
  let next = start
  const ask = () => {
    while (asked.length < readAhead && next < end) {
      const length = Math.min(chunkBytes, end - next)
      const chunk = node.call('files.read', { name, version, offset: next, length })
      // It is awaited in its turn, perhaps never: the reader may leave.
      chunk.catch(() => undefined)
      asked.push(chunk)
      next += length
    }
  }
  return new ReadableStream({
    async pull(controller) {
      ask()
      const chunk = await asked.shift()
      if (chunk === undefined) {
        controller.close()
      } else {
        controller.enqueue(new Uint8Array(Buffer.from(chunk.data, 'base64')))
      }
    },
  })
}

/** Takes the files of a form into the transfer directory. */
export async function receive(call: EarlyCall): Promise<Response> {
  await receiveFiles(call, {
    to: 'transfer',
    malformed: 'error parsing form',
    use: ({ upload }) => call.hub.node.call('upload.keep', { upload }),
  })
  return nothing()
}

/** Deletes one file of the transfer directory. */
export async function remove(call: EarlyCall): Promise<Response> {
  const name = nameIn(call)
  try {
    await call.hub.node.call('files.delete', { name })
  } catch (error) {
    if (error instanceof NekoError && error.code === 'internal') {
      return failure(500, 'error deleting file')
    }
    throw error
  }
  return nothing()
}
