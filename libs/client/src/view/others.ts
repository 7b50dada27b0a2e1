import type { NekoClient } from '../client.ts'
import { pagePoint } from './mapping.ts'
import type { Picture } from './picture.ts'

/** Where the others point, with their names; who has the controls has the desktop's own pointer. */
export class OtherCursors {
  readonly #layer: HTMLElement
  readonly #client: NekoClient
  readonly #picture: Picture
  readonly #marks = new Map<string, HTMLElement>()
  readonly #stop: () => void

  constructor({ layer, client, picture }: { layer: HTMLElement; client: NekoClient; picture: Picture }) {
    this.#layer = layer
    this.#client = client
    this.#picture = picture
    this.#stop = client.cursor.others.watch(() => this.draw())
  }

  draw(): void {
    const room = this.#client.room.value
    const shown = this.#client.cursor.others.value.filter(({ id }) => id !== room?.me && id !== room?.host)
    const gone = new Set(this.#marks.keys())
    const frame = this.#layer.getBoundingClientRect()
    const { rect, screen } = this.#picture
    for (const { id, x, y } of shown) {
      gone.delete(id)
      const mark = this.#marks.get(id) ?? this.#add(id)
      const name = room?.sessions.get(id)?.profile.name ?? ''
      if (mark.textContent !== name) {
        mark.textContent = name
      }
      const at = pagePoint({ x, y }, rect, screen)
      mark.style.transform = `translate(${at.x - frame.left}px, ${at.y - frame.top}px)`
    }
    for (const id of gone) {
      this.#marks.get(id)?.remove()
      this.#marks.delete(id)
    }
  }

  close(): void {
    this.#stop()
    this.#layer.replaceChildren()
    this.#marks.clear()
  }

  #add(id: string): HTMLElement {
    const mark = document.createElement('span')
    mark.setAttribute('part', 'other-cursor')
    mark.dataset['session'] = id
    this.#layer.append(mark)
    this.#marks.set(id, mark)
    return mark
  }
}
