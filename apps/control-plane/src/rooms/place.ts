import { NekoError } from '@neko-edge/kit'
import type { FleetRoom, RoomView } from '@neko-edge/store'
import type { Closed, Deps } from '../http/context.ts'

/** Why nobody else can come into a room now. Admins come into one that is full of others: the node's own limit is theirs, too. */
export function closedFor(view: RoomView, { maxMembers, room }: { maxMembers: number; room: FleetRoom | undefined }): Closed {
  const { users } = view.connected()
  if (room?.record.state === 'draining') {
    return { all: 'the room is ending' }
  }
  if (view.node?.facts?.full) {
    if (view.node.facts.uplink === null) {
      return { all: 'the machine of this room can not be reached, and no relay takes the room yet: try again in a moment' }
    }
    return { all: 'the machine of this room has no place for more viewers: try again later' }
  }
  return maxMembers > 0 && users >= maxMembers
    ? { users: `the room is full, ${users} of ${maxMembers} members are here: try again later` }
    : {}
}

/** Why somebody of this kind can not come in now; nothing where he can. */
export function whyNoPlace({ whyClosed }: Pick<Deps, 'whyClosed'>, { isAdmin }: { isAdmin: boolean }): string | undefined {
  const { all, users } = whyClosed()
  return all ?? (isAdmin ? undefined : users)
}

/** Fails with `unavailable` where somebody of this kind can not come in now. */
export function checkPlace(deps: Pick<Deps, 'whyClosed'>, who: { isAdmin: boolean }): void {
  const why = whyNoPlace(deps, who)
  if (why !== undefined) {
    throw new NekoError('unavailable', why)
  }
}
