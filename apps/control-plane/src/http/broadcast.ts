import { NekoError } from '@neko-edge/kit'
import { lenientObject, text } from '@neko-edge/protocol'
import { z } from 'zod'
import { broadcastStatus } from '../session/v3/greet.ts'
import { operation } from './operation.ts'

/** Sending the room to an RTMP server. */
export const broadcast = [
  operation({
    method: 'GET',
    path: '/api/room/broadcast',
    isMount: true,
    summary: 'Whether the room is broadcast, and where to',
    guards: ['session', 'admin'],
    reply: z.object({ url: z.string().optional(), is_active: z.boolean() }),
    async handle({ hub }) {
      const { url, is_active } = broadcastStatus(hub.room.view.node?.facts?.broadcast ?? { is_active: false, url: '' })
      return { url, is_active }
    },
  }),
  operation({
    method: 'POST',
    path: '/api/room/broadcast/start',
    summary: 'Start the broadcast',
    guards: ['session', 'admin'],
    body: { schema: lenientObject({ url: text }) },
    fails: { 422: 'it runs already', 500: 'GStreamer refuses' },
    async handle({ hub, actor, body: { url } }) {
      if (url === '') {
        throw new NekoError('invalid', 'missing broadcast URL')
      }
      await hub.node.call('broadcast.start', { actor: actor.id, url })
    },
  }),
  operation({
    method: 'POST',
    path: '/api/room/broadcast/stop',
    summary: 'Stop the broadcast; its address is remembered',
    guards: ['session', 'admin'],
    fails: { 422: 'none runs' },
    handle: ({ hub, actor }) => hub.node.call('broadcast.stop', { actor: actor.id }),
  }),
]
