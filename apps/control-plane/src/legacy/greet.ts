import { type LockName, lockNames, type ScreenSize, type Session, type V2Member, type V2Message } from '@neko-edge/protocol'
import type { RoomView } from '@neko-edge/store'
import type { Features } from '../session/hub.ts'
import { fileList, maySeeFiles } from './announce.ts'
import { isMember, wireMember } from './member.ts'

/** What a V2 client hears of the room right after its offer: the offer names it, and everything else is about names. */
export function firstWords(session: Session, view: RoomView, features: Features): V2Message[] {
  const facts = view.node?.facts
  const messages: V2Message[] = [
    {
      event: 'system/init',
      implicit_hosting: view.settings.implicit_hosting,
      locks: Object.fromEntries(lockNames.flatMap((name) => (view.locks[name] ? [[name, ownerOf(name, view)]] : []))),
      file_transfer: features.fileTransfer.enabled,
      heartbeat_interval: view.settings.heartbeat_interval,
    },
  ]
  if (session.profile.is_admin && facts) {
    messages.push(
      { event: 'screen/configurations', configurations: configurations(facts.screens) },
      { event: 'broadcast/status', url: facts.broadcast.url, isActive: facts.broadcast.is_active },
    )
  }
  if (maySeeFiles(session, view)) {
    messages.push(...fileList(view, features))
  }
  if (features.openInApp) {
    messages.push({ event: 'openinapp/init', enabled: true })
  }
  return messages
}

/** What a V2 client hears when its picture has come: who is there, how large the screen is, who has the controls. */
export function whoIsThere(view: RoomView, fallback: ScreenSize): V2Message[] {
  const screen = view.node?.facts?.screen ?? fallback
  return [
    { event: 'member/list', members: [...[...view.sessions.values()].filter(isMember).map(wireMember), ...absentOwners(view)] },
    { event: 'screen/resolution', ...screen },
    ...(view.host === undefined ? [] : [{ event: 'control/locked' as const, id: view.host }]),
  ]
}

/**
 * The owner of a lock as he is called now: he may have come back under another id since. Nobody where the configuration or
 * the protection locked it.
 */
function ownerOf(name: LockName, view: RoomView): string {
  const lock = view.locks[name]
  if (!lock || lock.owner === '' || view.session(lock.owner)) {
    return lock?.owner ?? ''
  }
  const namesakes = [...view.sessions.values()].filter((session) => isMember(session) && session.profile.name === lock.name)
  return namesakes.find(({ profile }) => profile.is_admin === lock.admin)?.id ?? lock.owner
}

/** Owners of locks who are not here: named all the same, without an avatar. */
function absentOwners(view: RoomView): V2Member[] {
  const owners = lockNames.flatMap((name) => {
    const lock = view.locks[name]
    const id = ownerOf(name, view)
    const session = view.session(id)
    return lock && id !== '' && !(session && isMember(session))
      ? [{ id, displayname: lock.name, admin: lock.admin, muted: false, connected: false as const }]
      : []
  })
  return [...new Map(owners.map((owner) => [owner.id, owner])).values()]
}

/** The list of sizes in V2's form: each size once, with its rates, both under running numbers. */
export function configurations(screens: readonly ScreenSize[]): Extract<V2Message, { event: 'screen/configurations' }>['configurations'] {
  const bySize = Map.groupBy(screens, ({ width, height }) => `${width}x${height}`)
  return Object.fromEntries(
    [...bySize.values()].map((same, index) => {
      const { width = 0, height = 0 } = same[0] ?? {}
      return [index, { width, height, rates: Object.fromEntries(same.map(({ rate }, number) => [number, rate])) }]
    }),
  )
}
