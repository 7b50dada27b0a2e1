import type { NekoView } from '@neko-edge/client/view'
import { useEffect, useRef } from 'preact/hooks'
import type { Model } from '../model/model.ts'
import { Bar } from './bar.tsx'
import { FileDialog } from './file-dialog.tsx'
import { Head } from './head.tsx'
import { Side } from './side.tsx'
import { Stage } from './stage.tsx'

/** The room: who one is with, the picture, and what one can do. */
export function Room({ model }: { model: Model }) {
  const root = useRef<HTMLDivElement>(null)
  const view = useRef<NekoView | undefined>(undefined)
  useEffect(() => {
    const changed = () => {
      model.isFullscreen.value = document.fullscreenElement !== null
    }
    document.addEventListener('fullscreenchange', changed)
    return () => document.removeEventListener('fullscreenchange', changed)
  }, [model])
  const { look } = model.invitation
  const isFramed = look !== 'page'
  const room = model.room.value
  const host = room?.host === undefined ? 'none' : room.host === room.me ? 'me' : 'other'
  return (
    <div
      class="room"
      data-look={look}
      ref={root}
      data-state={model.connection.value.is}
      data-host={host}
      data-control={model.verdict.value}
      data-me={room?.me}
    >
      {!isFramed && <Head model={model} />}
      <Stage
        model={model}
        onView={(now) => {
          view.current = now
        }}
      />
      {!isFramed && <Side model={model} />}
      {look !== 'cast' && (
        <Bar
          model={model}
          view={() => view.current}
          onFullscreen={() => void toggleFullscreen(root.current).then(() => view.current?.focus())}
        />
      )}
      {look !== 'cast' && <NoticeList model={model} />}
      <FileDialog model={model} />
    </div>
  )
}

async function toggleFullscreen(element: HTMLElement | null): Promise<void> {
  if (document.fullscreenElement) {
    await document.exitFullscreen()
    return
  }
  // A browser that refuses (an iPhone, a frame without the right) leaves everything as it is.
  await element?.requestFullscreen({ navigationUI: 'hide' }).catch(() => {})
  await lockKeys().catch(() => {})
}

/** In full screen Chromium hands over Escape, Alt+Tab and the like, until Escape is held. */
async function lockKeys(): Promise<void> {
  const { keyboard } = navigator as Navigator & { keyboard?: { lock?: () => Promise<void> } }
  if (document.fullscreenElement) {
    await keyboard?.lock?.()
  }
}

function NoticeList({ model }: { model: Model }) {
  const { notices } = model
  return (
    <div class="notices" role="log" aria-live="polite">
      {notices.all.value.map((notice) => (
        <div class="notice" key={notice.id}>
          <span>{notice.text}</span>
          {notice.actions.map((action) => (
            <button
              type="button"
              key={action.label}
              onClick={() => {
                action.run()
                notices.dismiss(notice.id)
              }}
            >
              {action.label}
            </button>
          ))}
        </div>
      ))}
    </div>
  )
}
