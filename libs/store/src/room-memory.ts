import { lockNames } from '@neko-edge/protocol'
import type { RoomView } from './room-view.ts'

/** What `restoreRoom` takes: everything that a process knows of a room, as the fields in Redis are written. */
export function viewAsRestorable(view: RoomView) {
  const { users, admins } = view.connected()
  const room: [string, string][] = [
    ['settings', JSON.stringify(view.base)],
    ['started_at', String(view.startedAt)],
    ['connected_user', String(users)],
    ['connected_admin', String(admins)],
    ['unlisted', String([...view.sessions.values()].filter(({ state }) => state.unlisted).length)],
  ]
  if (view.host) {
    room.push(['host', view.host])
  }
  for (const name of lockNames) {
    const lock = view.locks[name]
    if (lock) {
      room.push([`lock:${name}`, JSON.stringify(lock)])
    }
  }
  const sessions = [...view.sessions.values()]
  return {
    seq: view.seq,
    epoch: view.epoch,
    fence: view.fence,
    connections: Math.max(0, ...sessions.map(({ state }) => state.epoch)),
    room: room.flat(),
    sessions: sessions.map(({ id, profile, state }) => [id, JSON.stringify(profile), JSON.stringify(state), state.token]),
    bans: [...view.bans].flatMap(([ip, ban]) => [ip, JSON.stringify(ban)]),
  }
}
