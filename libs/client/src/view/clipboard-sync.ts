import type { NekoClient } from '../client.ts'
import { profileOf } from '../room.ts'

/**
 * Brings one's own clipboard into the desktop while one has the controls, where the browser allows reading it without asking. Elsewhere
 * Ctrl+V brings it (keyboard-input.ts).
 */
export class ClipboardSync {
  readonly #client: NekoClient
  readonly #abort = new AbortController()
  /** What the desktop has, as far as is known: it is not told again. */
  #told: string | undefined

  constructor(client: NekoClient, surface: HTMLElement) {
    this.#client = client
    const { signal } = this.#abort
    const bring = () => void this.bring()
    window.addEventListener('focus', bring, { signal })
    surface.addEventListener('pointerenter', bring, { signal })
  }

  /** Reads the clipboard and sets the desktop's where it changed. */
  async bring(): Promise<void> {
    const room = this.#client.room.value
    const isMine = room !== undefined && room.host === room.me && profileOf(room)?.can_access_clipboard === true
    if (!isMine || !document.hasFocus() || !(await isReadable())) {
      return
    }
    // An image, or nothing at all, reads as a refusal: then there is no text to bring.
    const text = await navigator.clipboard.readText().catch(() => '')
    if (text !== '' && text !== this.#told && text !== this.#client.room.value?.clipboard) {
      this.#told = text
      this.#client.control.setClipboard(text)
    }
  }

  close(): void {
    this.#abort.abort()
  }
}

async function isReadable(): Promise<boolean> {
  if (!('clipboard' in navigator) || !('permissions' in navigator)) {
    return false
  }
  try {
    // The DOM library does not know this name, which only Chromium has.
    const status = await navigator.permissions.query({ name: 'clipboard-read' as PermissionName })
    return status.state === 'granted'
  } catch {
    return false
  }
}

/** Pastes in the desktop: a text, with the same as HTML where there is formatting. */
export function pasteIn({ api, control }: NekoClient, { text, html }: { text: string; html: string }): void {
  const plain = () => control.paste(text)
  if (html === '') {
    plain()
    return
  }
  // What lies in the clipboard is pasted by an empty text.
  api.setClipboard({ text, html }).then(() => control.paste(''), plain)
}
