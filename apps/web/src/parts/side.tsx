import type { ComponentChildren } from 'preact'
import type { Model } from '../model/model.ts'
import { words } from '../words/words.ts'
import { ChatPanel } from './chat.tsx'
import { ClipboardPanel } from './clipboard.tsx'
import { FilesPanel } from './files.tsx'
import { Icon } from './icons.tsx'
import { People } from './people.tsx'
import { SettingsPanel } from './settings.tsx'

/** The panel that is open beside the picture. */
export function Side({ model }: { model: Model }) {
  switch (model.panel.value) {
    case 'chat':
      return <ChatPanel model={model} />
    case 'people':
      return <People model={model} />
    case 'files':
      return <FilesPanel model={model} />
    case 'clipboard':
      return <ClipboardPanel model={model} />
    case 'settings':
      return <SettingsPanel model={model} />
    default:
      return null
  }
}

interface PanelOptions {
  model: Model
  kind: string
  title: string
  count?: number
  children: ComponentChildren
}

/** The frame of every panel. */
export function Panel({ model, kind, title, count, children }: PanelOptions) {
  return (
    <aside class={`side ${kind}`} aria-label={title} data-panel={kind}>
      <header>
        <h2>{title}</h2>
        {count !== undefined && <span class="muted">{count}</span>}
        <span class="spring" />
        <button
          type="button"
          class="quiet square"
          aria-label={words.value.panel.close}
          onClick={() => {
            model.panel.value = undefined
          }}
        >
          <Icon name="close" />
        </button>
      </header>
      {children}
    </aside>
  )
}
