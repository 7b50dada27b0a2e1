import { NekoError } from '@neko-edge/kit'
import { changeBan } from '@neko-edge/store'
import { z } from 'zod'
import { banSession } from '../session/ban.ts'
import { operation } from './operation.ts'

const BanData = z.object({ ip: z.string(), banned_by: z.string(), name: z.string(), since: z.string() })

/** Addresses that may not come in, whoever banned them: an admin here, or one of V2. */
export const bans = [
  operation({
    method: 'GET',
    path: '/api/bans',
    summary: 'Banned addresses, and who banned them',
    guards: ['session', 'admin'],
    reply: z.array(BanData),
    handle: async ({ hub }) =>
      [...hub.room.view.bans].map(([ip, { owner, name, since }]) => ({ ip, banned_by: owner, name, since: new Date(since).toISOString() })),
  }),
  operation({
    method: 'POST',
    path: '/api/bans',
    summary: 'Remove a session from the room, and let nobody in from its address',
    guards: ['session', 'admin'],
    body: { schema: z.object({ id: z.string() }) },
    fails: { 403: 'an administrator', 404: 'no such session' },
    async handle({ hub, actor, body }) {
      const target = hub.room.view.session(body.id)
      if (!target) {
        throw new NekoError('notFound', 'session not found')
      }
      if (target.profile.is_admin) {
        throw new NekoError('forbidden', 'administrators are not banned: take the right away first')
      }
      await banSession(hub, { actor: { id: actor.id, name: actor.profile.name }, target })
    },
  }),
  operation({
    method: 'DELETE',
    path: '/api/bans/{ip}',
    summary: 'Lift a ban',
    guards: ['session', 'admin'],
    fails: { 404: 'not banned' },
    async handle({ hub, actor, param }) {
      const ip = param('ip')
      if (!hub.room.view.bans.has(ip)) {
        throw new NekoError('notFound', 'address is not banned')
      }
      await hub.room.run(changeBan, [ip, '', actor.id])
    },
  }),
]
