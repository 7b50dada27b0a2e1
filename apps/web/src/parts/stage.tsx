import type { NekoView } from '@neko-edge/client/view'
import { effect, useSignalEffect } from '@preact/signals'
import { useEffect, useRef } from 'preact/hooks'
import type { Model } from '../model/model.ts'
import { words } from '../words/words.ts'
import { Overlay } from './overlay.tsx'
import { Statistics } from './statistics.tsx'

/** The picture, with what is said over it. */
export function Stage({ model, onView }: { model: Model; onView: (view: NekoView | undefined) => void }) {
  const frame = useRef<HTMLDivElement>(null)
  useEffect(() => {
    let isGone = false
    let remove = () => {}
    // The view is code of its own: the login page paints without it.
    void import('@neko-edge/client/view').then(({ NekoView }) => {
      if (!isGone && frame.current) {
        remove = place({ view: new NekoView(), frame: frame.current, model })
        onView(frame.current.querySelector<NekoView>('neko-view') ?? undefined)
      }
    })
    return () => {
      isGone = true
      remove()
      onView(undefined)
    }
  }, [model])
  useSignalEffect(() => {
    frame.current?.classList.toggle('dim', model.connection.value.is !== 'live')
  })
  return (
    <div class="stage">
      <div class="picture" ref={frame} />
      {model.showsStatistics.value && <Statistics model={model} />}
      <Overlay model={model} />
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
    </div>
  )
}

function place({ view, frame, model }: { view: NekoView; frame: HTMLElement; model: Model }): () => void {
  view.client = model.client
  view.label = words.value.view.desktop
  view.addEventListener('soundblocked', () => {
    model.isSoundBlocked.value = true
    model.isMuted.value = true
  })
  view.addEventListener('leavefocus', () => document.querySelector<HTMLElement>('.bar button')?.focus())
  frame.append(view)
  const stopSound = effect(() => view.setSound({ muted: model.isMuted.value, volume: model.volume.value }))
  return () => {
    stopSound()
    view.remove()
  }
}
