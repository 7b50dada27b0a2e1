import type { Context } from 'hono'
import type { Member, MemberProvider } from '../members/provider.ts'

/** How many members a password without a name is tried on: each try costs a hash. */
const maxTries = 20

/** Name and password of a V2 client stand in the address, under the names of either generation of clients. */
export function credentialsOf({ req }: Context): { username: string; password: string } {
  const first = (...names: readonly string[]) => names.map((name) => req.query(name)).find((value) => value) ?? ''
  return { username: first('username', 'usr'), password: first('password', 'pwd') }
}

/**
 * The member that name and password stand for. Clients up to 2.9 send no name when they log in, and none ever for a file: where
 * members have passwords of their own, the password alone then says who it is.
 */
export async function memberOf(
  members: MemberProvider,
  { username, password }: { username: string; password: string },
): Promise<Member | undefined> {
  const member = password === '' ? undefined : await members.authenticate(username, password)
  if (member || username !== '' || password === '') {
    return member
  }
  for (const { id } of (await members.list()).slice(0, maxTries)) {
    const found = await members.authenticate(id, password)
    if (found) {
      return found
    }
  }
  return undefined
}
