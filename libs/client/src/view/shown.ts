import type { NekoClient } from '../client.ts'
import { ClipboardSync } from './clipboard-sync.ts'
import type { NekoViewEvents } from './events.ts'
import { KeyboardInput } from './keyboard-input.ts'
import { OtherCursors } from './others.ts'
import { Picture } from './picture.ts'
import { PointerInput } from './pointer-input.ts'
import type { Skeleton } from './skeleton.ts'

export interface ShowOptions {
  readonly client: NekoClient
  readonly frame: HTMLElement
  readonly parts: Skeleton
  readonly tell: <K extends keyof NekoViewEvents>(type: K, detail: NekoViewEvents[K]) => void
  /** The picture moved or changed its size. */
  readonly onDraw: () => void
}

/** What of an element lives as long as it shows one client. */
export interface Shown {
  readonly client: NekoClient
  readonly picture: Picture
  readonly pointer: PointerInput
  readonly keyboard: KeyboardInput
  readonly clipboard: ClipboardSync
  /** Lets go of everything that is held in the desktop, and listens to nothing any more. */
  readonly close: () => void
}

/** Shows a client in an element, and takes input on it. */
export function show({ client, frame, parts, tell, onDraw }: ShowOptions): Shown {
  const { video, cursor, surface, others } = parts
  const picture = new Picture({
    parts: { frame, video, cursor },
    client,
    onSoundBlocked: () => tell('soundblocked', null),
    onHold: () => tell('pausechange', { isPaused: picture.isHeld }),
    onZoom: () => tell('zoomchange', { isZoomed: picture.zoom.scale > 1 }),
  })
  const keyboard = new KeyboardInput({ surface, client, onEscape: () => tell('leavefocus', null) })
  const pointer = new PointerInput({ surface, client, picture, holdsControl: () => keyboard.holdsControl })
  const clipboard = new ClipboardSync(client, surface)
  const cursors = new OtherCursors({ layer: others, client, picture })
  picture.onDraw = () => {
    cursors.draw()
    onDraw()
  }
  const tellVolume = () => client.setVolume(video.muted ? 0 : video.volume)
  tellVolume()
  video.addEventListener('volumechange', tellVolume)
  const stops = [
    () => video.removeEventListener('volumechange', tellVolume),
    client.cursor.image.watch(onDraw),
    client.control.onRefused((why) => tell('controlrefused', { why })),
    tellMessages(client, tell),
  ]
  const close = () => {
    for (const stop of stops) {
      stop()
    }
    for (const part of [keyboard, pointer, picture, clipboard, cursors]) {
      part.close()
    }
  }
  return { client, picture, pointer, keyboard, clipboard, close }
}

function tellMessages(client: NekoClient, tell: ShowOptions['tell']): () => void {
  return client.onMessage((message) => {
    if (message.event === 'screen/updated') {
      const { width, height, rate } = message.payload
      tell('screenchange', { width, height, rate })
    } else if (message.event === 'clipboard/updated') {
      tell('clipboardchange', { text: message.payload.text })
    } else if (message.event === 'control/request') {
      const { id } = message.payload
      tell('controlrequest', { id, name: client.room.value?.sessions.get(id)?.profile.name ?? '' })
    }
  })
}
