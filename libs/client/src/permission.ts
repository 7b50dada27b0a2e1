import type { Room } from './room.ts'

/** The switches of V3's plugins: flat keys, merged into the room's settings and each profile. */
export type PluginSwitch = 'chat.can_send' | 'chat.can_receive' | 'filetransfer.enabled'

const isOn = (plugins: Readonly<Record<string, unknown>> | null | undefined, key: string) => (plugins?.[key] ?? true) === true

/** Whether somebody may use a plugin: the room's switch, which admins pass, and his own (v3-semantics.md, the server's rule). */
export function isPermitted(room: Room, key: PluginSwitch, id = room.me): boolean {
  const profile = room.sessions.get(id)?.profile
  return profile !== undefined && (profile.is_admin || isOn(room.settings.plugins, key)) && isOn(profile.plugins, key)
}

/** Whether an administrator has taken the word from somebody, which V2 calls muted. */
export function isMuted(room: Room, id: string): boolean {
  return !isOn(room.sessions.get(id)?.profile.plugins, 'chat.can_send')
}

/** What an administrator can lock for everybody else. */
export const lockNames = ['login', 'control', 'files'] as const
/** Something that an administrator can lock. */
export type LockName = (typeof lockNames)[number]

/** What is locked by these settings. */
export function locksIn(settings: Room['settings']): Readonly<Record<LockName, boolean>> {
  return {
    login: settings.locked_logins,
    control: settings.locked_controls,
    files: !isOn(settings.plugins, 'filetransfer.enabled'),
  }
}

/** The change of settings that locks or opens something. */
export function lockPatch(lock: LockName, isLocked: boolean): Partial<Room['settings']> {
  switch (lock) {
    case 'login':
      return { locked_logins: isLocked }
    case 'control':
      return { locked_controls: isLocked }
    case 'files':
      return { plugins: { 'filetransfer.enabled': !isLocked } }
  }
}

/** Who set each lock, by name, after new settings by `actor`; what was locked before keeps its owner. */
export function ownersAfter(room: Room, settings: Room['settings'], actor: string): Room['lockOwners'] {
  const before = locksIn(room.settings)
  const after = locksIn(settings)
  const name = room.sessions.get(actor)?.profile.name
  const owners: Partial<Record<LockName, string>> = {}
  for (const lock of lockNames) {
    const owner = before[lock] ? room.lockOwners[lock] : name
    if (after[lock] && owner !== undefined) {
      owners[lock] = owner
    }
  }
  return owners
}
