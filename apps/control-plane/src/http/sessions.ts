import { NekoError } from '@neko-edge/kit'
import { type Session, wireSession } from '@neko-edge/protocol'
import { deleteSession, disconnectSession } from '@neko-edge/store'
import { z } from 'zod'
import { type Call, operation } from './operation.ts'
import { SessionData } from './schema.ts'

/** The sessions of the room. */
export const sessions = [
  operation({
    method: 'GET',
    path: '/api/sessions',
    isMount: true,
    summary: 'All sessions',
    guards: ['session'],
    reply: z.array(SessionData),
    handle: async ({ hub }) => [...hub.room.view.sessions.values()].map(wireSession),
  }),
  operation({
    method: 'GET',
    path: '/api/sessions/{id}',
    isMount: true,
    summary: 'One session',
    guards: ['session', 'admin'],
    reply: SessionData,
    fails: { 404: 'no such session' },
    async handle({ hub, param }) {
      const session = hub.room.view.session(param('id'))
      if (!session) {
        throw new NekoError('notFound', 'session not found')
      }
      return wireSession(session)
    },
  }),
  operation({
    method: 'DELETE',
    path: '/api/sessions/{id}',
    isMount: true,
    summary: 'End a session',
    guards: ['session', 'admin'],
    fails: { 400: 'no such session, or the own one' },
    async handle({ hub, actor, param }) {
      if (param('id') === actor.id) {
        throw new NekoError('invalid', 'cannot delete own session')
      }
      if ((await hub.room.run(deleteSession, [param('id'), 'session deleted', actor.id])) === 'gone') {
        throw notThere()
      }
    },
  }),
  operation({
    method: 'POST',
    path: '/api/sessions/{id}/disconnect',
    summary: 'Disconnect a session, without ending it',
    guards: ['session', 'admin'],
    fails: { 400: 'no such session' },
    handle: disconnect,
  }),
]

async function disconnect({ hub, param }: Call<unknown>): Promise<void> {
  const session = hub.room.view.session(param('id'))
  if (!session) {
    throw notThere()
  }
  if ((await hub.room.run(disconnectSession, [session.id, '', 'session disconnected'])) === 'stale') {
    await endMedia(hub, session)
  }
}

/** Media may outlive the socket that asked for it; nobody who is disconnected goes on watching. */
async function endMedia(hub: Call<unknown>['hub'], { id, state }: Session): Promise<void> {
  if (state.peer !== undefined) {
    await hub.node.tell('peer.close', { session: id, peer: state.peer })
  }
}

// Upstream says 400 here, and 404 only to who asks for the session.
const notThere = () => new NekoError('invalid', 'session not found')
