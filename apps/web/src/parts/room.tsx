import type { NekoView } from '@neko-edge/client/view'
import { useEffect, useRef } from 'preact/hooks'
import type { Model } from '../model/model.ts'
import { words } from '../words/words.ts'
import { Bar } from './bar.tsx'
import { Icon, Mark } from './icons.tsx'
import { People } from './people.tsx'
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
  const room = model.room.value
  const host = room?.host === undefined ? 'none' : room.host === room.me ? 'me' : 'other'
  return (
    <div
      class="room"
      ref={root}
      data-state={model.connection.value.is}
      data-host={host}
      data-control={model.verdict.value}
      data-me={room?.me}
    >
      <Head model={model} />
      <Stage
        model={model}
        onView={(now) => {
          view.current = now
        }}
      />
      {model.showsPeople.value && <People model={model} />}
      <Bar
        model={model}
        view={() => view.current}
        onFullscreen={() => void toggleFullscreen(root.current).then(() => view.current?.focus())}
      />
      <NoticeList model={model} />
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

function Head({ model }: { model: Model }) {
  const text = words.value
  const people = [...(model.room.value?.sessions.values() ?? [])].filter((session) => session.state.is_connected).length
  const leave = () => {
    void model.client.logout()
  }
  return (
    <header class="head">
      <span class="brand">
        <Mark />
        neko
      </span>
      <Status model={model} />
      <span class="spring" />
      <button
        type="button"
        class="quiet"
        aria-label={`${model.showsPeople.value ? text.people.hide : text.people.show} (${text.people.count(people)})`}
        aria-expanded={model.showsPeople.value}
        onClick={() => {
          model.showsPeople.value = !model.showsPeople.value
        }}
      >
        <Icon name="people" />
        <span>{people}</span>
      </button>
      <button type="button" class="quiet" aria-label={text.leave} title={text.leave} onClick={leave}>
        <Icon name="leave" />
        <span class="wide-only">{text.leave}</span>
      </button>
    </header>
  )
}

function Status({ model }: { model: Model }) {
  const connection = model.connection.value
  const delay = model.roundTripMs.value
  return (
    <span class="status" data-state={connection.is}>
      <span class="dot" aria-hidden="true" />
      <span role="status">{words.value.state[connection.is]}</span>
      {connection.is === 'live' && delay !== undefined && <span class="muted">{Math.round(delay)} ms</span>}
    </span>
  )
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
