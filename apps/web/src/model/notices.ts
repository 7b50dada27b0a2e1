import { signal } from '@preact/signals'

export interface Notice {
  readonly id: number
  readonly text: string
  readonly actions: readonly { readonly label: string; readonly run: () => void }[]
}

/** How long a notice stays, in milliseconds; one that asks something stays longer. */
const shownMs = 4_000
const askingMs = 20_000
const mostNotices = 4

/** Short messages that come and go in the corner. */
export class Notices {
  readonly all = signal<readonly Notice[]>([])
  #next = 1

  /** Shows a text; the same text again replaces the former. Gives what to dismiss it by. */
  show(text: string, actions: Notice['actions'] = []): number {
    const id = this.#next++
    this.all.value = [...this.all.value.filter((notice) => notice.text !== text), { id, text, actions }].slice(-mostNotices)
    setTimeout(() => this.dismiss(id), actions.length > 0 ? askingMs : shownMs)
    return id
  }

  dismiss(id: number): void {
    this.all.value = this.all.value.filter((notice) => notice.id !== id)
  }
}
