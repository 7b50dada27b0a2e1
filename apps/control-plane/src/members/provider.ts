import type { MemberProfile } from '@neko-edge/protocol'

export interface Member {
  readonly id: string
  readonly profile: MemberProfile
}

/**
 * Where members come from. What a provider can not do (multiuser keeps no members) fails with `internal`, as upstream's does;
 * an unknown member is `notFound`, one that exists already `unprocessable`.
 */
export interface MemberProvider {
  /** The member of these credentials, under the id that his session gets; `undefined` where they are wrong. */
  authenticate(username: string, password: string): Promise<Member | undefined>
  insert(username: string, password: string, profile: MemberProfile): Promise<Member>
  updateProfile(id: string, profile: MemberProfile): Promise<void>
  updatePassword(id: string, password: string): Promise<void>
  select(id: string): Promise<MemberProfile>
  list(): Promise<Member[]>
  delete(id: string): Promise<void>
}
