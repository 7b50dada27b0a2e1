import { MemberProfileSchema } from '@neko-edge/protocol'
import { z } from 'zod'

/* What the API answers, for its documentation: the replies themselves are built from typed facts. */

const Time = z.iso.datetime({ offset: true })

export const SessionStateReply = z.object({
  is_connected: z.boolean(),
  connected_since: Time.optional(),
  not_connected_since: Time.optional(),
  is_watching: z.boolean(),
  watching_since: Time.optional(),
  not_watching_since: Time.optional(),
})

export const SessionData = z.object({ id: z.string(), profile: MemberProfileSchema, state: SessionStateReply })
export const LoginReply = SessionData.extend({ token: z.string().optional() })

export const Stats = z.object({
  has_host: z.boolean(),
  host_id: z.string().optional(),
  server_started_at: Time,
  total_users: z.int(),
  last_user_left_at: Time.optional(),
  total_admins: z.int(),
  last_admin_left_at: Time.optional(),
})
