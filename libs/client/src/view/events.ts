import type { ScreenSize } from '@neko-edge/protocol'
import type { Connection } from '../connection.ts'
import type { ControlVerdict } from '../room.ts'

/** The events of `<neko-view>` with what each has in `detail`. They do not bubble, as those of `<video>` do not. */
export interface NekoViewEvents {
  /** The connection stands otherwise than before; where something is wrong, `connection.trouble` says what. */
  statechange: { readonly connection: Connection }
  /** Somebody else is at the controls, or nobody (`id` and `name` are `undefined` then). */
  controlchange: { readonly isMine: boolean; readonly id: string | undefined; readonly name: string | undefined }
  /** Somebody asks for the controls, which one has: `view.giveControl(id)` hands them over. */
  controlrequest: { readonly id: string; readonly name: string }
  /** A click or key could not reach the desktop, and why. */
  controlrefused: { readonly why: ControlVerdict }
  /** The desktop has another size. */
  screenchange: ScreenSize
  /** Something was copied in the desktop; only whoever has the controls hears it. */
  clipboardchange: { readonly text: string }
  /** The browser allows sound only after a click: the element has muted itself. */
  soundblocked: null
  /** The person has stopped the picture, here or in the browser's own controls, or lets it go on. */
  pausechange: { readonly isPaused: boolean }
  volumechange: { readonly volume: number; readonly muted: boolean }
  /** The view was magnified, moved or shown whole by fingers. */
  zoomchange: { readonly isZoomed: boolean }
  /** The keyboard of a touch screen was opened, or the person has closed it. */
  keyboardchange: { readonly isShown: boolean }
  /** Ctrl+Alt+Shift: somebody who has only a keyboard wants to leave the picture (WCAG 2.1.2). */
  leavefocus: null
}

/** What listens to one of these events. */
export type NekoViewListener<K extends keyof NekoViewEvents> = (event: CustomEvent<NekoViewEvents[K]>) => void
