import { NekoError } from '@neko-edge/kit'
import { lenientObject, text } from '@neko-edge/protocol'
import { z } from 'zod'
import { pictureResponse } from './blob.ts'
import { type Guard, operation } from './operation.ts'

const guards: readonly Guard[] = ['session', 'can-access-clipboard', 'host']

/** The clipboard of the desktop. */
export const clipboard = [
  operation({
    method: 'GET',
    path: '/api/room/clipboard',
    isMount: true,
    summary: 'The clipboard as text and HTML',
    guards,
    reply: z.object({ text: z.string().optional(), html: z.string().optional() }),
    fails: { 500: 'there is no text on it' },
    handle: ({ hub }) => orNothing(hub.node.call('clipboard.get', {})),
  }),
  operation({
    method: 'POST',
    path: '/api/room/clipboard',
    isMount: true,
    summary: 'Put text on the clipboard, with the same as HTML for applications that take it',
    guards,
    body: { schema: lenientObject({ text, html: text }) },
    handle: ({ hub, body }) => hub.node.call('clipboard.set', contentOf(body)),
  }),
  operation({
    method: 'GET',
    path: '/api/room/clipboard/image.png',
    summary: 'The clipboard as a picture',
    guards,
    reply: { type: 'image/png' },
    fails: { 500: 'there is no picture on it' },
    handle: async ({ hub }) => pictureResponse(hub.node, await orNothing(hub.node.call('clipboard.image', {})), 'image/png'),
  }),
]

/** Upstream calls an empty clipboard an internal error; clients know it as that. */
async function orNothing<T>(call: Promise<T>): Promise<T> {
  try {
    return await call
  } catch (error) {
    throw error instanceof NekoError && error.code === 'notFound' ? new NekoError('internal', error.message, { cause: error }) : error
  }
}

/** Empty HTML is none; a text that comes with HTML may be empty, too. */
const contentOf = ({ text: plain, html }: { text: string; html: string }) => ({
  ...((plain !== '' || html === '') && { text: plain }),
  ...(html !== '' && { html }),
})
