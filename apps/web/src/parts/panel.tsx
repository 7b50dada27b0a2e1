import type { ComponentChildren } from 'preact'
import type { Model } from '../model/model.ts'
import { words } from '../words/words.ts'
import { Icon } from './icons.tsx'

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
