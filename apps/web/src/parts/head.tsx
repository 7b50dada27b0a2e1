import type { Model, Panel } from '../model/model.ts'
import { countIn } from '../model/people.ts'
import { countsAsUnread } from '../model/tell.ts'
import { words } from '../words/words.ts'
import { Icon, Mark } from './icons.tsx'

/** Where one is, how the connection is, and the panels. */
export function Head({ model }: { model: Model }) {
  const text = words.value
  const people = model.room.value ? countIn(model.room.value) : 0
  const unread = model.lines.value.filter((line) =>
    countsAsUnread(line, { seen: model.seenLine.value, ignored: model.ignored.value }),
  ).length
  return (
    <header class="head">
      <span class="brand">
        <Mark />
        <span class="wide-only">neko</span>
      </span>
      <Status model={model} />
      <span class="spring" />
      <PanelButton model={model} panel="chat" label={unread > 0 ? `${text.chat.title}: ${text.chat.unread(unread)}` : text.chat.title}>
        <Icon name="chat" />
        {unread > 0 && <span class="unread">{unread > 99 ? '99+' : unread}</span>}
      </PanelButton>
      <PanelButton model={model} panel="people" label={`${text.people.title}: ${text.people.count(people)}`}>
        <Icon name="people" />
        <span>{people}</span>
      </PanelButton>
      {model.room.value?.files?.enabled && (
        <PanelButton model={model} panel="files" label={text.files.title}>
          <Icon name="files" />
        </PanelButton>
      )}
      <PanelButton model={model} panel="settings" label={text.settings.title}>
        <Icon name="settings" />
      </PanelButton>
      <button type="button" class="quiet" aria-label={text.leave} title={text.leave} onClick={() => void model.client.logout()}>
        <Icon name="leave" />
        <span class="wide-only">{text.leave}</span>
      </button>
    </header>
  )
}

interface PanelButtonOptions {
  model: Model
  panel: Panel
  label: string
  children: preact.ComponentChildren
}

function PanelButton({ model, panel, label, children }: PanelButtonOptions) {
  const isOpen = model.panel.value === panel
  return (
    <button
      type="button"
      class="quiet"
      aria-label={label}
      title={label}
      aria-expanded={isOpen}
      data-opens={panel}
      onClick={() => {
        model.panel.value = isOpen ? undefined : panel
      }}
    >
      {children}
    </button>
  )
}

function Status({ model }: { model: Model }) {
  const connection = model.connection.value
  const delay = model.roundTripMs.value
  const path = model.path.value
  return (
    <span class="status" data-state={connection.is} data-path={path}>
      <span class="dot" aria-hidden="true" />
      <span role="status">
        {words.value.state[connection.is]}
        {connection.is === 'live' && path && <span class="muted wide-only"> · {words.value.path[path]}</span>}
      </span>
      {connection.is === 'live' && delay !== undefined && <span class="muted">{Math.round(delay)} ms</span>}
    </span>
  )
}
