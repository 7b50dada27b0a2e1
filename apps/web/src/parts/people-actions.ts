import { isMuted, type Room } from '@neko-edge/client'
import type { Model } from '../model/model.ts'
import { words } from '../words/words.ts'
import type { MenuItem } from './menu.tsx'

/** What one may do with a member: for oneself, as the host, as an administrator. */
export function actionsOn(id: string, { model, room, onEdit }: { model: Model; room: Room; onEdit: () => void }): MenuItem[] {
  return [
    ...controlActions(id, model, room),
    ...(id === room.me ? [] : personalActions(id, model)),
    ...adminActions(id, { model, room, onEdit }),
  ]
}

function controlActions(id: string, { client, isAdmin, run }: Model, room: Room): MenuItem[] {
  const { people } = words.value
  const isHost = room.host === id
  const items: MenuItem[] = []
  if (!isHost && id !== room.me && room.sessions.get(id)?.profile.can_host && (isAdmin.value || room.host === room.me)) {
    items.push({ label: people.give, run: () => run(client.api.giveControl(id)) })
  }
  if (isHost && id !== room.me && isAdmin.value) {
    items.push({ label: people.takeFrom, run: () => run(client.api.takeControl()) })
    items.push({ label: people.takeAway, run: () => run(client.api.resetControl()) })
  }
  return items
}

function personalActions(id: string, { ignored }: Model): MenuItem[] {
  const { people } = words.value
  const isIgnored = ignored.value.has(id)
  const toggle = () => {
    const next = new Set(ignored.value)
    if (!next.delete(id)) {
      next.add(id)
    }
    ignored.value = next
  }
  return [{ label: isIgnored ? people.unignore : people.ignore, run: toggle }]
}

function adminActions(id: string, { model, room, onEdit }: { model: Model; room: Room; onEdit: () => void }): MenuItem[] {
  const { people } = words.value
  const { client, isAdmin, run } = model
  if (!isAdmin.value) {
    return []
  }
  const permissions = { label: people.permissions, run: onEdit }
  if (id === room.me) {
    return [permissions]
  }
  const muted = isMuted(room, id)
  const mute = () => run(client.api.changeMember(id, { plugins: { 'chat.can_send': muted } }))
  const kick = () => run(client.api.removeSession(id))
  return [
    { label: muted ? people.unmute : people.mute, run: mute },
    permissions,
    ...(room.sessions.get(id)?.profile.is_admin
      ? []
      : [{ label: people.ban, sure: people.banSure, isDangerous: true, run: () => run(client.api.ban(id)) }]),
    { label: people.kick, sure: people.kickSure, isDangerous: true, run: kick },
  ]
}
