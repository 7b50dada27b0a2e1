import type { Room } from '@neko-edge/client'
import type { Model } from '../model/model.ts'
import { nameOf } from '../model/name.ts'
import { words } from '../words/words.ts'
import { Dialog } from './dialog.tsx'
import { Switch } from './fields.tsx'

type Profile = NonNullable<ReturnType<Room['sessions']['get']>>['profile']

const flags = [
  'can_watch',
  'can_host',
  'can_access_clipboard',
  'can_share_media',
  'sends_inactive_cursor',
  'can_see_inactive_cursors',
  'can_connect',
  'can_login',
  'is_admin',
] as const satisfies readonly (keyof Profile)[]
const plugins = ['chat.can_send', 'chat.can_receive', 'filetransfer.enabled'] as const

/** What a member may do; each switch counts at once, for the live session too. */
export function Permissions({ model, id, onClose }: { model: Model; id: string; onClose: () => void }) {
  const room = model.room.value
  const profile = room?.sessions.get(id)?.profile
  if (!room || !profile) {
    return null
  }
  const text = words.value
  const change = (patch: Partial<Profile>) => model.run(model.client.api.changeMember(id, patch))
  return (
    <Dialog title={text.people.permissionsOf(nameOf(room, id))} onClose={onClose}>
      <p class="muted">{text.people.atOnce}</p>
      {flags.map((flag) => (
        <Switch
          key={flag}
          label={text.permission[flag]}
          name={flag}
          isOn={profile[flag]}
          // One's own way back must stay open.
          isDisabled={id === room.me && (flag === 'is_admin' || flag === 'can_login' || flag === 'can_connect')}
          onChange={(isOn) => change({ [flag]: isOn })}
        />
      ))}
      {plugins.map((plugin) => (
        <Switch
          key={plugin}
          label={text.permission[plugin]}
          name={plugin}
          isOn={profile.plugins?.[plugin] !== false}
          onChange={(isOn) => change({ plugins: { [plugin]: isOn } })}
        />
      ))}
    </Dialog>
  )
}
