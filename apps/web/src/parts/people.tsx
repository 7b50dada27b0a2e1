import { isMuted, type Room } from '@neko-edge/client'
import { useSignal } from '@preact/signals'
import { useMemo } from 'preact/hooks'
import type { Model } from '../model/model.ts'
import { nameOf } from '../model/name.ts'
import { countIn, presentIn } from '../model/people.ts'
import { words } from '../words/words.ts'
import { Avatar } from './avatar.tsx'
import { Icon } from './icons.tsx'
import { MenuButton } from './menu.tsx'
import { Panel } from './panel.tsx'
import { actionsOn } from './people-actions.ts'
import { Permissions } from './permissions.tsx'
import { VirtualList } from './virtual-list.tsx'

/** From so many people on, one can look for a name. */
const manyPeople = 10
const rowPx = 50

/** Who is here: the one at the controls first, then oneself, then by name. */
export function People({ model }: { model: Model }) {
  const room = model.room.value
  const text = words.value.people
  const find = useSignal('')
  const edited = useSignal<string | undefined>(undefined)
  const all = useMemo(() => (room ? presentIn(room) : []), [room?.sessions, room?.host])
  const ids = useMemo(() => (room && find.value !== '' ? presentIn(room, find.value) : all), [all, find.value])
  return (
    <Panel model={model} kind="people" title={text.title} count={room ? countIn(room) : 0}>
      {all.length >= manyPeople && (
        <input
          type="search"
          class="find"
          aria-label={text.find}
          placeholder={text.find}
          value={find.value}
          onInput={(event) => {
            find.value = event.currentTarget.value
          }}
        />
      )}
      {room && ids.length === 0 && <p class="note muted">{text.none}</p>}
      {room && (
        <VirtualList
          ids={ids}
          rowPx={rowPx}
          row={(id, place) => (
            <Person
              key={id}
              id={id}
              room={room}
              model={model}
              place={{ at: place + 1, of: ids.length }}
              onEdit={() => {
                edited.value = id
              }}
            />
          )}
        />
      )}
      {edited.value !== undefined && (
        <Permissions
          model={model}
          id={edited.value}
          onClose={() => {
            edited.value = undefined
          }}
        />
      )}
    </Panel>
  )
}

interface PersonOptions {
  id: string
  room: Room
  model: Model
  place: { at: number; of: number }
  onEdit: () => void
}

function Person({ id, room, model, place, onEdit }: PersonOptions) {
  const text = words.value.people
  const session = room.sessions.get(id)
  const name = nameOf(room, id)
  const isHost = room.host === id
  const actions = () => actionsOn(id, { model, room, onEdit })
  return (
    <li data-session={id} data-host={isHost} data-admin={session?.profile.is_admin} aria-posinset={place.at} aria-setsize={place.of}>
      <Avatar name={name} />
      <span class="name">
        <span class="line">
          <bdi>{name}</bdi>
          {id === room.me && <span class="muted">({text.you})</span>}
        </span>
        {isHost ? (
          <span class="note accent">{text.hosting}</span>
        ) : (
          session?.state.is_watching === false && <span class="note">{text.notWatching}</span>
        )}
      </span>
      {isMuted(room, id) && (
        <span class="badge" role="img" aria-label={text.muted} title={text.muted} data-muted>
          <Icon name="no-chat" />
        </span>
      )}
      {session?.profile.is_admin && (
        <span class="badge" role="img" aria-label={text.admin} title={text.admin}>
          <Icon name="shield" />
        </span>
      )}
      {actions().length > 0 && (
        <MenuButton label={text.menu(name)} items={actions}>
          <Icon name="more" />
        </MenuButton>
      )}
    </li>
  )
}
