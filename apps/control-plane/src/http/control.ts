import { NekoError } from '@neko-edge/kit'
import { giveControl, releaseControl, resetControl, takeControl } from '@neko-edge/store'
import { z } from 'zod'
import { askForControl, type ControlOutcome } from '../session/control.ts'
import { hostStatus } from '../session/v3/greet.ts'
import { type Call, failure, operation } from './operation.ts'

/** Who is at the controls. */
export const control = [
  operation({
    method: 'GET',
    path: '/api/room/control',
    isMount: true,
    summary: 'Who is at the controls',
    guards: ['session', 'can-host'],
    reply: z.object({ has_host: z.boolean(), host_id: z.string().optional() }),
    handle: async ({ hub }) => hostStatus(hub.room.view),
  }),
  operation({
    method: 'POST',
    path: '/api/room/control/request',
    summary: 'Take free controls, or ask whoever has them',
    guards: ['session', 'can-host'],
    fails: { 202: 'somebody is at the controls, and has been asked', 403: 'the controls are locked' },
    handle: request,
  }),
  operation({
    method: 'POST',
    path: '/api/room/control/release',
    summary: 'Give the controls back',
    guards: ['session', 'can-host'],
    fails: { 422: 'the session is not at the controls' },
    async handle({ hub, actor }) {
      if ((await hub.room.run(releaseControl, [actor.id])) === 'not-host') {
        throw new NekoError('unprocessable', 'session is not the host')
      }
    },
  }),
  operation({
    method: 'POST',
    path: '/api/room/control/take',
    summary: 'Take the controls from whoever has them',
    guards: ['session', 'can-host', 'admin'],
    async handle({ hub, actor }) {
      if ((await hub.room.run(takeControl, [actor.id])) === 'forbidden') {
        throw mayNotHost()
      }
    },
  }),
  operation({
    method: 'POST',
    path: '/api/room/control/give/{id}',
    summary: 'Give the controls to a session',
    guards: ['session', 'can-host', 'host-or-admin'],
    fails: { 400: 'the session may not host', 404: 'no such session' },
    handle: give,
  }),
  operation({
    method: 'POST',
    path: '/api/room/control/reset',
    summary: 'Take the controls from whoever has them, and give them to nobody',
    guards: ['session', 'can-host', 'admin'],
    async handle({ hub, actor }) {
      await hub.room.run(resetControl, [actor.id])
    },
  }),
]

const mayNotHost = () => new NekoError('forbidden', 'session cannot host')

async function request({ hub, actor }: Call<unknown>): Promise<unknown> {
  return answers[await askForControl(hub, actor.id, { implicit: false })]()
}

const asked = () => failure(202, 'control request sent')

const answers: Record<ControlOutcome, () => Response | undefined> = {
  taken: () => undefined,
  // Asking for what one has already is answered alike, and the host hears of his own request.
  host: asked,
  hosted: asked,
  locked: () => failure(403, 'controls are locked'),
  private: () => failure(422, 'private mode is enabled'),
  forbidden: () => failure(403, 'session cannot host'),
}

async function give({ hub, actor, param }: Call<unknown>): Promise<void> {
  switch (await hub.room.run(giveControl, [actor.id, param('id')])) {
    case 'gone':
      throw new NekoError('notFound', 'target session was not found')
    case 'forbidden':
      throw new NekoError('invalid', 'target session is not allowed to host')
    case 'not-host':
      throw new NekoError('forbidden', 'session is not host or admin')
    default:
  }
}
