import { type Ban, lockNames, lockPatch, locksIn, type Room } from '@neko-edge/client'
import { useSignal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import { mayOpenLinks } from '../model/links.ts'
import type { Model } from '../model/model.ts'
import { words } from '../words/words.ts'
import { Choice, Section, Switch } from './fields.tsx'

const switches = [
  ['implicit_hosting', 'implicit'],
  ['private_mode', 'privateMode'],
  ['control_protection', 'protection'],
  ['inactive_cursors', 'cursors'],
] as const satisfies readonly (readonly [keyof Room['settings'], keyof typeof words.value.admin])[]

/** The room, for administrators: locks, how it behaves, its size, its broadcast. */
export function AdminSettings({ model }: { model: Model }) {
  const room = model.room.value
  const text = words.value.admin
  if (!room) {
    return null
  }
  const { api } = model.client
  const locks = locksIn(room.settings)
  return (
    <>
      <Section title={text.locks}>
        {lockNames.map((lock) => {
          const owner = room.lockOwners[lock]
          return (
            <Switch
              key={lock}
              label={text.lock[lock]}
              name={`lock-${lock}`}
              isOn={locks[lock]}
              note={locks[lock] && owner !== undefined ? text.lockedBy(owner || words.value.people.unnamed) : undefined}
              onChange={(isOn) => model.run(api.changeSettings(lockPatch(lock, isOn)))}
            />
          )
        })}
      </Section>
      <Section title={text.title}>
        {switches.map(([setting, label]) => (
          <Switch
            key={setting}
            label={text[label]}
            name={setting}
            isOn={room.settings[setting]}
            onChange={(isOn) => model.run(api.changeSettings({ [setting]: isOn }))}
          />
        ))}
        <Resolution model={model} room={room} />
        <Broadcast model={model} room={room} />
        {mayOpenLinks(room) && <OpenLink model={model} />}
      </Section>
      <Bans model={model} room={room} />
    </>
  )
}

const keyOf = ({ width, height, rate }: Room['screen']) => `${width}x${height}@${rate}`

function Resolution({ model, room }: { model: Model; room: Room }) {
  const now = keyOf(room.screen)
  const sizes = room.admin?.screens ?? []
  const all = sizes.some((size) => keyOf(size) === now) ? sizes : [room.screen, ...sizes]
  return (
    <Choice
      label={words.value.admin.resolution}
      name="resolution"
      value={now}
      options={all.map((size) => [keyOf(size), `${size.width} × ${size.height} · ${size.rate} Hz`] as const)}
      onChange={(key) => {
        const size = all.find((each) => keyOf(each) === key)
        if (size) {
          model.run(model.client.api.setScreen(size))
        }
      }}
    />
  )
}

function Broadcast({ model, room }: { model: Model; room: Room }) {
  const text = words.value.admin
  const { is_active: isActive = false, url = '' } = room.admin?.broadcast ?? {}
  const draft = useSignal(url)
  const { api } = model.client
  const submit = (event: Event) => {
    event.preventDefault()
    model.run(isActive ? api.stopBroadcast() : api.startBroadcast(draft.value.trim()))
  }
  return (
    <form class="stacked-form" onSubmit={submit}>
      <span>
        {text.broadcast}
        {isActive && <span class="on-air">{text.isLive}</span>}
      </span>
      <span class="inline-form">
        <input
          type="text"
          inputMode="url"
          name="broadcast"
          aria-label={text.broadcastUrl}
          placeholder="rtmp://…"
          disabled={isActive}
          value={isActive ? url : draft.value}
          onInput={(event) => {
            draft.value = event.currentTarget.value
          }}
        />
        <button type="submit" class={isActive ? 'danger' : undefined} disabled={!isActive && draft.value.trim() === ''}>
          {isActive ? text.stop : text.start}
        </button>
      </span>
    </form>
  )
}

function OpenLink({ model }: { model: Model }) {
  const text = words.value.admin
  const link = useSignal('')
  const submit = (event: Event) => {
    event.preventDefault()
    model.run(model.client.api.openLink(link.value.trim()))
    link.value = ''
  }
  return (
    <form class="stacked-form" onSubmit={submit}>
      <span>{text.openLink}</span>
      <span class="inline-form">
        <input
          type="url"
          name="link"
          aria-label={text.openLink}
          placeholder="https://"
          value={link.value}
          onInput={(event) => {
            link.value = event.currentTarget.value
          }}
        />
        <button type="submit" disabled={link.value.trim() === ''}>
          {text.open}
        </button>
      </span>
    </form>
  )
}

/** Addresses that may not come in, with the way to let them in again. Somebody who goes may have been banned: then the list is read anew. */
function Bans({ model, room }: { model: Model; room: Room }) {
  const text = words.value.admin
  const bans = useSignal<readonly Ban[]>([])
  const { api } = model.client
  const read = () =>
    api.bans().then(
      (all) => {
        bans.value = all
      },
      // The server is away for a moment: what was known stays.
      () => {},
    )
  useEffect(() => void read(), [room.sessions.size])
  if (bans.value.length === 0) {
    return null
  }
  return (
    <Section title={text.bans}>
      <ul class="bans">
        {bans.value.map(({ ip, name }) => (
          <li key={ip}>
            <bdi>{ip}</bdi>
            <span class="note">{text.lockedBy(name || words.value.people.unnamed)}</span>
            <span class="spring" />
            <button type="button" onClick={() => model.run(api.liftBan(ip).then(read))}>
              {text.liftBan(ip)}
            </button>
          </li>
        ))}
      </ul>
    </Section>
  )
}
