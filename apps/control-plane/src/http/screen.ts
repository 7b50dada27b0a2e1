import { NekoError } from '@neko-edge/kit'
import { field, int, lenientObject, ScreenSize, whole } from '@neko-edge/protocol'
import { z } from 'zod'
import { pictureResponse } from './blob.ts'
import { type Call, operation } from './operation.ts'

const Wanted = lenientObject({ width: field(whole, 0), height: field(whole, 0), rate: field(int(16), 0) })
const jpeg = { type: 'image/jpeg' }

/** The screen of the desktop, and pictures of it. */
export const screen = [
  operation({
    method: 'GET',
    path: '/api/room/screen',
    isMount: true,
    summary: 'The size of the screen',
    guards: ['session', 'can-watch'],
    reply: ScreenSize,
    handle: async ({ hub }) => hub.room.view.node?.facts?.screen ?? hub.features.fallback.screen,
  }),
  operation({
    method: 'POST',
    path: '/api/room/screen',
    isMount: true,
    summary: 'Change the size of the screen; the answer repeats the wish, the event has what came of it',
    guards: ['session', 'can-watch', 'admin'],
    body: { schema: Wanted },
    reply: ScreenSize,
    fails: { 422: 'the X server can not do it' },
    handle: setScreen,
  }),
  operation({
    method: 'GET',
    path: '/api/room/screen/configurations',
    summary: 'The sizes on offer',
    guards: ['session', 'can-watch', 'admin'],
    reply: z.array(ScreenSize),
    handle: async ({ hub }) => hub.room.view.node?.facts?.screens ?? [],
  }),
  operation({
    method: 'GET',
    path: '/api/room/screen/cast.jpg',
    summary: 'The newest picture; in private mode, for users, the one of the moment when it was switched on',
    guards: ['session', 'can-watch'],
    reply: jpeg,
    fails: { 400: 'screencast is not enabled, or private mode has no picture' },
    handle: cast,
  }),
  operation({
    method: 'GET',
    path: '/api/room/screen/shot.jpg',
    summary: 'A picture of the whole screen, now',
    guards: ['session', 'can-watch', 'admin'],
    query: { quality: '1 to 100; 90 where it is absent' },
    reply: jpeg,
    handle: async ({ hub, context }) =>
      pictureResponse(hub.node, await hub.node.call('screen.shot', { quality: qualityOf(context.req.query('quality')) }), 'image/jpeg'),
  }),
]

async function setScreen({ hub, actor, body }: Call<z.output<typeof Wanted>>): Promise<ScreenSize> {
  try {
    await hub.node.call('screen.set', { actor: actor.id, size: body })
  } catch (error) {
    if (error instanceof NekoError && error.code === 'unprocessable') {
      throw new NekoError('unprocessable', 'cannot set screen size', { cause: error })
    }
    throw error
  }
  return body
}

async function cast({ hub, actor }: Call<unknown>): Promise<Response> {
  const frozen = hub.room.view.isShutOut(actor.profile)
  return pictureResponse(hub.node, await hub.node.call('screen.cast', { frozen }), 'image/jpeg')
}

/** As upstream reads it: what is no whole number is 90, what is out of range is brought into it. */
export function qualityOf(text: string | undefined): number {
  return /^[+-]?\d+$/.test(text ?? '') ? Math.min(100, Math.max(1, Number(text))) : 90
}
