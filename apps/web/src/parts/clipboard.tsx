import { useSignal } from '@preact/signals'
import { useEffect, useRef } from 'preact/hooks'
import type { Model } from '../model/model.ts'
import { words } from '../words/words.ts'
import { Panel } from './panel.tsx'

/** What is written is taken into the desktop after this pause, in milliseconds. */
const pauseMs = 500

/** The clipboard of the desktop as a text field: for browsers that keep theirs to themselves. */
export function ClipboardPanel({ model }: { model: Model }) {
  const text = words.value.clipboard
  const shared = model.room.value?.clipboard ?? ''
  const draft = useSignal(shared)
  const isCopied = useSignal(false)
  const field = useRef<HTMLTextAreaElement>(null)
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined)
  const isHosting = model.verdict.value === 'hosting'
  useEffect(() => {
    draft.value = shared
  }, [shared])
  const { control } = model.client
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(draft.value)
    } catch {
      // Where the page may not write, the person's own Ctrl+C still can.
      field.current?.select()
      return
    }
    isCopied.value = true
  }
  return (
    <Panel model={model} kind="clipboard" title={text.title}>
      <div class="clipboard-body">
        <p class="muted">{isHosting ? text.hint : text.needsControl}</p>
        <textarea
          ref={field}
          aria-label={text.title}
          value={draft.value}
          disabled={!isHosting}
          dir="auto"
          onInput={(event) => {
            const { value } = event.currentTarget
            draft.value = value
            isCopied.value = false
            clearTimeout(timer.current)
            timer.current = setTimeout(() => control.setClipboard(value), pauseMs)
          }}
        />
        <div class="row">
          <button type="button" disabled={draft.value === ''} onClick={() => void copy()}>
            {isCopied.value ? text.copied : text.copy}
          </button>
          <button
            type="button"
            disabled={!isHosting || draft.value === ''}
            onClick={() => {
              clearTimeout(timer.current)
              control.paste(draft.value)
            }}
          >
            {text.paste}
          </button>
        </div>
      </div>
    </Panel>
  )
}
