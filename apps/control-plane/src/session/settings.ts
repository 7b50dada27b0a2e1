import { NekoError } from '@neko-edge/kit'
import type { LockName, Settings } from '@neko-edge/protocol'
import { changeSettings } from '@neko-edge/store'
import type { Hub } from './hub.ts'

/** How often a change is tried again when somebody else changed the settings meanwhile. */
const tries = 10

/** Whether the plugin setting locks file transfer: V3 knows this lock only as a switch. */
const isTransferLocked = ({ plugins }: Settings) => plugins?.['filetransfer.enabled'] === false

/**
 * Changes the settings of a room, with what follows at once (a host who may not host any more), and gives the new ones.
 * Locks that this sets belong to the actor. `change` may run more than once.
 */
export async function editSettings(
  hub: Hub,
  { actor, change }: { actor: string; change: (settings: Settings) => Settings },
): Promise<Settings> {
  for (let attempt = 0; attempt < tries; attempt++) {
    const { view } = hub.room
    const before = view.settings
    const next = change(before)
    const { locked_logins, locked_controls, ...base } = next
    const wanted: Record<LockName, boolean> = { login: locked_logins, control: locked_controls, file_transfer: isTransferLocked(next) }
    const was: Record<LockName, boolean> = {
      login: before.locked_logins,
      control: before.locked_controls,
      file_transfer: isTransferLocked(before),
    }
    const changed = Object.fromEntries(Object.entries(wanted).filter(([name, on]) => on !== was[name as LockName]))
    const profile = view.session(actor)?.profile
    const outcome = await hub.room.run(changeSettings, [
      actor,
      JSON.stringify(view.base),
      JSON.stringify(base),
      JSON.stringify(changed),
      profile?.name ?? '',
      (profile?.is_admin ?? true) ? '1' : '0',
    ])
    if (outcome === 'changed') {
      return next
    }
  }
  throw new NekoError('conflict', 'the settings are being changed by others: try again')
}
