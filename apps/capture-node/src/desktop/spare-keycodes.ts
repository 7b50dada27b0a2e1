import type { Keymap } from './keymap.ts'
import { canonicalKeysym } from './keysym.ts'

/**
 * Lends keycodes that the layout leaves unused to keysyms that it lacks (é on a US keyboard), and takes back the one that was
 * used longest ago. A keycode stays lent after the key is up: applications look up the meaning of a key when they get
 * to it, which may be later. One that is held is never taken back.
 */
export class SpareKeycodes {
  /** Keysym by keycode, in the order of use; 0 where it was never lent. */
  #lent = new Map<number, number>()

  /** Takes over what a new map left: keycodes without meaning, and those that still mean what they were lent for. */
  adopt(keymap: Keymap): void {
    const state = { mods: 0, group: 0 }
    const kept = [...this.#lent].filter(
      ([keycode, keysym]) => keysym !== 0 && canonicalKeysym(keymap.keysym(keycode, state)) === canonicalKeysym(keysym),
    )
    const free = keymap.free().map((keycode) => [keycode, 0] as const)
    this.#lent = new Map([...free, ...kept])
  }

  /** The keycode that already means this keysym. */
  find(keysym: number): number | undefined {
    return [...this.#lent].find(([, lent]) => lent === keysym)?.[0]
  }

  /** A keycode is being pressed; where it is a lent one, it is the last to be taken back. */
  use(keycode: number): void {
    const keysym = this.#lent.get(keycode)
    if (keysym !== undefined && keysym !== 0) {
      this.#touch(keycode, keysym)
    }
  }

  /** Lends a keycode that is not held; `undefined` when all are. The caller tells the X server what it means now. */
  lend(keysym: number, isHeld: (keycode: number) => boolean): number | undefined {
    for (const keycode of this.#lent.keys()) {
      if (!isHeld(keycode)) {
        this.#touch(keycode, keysym)
        return keycode
      }
    }
    return undefined
  }

  #touch(keycode: number, keysym: number): void {
    this.#lent.delete(keycode)
    this.#lent.set(keycode, keysym)
  }
}
