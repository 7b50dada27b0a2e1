import { NekoError } from '@neko-edge/kit'
import { changeBan } from '@neko-edge/store'
import { z } from 'zod'
import { operation } from './operation.ts'

const BanData = z.object({ ip: z.string(), banned_by: z.string(), name: z.string(), since: z.string() })

/** Addresses that may not come in: V2's admins ban them, and nothing but this lets them in again. */
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
