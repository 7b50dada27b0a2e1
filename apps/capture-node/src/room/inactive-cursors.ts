import type { Clock } from '@neko-edge/kit'

/** How often the cursors of those without the controls are shown, in milliseconds. */
const flushMs = 750

export type CursorList = { id: string; cursors: { x: number; y: number }[] }[]

/** Positions that one session may pile up between two flushes; a client sends about three. */
const maxPositions = 64

/**
 * The cursors of those who are not at the controls: collected, and shown together. An empty list says once that there are
 * none any more; then there is silence.
 */
export class InactiveCursors {
  readonly #positions = new Map<string, { x: number; y: number }[]>()
  readonly #stop: () => void
  #wasEmpty = false

  constructor({ clock, isOn, flush }: { clock: Clock; isOn: () => boolean; flush: (cursors: CursorList) => void }) {
    this.#stop = clock.every(flushMs, () => {
      const cursors = isOn() ? [...this.#positions].map(([id, list]) => ({ id, cursors: list })) : []
      this.#positions.clear()
      if (cursors.length > 0 || !this.#wasEmpty) {
        flush(cursors)
      }
      this.#wasEmpty = cursors.length === 0
    })
  }

  add(id: string, position: { x: number; y: number }): void {
    const list = this.#positions.get(id) ?? []
    if (list.length < maxPositions) {
      list.push(position)
    }
    this.#positions.set(id, list)
  }

  close(): void {
    this.#stop()
  }
}
