import { type Clock, NekoError, type RoomId, randomText } from '@neko-edge/kit'
import { type Connection, forgetLinkUse, useLink } from '@neko-edge/store'
import { jwtVerify, SignJWT } from 'jose'
import { z } from 'zod'
import { idOf, type MultiuserOptions, multiuserProfiles } from '../members/multiuser.ts'
import type { Member } from '../members/provider.ts'

const Claims = z.object({
  jti: z.string(),
  exp: z.number(),
  role: z.enum(['user', 'admin']),
  name: z.string(),
  once: z.boolean(),
  room: z.number(),
})

export interface NewLink {
  readonly role: 'user' | 'admin'
  /** Under which name its bearer is in the room. */
  readonly name: string
  /** Seconds from now on. */
  readonly expiresIn: number
  readonly isOnce: boolean
}

/** The join links of one room: whoever bears one comes in as it says, until it expires. */
export interface Links {
  create(link: NewLink): Promise<{ token: string; expiresAt: number }>
  /**
   * The member of a link. Fails with `unauthorized` where it is forged, expired, used up, or of another room. A link that is good for one use is used by this;
   * `release` gives it back where its bearer could not come in.
   */
  redeem(token: string): Promise<{ member: Member; release: () => Promise<void> }>
}

export interface LinksOptions {
  readonly connection: Connection
  readonly clock: Clock
  /** The fleet token: links made under another one are worth nothing. */
  readonly secret: string
  /** When the room was made: a later room of the same id is another one. */
  readonly madeAt: () => number
  readonly profiles: Pick<MultiuserOptions, 'userProfile' | 'adminProfile'>
}

const algorithm = 'HS256'

export function createLinks(room: RoomId, { connection, clock, secret, madeAt, profiles }: LinksOptions): Links {
  const audience = `room:${room}`
  const key = async (): Promise<Uint8Array> => {
    if (secret === '') {
      throw new NekoError('unauthorized', 'this server has no join links: they need rooms.api_token')
    }
    // A key of its own: a signature must not tell anything about the token.
    return new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(`neko-edge join links\0${secret}`)))
  }
  return {
    async create({ role, name, expiresIn, isOnce }) {
      const now = Math.floor(clock.now() / 1000)
      const token = await new SignJWT({ role, name, once: isOnce, room: madeAt() })
        .setProtectedHeader({ alg: algorithm })
        .setAudience(audience)
        .setJti(randomText(16))
        .setIssuedAt(now)
        .setExpirationTime(now + expiresIn)
        .sign(await key())
      return { token, expiresAt: (now + expiresIn) * 1000 }
    },
    async redeem(token) {
      const claims = await verified(token, { audience, key: await key(), now: clock.now() })
      if (!claims || claims.room !== madeAt()) {
        throw new NekoError('unauthorized', 'this link is not valid: ask for a new one')
      }
      const { jti, exp, role, name, once } = claims
      if (once && !(await useLink(connection, { room, link: jti, ms: Math.max(1, exp * 1000 - clock.now()) }))) {
        throw new NekoError('unauthorized', 'this link was used already: ask for a new one')
      }
      const profile = { ...multiuserProfiles(profiles)[role], name }
      return {
        member: { id: idOf(name), profile },
        release: async () => void (once && (await forgetLinkUse(connection, { room, link: jti }))),
      }
    },
  }
}

async function verified(token: string, { audience, key, now }: { audience: string; key: Uint8Array; now: number }) {
  try {
    const { payload } = await jwtVerify(token, key, { audience, algorithms: [algorithm], currentDate: new Date(now) })
    return Claims.safeParse(payload).data
  } catch {
    // Whatever is wrong with it, its bearer can only ask for another one.
    return undefined
  }
}
