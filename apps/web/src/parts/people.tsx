import type { Room } from '@neko-edge/client'
import { type Model, nameOf } from '../model/model.ts'
import { words } from '../words/words.ts'
import { Icon } from './icons.tsx'

/** Who is here: the one at the controls first, then oneself, then by name. */
export function People({ model }: { model: Model }) {
  const room = model.room.value
  const text = words.value.people
  const ids = room ? present(room) : []
  return (
    <aside class="people" aria-label={text.title}>
      <header>
        <h2>{text.title}</h2>
        <span class="muted count">{ids.length}</span>
        <button
          type="button"
          class="quiet square"
          aria-label={text.hide}
          onClick={() => {
            model.showsPeople.value = false
          }}
        >
          <Icon name="close" />
        </button>
      </header>
      <ul>{room && ids.map((id) => <Person key={id} id={id} room={room} model={model} />)}</ul>
    </aside>
  )
}

function Person({ id, room, model }: { id: string; room: Room; model: Model }) {
  const text = words.value.people
  const session = room.sessions.get(id)
  const name = nameOf(room, id)
  const isHost = room.host === id
  const mayGive = !isHost && session?.profile.can_host === true && (model.isAdmin.value || room.host === room.me)
  const isMe = id === room.me
  return (
    <li data-session={id} data-host={isHost} data-admin={session?.profile.is_admin}>
      <span class="avatar" data-hue={hueOf(name)} aria-hidden="true">
        {[...name][0]?.toUpperCase()}
      </span>
      <span class="name">
        <span class="line">
          <bdi>{name}</bdi>
          {isMe && <span class="muted">({text.you})</span>}
        </span>
        {session?.state.is_watching === false && <span class="note">{text.notWatching}</span>}
        {isHost && <span class="note accent">{text.hosting}</span>}
      </span>
      {session?.profile.is_admin && (
        <span class="badge" role="img" aria-label={text.admin} title={text.admin}>
          <Icon name="shield" />
        </span>
      )}
      {mayGive && !isMe && (
        <button
          type="button"
          class="quiet square"
          aria-label={text.giveTo(name)}
          title={text.giveTo(name)}
          onClick={() => void model.client.api.giveControl(id).catch(() => {})}
        >
          <Icon name="control" />
        </button>
      )}
    </li>
  )
}

function present(room: Room): string[] {
  const rank = (id: string) => (id === room.host ? 0 : id === room.me ? 1 : 2)
  return [...room.sessions.values()]
    .filter((session) => session.state.is_connected)
    .map((session) => session.id)
    .sort((a, b) => rank(a) - rank(b) || nameOf(room, a).localeCompare(nameOf(room, b)))
}

/** One of eight colours, always the same for a name. */
function hueOf(name: string): number {
  let sum = 0
  for (const character of name) {
    sum = (sum * 31 + (character.codePointAt(0) ?? 0)) % 1_000_003
  }
  return sum % 8
}
