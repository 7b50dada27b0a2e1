import type { ComponentChildren } from 'preact'
import { useLayoutEffect, useRef } from 'preact/hooks'
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

/** The frame of every panel. The focus goes into it with the button that opens it, and back there when it closes; Escape closes it too. */
export function Panel({ model, kind, title, count, children }: PanelOptions) {
  const panel = useRef<HTMLElement>(null)
  const opener = () => document.querySelector<HTMLElement>(`[data-opens=${kind}]`)
  const close = () => {
    model.panel.value = undefined
  }
  useLayoutEffect(() => {
    const element = panel.current
    if (document.activeElement === opener()) {
      element?.focus()
    }
    return () => element?.contains(document.activeElement) && opener()?.focus()
  }, [])
  return (
    <aside
      ref={panel}
      class={`side ${kind}`}
      aria-label={title}
      data-panel={kind}
      tabIndex={-1}
      onKeyDown={(event) => {
        // A menu and a dialog in a panel take their own Escape; an input method's is not for us.
        if (event.key === 'Escape' && !event.defaultPrevented && !event.isComposing && !document.querySelector('dialog[open]')) {
          close()
        }
      }}
    >
      <header>
        <h2>{title}</h2>
        {count !== undefined && <span class="muted">{count}</span>}
        <span class="spring" />
        <button type="button" class="quiet square" aria-label={words.value.panel.close} onClick={close}>
          <Icon name="close" />
        </button>
      </header>
      {children}
    </aside>
  )
}
