import { NekoView } from '@neko-edge/client/view'
import { effect, useSignal, useSignalEffect } from '@preact/signals'
import { useEffect, useRef } from 'preact/hooks'
import type { Model } from '../model/model.ts'
import { words } from '../words/words.ts'
import { EmoteRain } from './emote-rain.tsx'
import { Icon } from './icons.tsx'
import { Overlay } from './overlay.tsx'
import { Statistics } from './statistics.tsx'
import { Transfers } from './transfers.tsx'

/** The picture, with what is said over it. */
export function Stage({ model, onView }: { model: Model; onView: (view: NekoView | undefined) => void }) {
  const frame = useRef<HTMLDivElement>(null)
  const view = useRef<NekoView | undefined>(undefined)
  useEffect(() => {
    if (!frame.current) {
      return
    }
    const own = new NekoView()
    const remove = place({ view: own, frame: frame.current, model })
    view.current = own
    onView(own)
    return () => {
      remove()
      onView(undefined)
    }
  }, [model])
  useSignalEffect(() => {
    frame.current?.classList.toggle('dim', model.connection.value.is !== 'live')
  })
  return (
    <DropZone model={model} view={() => view.current}>
      <h1 class="unseen">{words.value.view.desktop}</h1>
      <div class="picture" ref={frame} />
      <EmoteRain model={model} />
      {model.showsStatistics.value && <Statistics model={model} />}
      <Overlay model={model} />
      {model.panel.value !== 'files' && <Transfers model={model} />}
      {model.isPaused.value && (
        <button type="button" class="resume primary" onClick={() => void view.current?.play()}>
          <Icon name="play" />
          {words.value.view.resume}
        </button>
      )}
      {model.isSoundBlocked.value && (
        <button
          type="button"
          class="sound-hint primary"
          onClick={() => {
            model.isSoundBlocked.value = false
            model.isMuted.value = false
          }}
        >
          {words.value.sound.blocked}
        </button>
      )}
    </DropZone>
  )
}

/** Files that are dropped on the picture are dropped on the application below. */
function DropZone({ model, view, children }: { model: Model; view: () => NekoView | undefined; children: preact.ComponentChildren }) {
  const isOver = useSignal(false)
  const text = words.value.view
  const isHosting = model.verdict.value === 'hosting'
  return (
    <main
      class="stage"
      onDragOver={(event) => {
        if (event.dataTransfer?.types.includes('Files')) {
          event.preventDefault()
          isOver.value = true
        }
      }}
      onDragLeave={(event) => {
        isOver.value = event.relatedTarget instanceof Node && event.currentTarget.contains(event.relatedTarget)
      }}
      onDrop={(event) => {
        event.preventDefault()
        isOver.value = false
        const files = [...(event.dataTransfer?.files ?? [])]
        const at = view()?.pixelAt({ x: event.clientX, y: event.clientY })
        if (isHosting && at && files.length > 0) {
          void model.client.files.drop(files, at)
        } else if (!isHosting) {
          model.notices.show(text.dropNeedsControl)
        }
      }}
    >
      {children}
      {isOver.value && (
        <div class="drop-hint">
          <span>{isHosting ? text.dropHere : text.dropNeedsControl}</span>
        </div>
      )}
    </main>
  )
}

function place({ view, frame, model }: { view: NekoView; frame: HTMLElement; model: Model }): () => void {
  view.client = model.client
  view.addEventListener('soundblocked', () => {
    model.isSoundBlocked.value = true
    model.isMuted.value = true
  })
  view.addEventListener('leavefocus', () => document.querySelector<HTMLElement>('.bar button')?.focus())
  view.addEventListener('zoomchange', ({ detail }) => {
    model.isZoomed.value = detail.isZoomed
  })
  view.addEventListener('pausechange', ({ detail }) => {
    model.isPaused.value = detail.isPaused
  })
  view.addEventListener('keyboardchange', ({ detail }) => {
    model.isKeyboardShown.value = detail.isShown
  })
  frame.append(view)
  if (!model.preferences.autoplay.peek()) {
    // The element shows the client from its next step on.
    queueMicrotask(() => view.pause())
  }
  const { invertScroll, touchMode, scrollSpeed } = model.preferences
  const stops = [
    effect(() => {
      view.muted = model.isMuted.value
      view.volume = model.volume.value
    }),
    effect(() => {
      view.setAttribute('aria-label', words.value.view.desktop)
      view.setAttribute('aria-description', words.value.view.keys)
    }),
    effect(() => {
      view.scrollSpeed = scrollSpeed.value * (invertScroll.value ? -1 : 1)
      view.touchMode = touchMode.value
    }),
    effect(() => {
      view.viewOnly = model.isInputLocked.value || model.invitation.look === 'cast'
    }),
  ]
  return () => {
    for (const stop of stops) {
      stop()
    }
    view.remove()
  }
}
