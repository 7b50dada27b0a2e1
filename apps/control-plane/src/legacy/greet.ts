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
      // A right that V2 does not know: who may not have the controls finds them locked.
      locks: Object.fromEntries([
        ...(session.profile.can_host ? [] : [['control', '']]),
        ...lockNames.flatMap((name) => (view.locks[name] ? [[name, ownerOf(name, view, session)]] : [])),
      ]),
      file_transfer: mayUseFiles(session, features),
      heartbeat_interval: view.settings.heartbeat_interval,
    },
  ]
  if (session.profile.is_admin && facts) {
    messages.push(
      { event: 'screen/configurations', configurations: configurations(facts.screens) },
      { event: 'broadcast/status', url: facts.broadcast.url, isActive: facts.broadcast.is_active },
    )
  }
  if (maySeeFiles(session, { view, features })) {
    messages.push(...fileList(view, features))
  }
  if (features.openInApp) {
    messages.push({ event: 'openinapp/init', enabled: true })
  }
  return messages
}

/** Whether there are files for somebody, once they are not locked: clients up to 2.9 know no finer rights. */
const mayUseFiles = ({ profile }: Session, { fileTransfer: { enabled, userDownload, userUpload } }: Features): boolean =>
  enabled && (profile.is_admin || userDownload || userUpload)

/** V2 knows no private mode: without a word its picture just stands still. */
export const privateNotice: V2Message = {
  event: 'system/error',
  title: 'Private mode',
  message: 'An admin has switched on private mode: the picture stands still until it is switched off.',
}

/** What a V2 client hears when its picture has come: who is there, how large the screen is, who has the controls. */
export function whoIsThere(session: Session, view: RoomView, fallback: ScreenSize): V2Message[] {
  const screen = view.node?.facts?.screen ?? fallback
  const isShown = (each: Session) => isMember(each) && (each.id === session.id || view.isListed(each))
  return [
    { event: 'member/list', members: [...[...view.sessions.values()].filter(isShown).map(wireMember), ...absentOwners(view)] },
    { event: 'screen/resolution', ...screen },
    ...(view.host === undefined ? [] : [{ event: 'control/locked' as const, id: view.host }]),
    ...(view.isShutOut(session.profile) ? [privateNotice] : []),
  ]
}

/**
 * The owner of a lock as he is called now: he may have come back under another id since, and then perhaps it is he who asks. Nobody
 * where the configuration or the protection locked it.
 */
export function ownerOf(name: LockName, view: RoomView, asking?: Session): string {
  const lock = view.locks[name]
  if (!lock || lock.owner === '' || view.session(lock.owner)) {
    return lock?.owner ?? ''
  }
  const isHe = ({ profile }: Session) => profile.name === lock.name && profile.is_admin === lock.admin
  const present = [...(asking ? [asking] : []), ...[...view.sessions.values()].filter(isMember)]
  return present.find(isHe)?.id ?? lock.owner
}

/** Owners of locks who are not here, or not any more under that id: named all the same, without an avatar. */
function absentOwners(view: RoomView): V2Member[] {
  const owners = lockNames.flatMap((name) => {
    const lock = view.locks[name]
    const session = lock && view.session(lock.owner)
    return lock && lock.owner !== '' && !(session && isMember(session))
      ? [{ id: lock.owner, displayname: lock.name, admin: lock.admin, muted: false, connected: false as const }]
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
