import { useSignal } from '@preact/signals'
import { useEffect, useRef } from 'preact/hooks'
import type { Model } from '../model/model.ts'
import { save } from '../model/save.ts'
import { writeFormatted } from '../model/tell.ts'
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
          onPaste={(event) => {
            const html = event.clipboardData?.getData('text/html') ?? ''
            const text = event.clipboardData?.getData('text/plain') ?? ''
            // Into the empty field the formatting comes along; in the middle of a text it has no place.
            if (html !== '' && draft.value === '') {
              event.preventDefault()
              clearTimeout(timer.current)
              draft.value = text
              model.run(model.client.api.setClipboard({ text, html }))
            }
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
        {isHosting && <More model={model} />}
      </div>
    </Panel>
  )
}

/** What a text field can not show: formatting, and a picture. */
function More({ model }: { model: Model }) {
  const text = words.value.clipboard
  const picture = useSignal<Blob | undefined>(undefined)
  const isNone = useSignal(false)
  const abort = useRef(new AbortController())
  useEffect(() => () => abort.current.abort(), [])
  const copyFormatted = async () => {
    if (!(await writeFormatted(model.client))) {
      await navigator.clipboard.writeText(model.room.value?.clipboard ?? '')
    }
  }
  const fetchPicture = async () => {
    try {
      picture.value = await model.client.api.clipboardPicture(abort.current.signal)
      isNone.value = false
    } catch {
      picture.value = undefined
      isNone.value = true
    }
  }
  return (
    <>
      <div class="row">
        <button type="button" onClick={() => model.run(copyFormatted())}>
          {text.formatted}
        </button>
        <button type="button" onClick={() => void fetchPicture()}>
          {text.picture}
        </button>
      </div>
      <p class="muted" role="status">
        {isNone.value && text.noPicture}
      </p>
      {picture.value && <Picture blob={picture.value} model={model} />}
    </>
  )
}

function Picture({ blob, model }: { blob: Blob; model: Model }) {
  const text = words.value.clipboard
  const href = useSignal('')
  useEffect(() => {
    const url = URL.createObjectURL(blob)
    href.value = url
    return () => URL.revokeObjectURL(url)
  }, [blob])
  return (
    <>
      {href.value !== '' && <img class="clipboard-picture" src={href.value} alt={text.title} />}
      <div class="row">
        <button type="button" onClick={() => model.run(navigator.clipboard.write([new ClipboardItem({ [blob.type]: blob })]))}>
          {text.copyPicture}
        </button>
        <button type="button" onClick={() => save(blob, 'clipboard.png')}>
          {text.savePicture}
        </button>
      </div>
    </>
  )
}
