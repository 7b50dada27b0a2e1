import { canonicalKeysym } from './keysym.ts'

/** Keycodes as the rules `evdev` number them. */
const f13 = 191
const f24 = 202
/** The upper half of XFree86's keysyms, such as XF86Launch5. */
const vendorPage = 0x1008

/** Which modifiers a type of key looks at, and the level that each combination of them gives; any other gives level 0. */
export interface KeyType {
  readonly mask: number
  readonly levels: ReadonlyMap<number, number>
}

/** One key: its keysyms, `width` of them for each group, and the number of each group's type. */
export interface Key {
  readonly keycode: number
  readonly groups: number
  readonly width: number
  readonly types: readonly number[]
  readonly keysyms: readonly number[]
}

/** Modifiers in force (the 8 bits of X) and the group that the keyboard is in. */
export interface KeyState {
  readonly mods: number
  readonly group: number
}

/** What the keys of a keyboard mean: the part of XKB's map that turns keysyms into keycodes. */
export class Keymap {
  readonly #types: readonly KeyType[]
  readonly #keys: ReadonlyMap<number, Key>
  /** For each state that was asked for: keysym to the first keycode that gives it. */
  readonly #indexes = new Map<number, ReadonlyMap<number, number>>()

  constructor(types: readonly KeyType[], keys: readonly Key[]) {
    this.#types = types
    this.#keys = new Map(keys.map((key) => [key.keycode, key]))
  }

  /** The first key that gives this keysym in this state. */
  find(keysym: number, state: KeyState): number | undefined {
    const id = state.mods | (state.group << 8)
    let index = this.#indexes.get(id)
    if (index === undefined) {
      index = this.#indexFor(state)
      this.#indexes.set(id, index)
    }
    return index.get(canonicalKeysym(keysym))
  }

  /** What a key means in a state; 0 for nothing. */
  keysym(keycode: number, state: KeyState): number {
    const key = this.#keys.get(keycode)
    if (key === undefined || key.groups === 0) {
      return 0
    }
    // A group that the key does not have wraps around, XKB's default.
    const group = state.group % key.groups
    const type = this.#types[key.types[group] ?? 0]
    const level = type?.levels.get(state.mods & type.mask) ?? 0
    return key.keysyms[group * key.width + level] ?? 0
  }

  /** Keycodes that may be lent: those without meaning, and F13 to F24 where the layout has launchers that no browser sends. */
  free(): number[] {
    const isLauncher = ({ keycode, keysyms: [keysym = 0] }: Key) => keycode >= f13 && keycode <= f24 && keysym >>> 16 === vendorPage
    return [...this.#keys.values()]
      .filter((key) => key.groups === 0 || isLauncher(key))
      .map((key) => key.keycode)
      .reverse()
  }

  #indexFor(state: KeyState): ReadonlyMap<number, number> {
    const index = new Map<number, number>()
    for (const keycode of this.#keys.keys()) {
      const keysym = canonicalKeysym(this.keysym(keycode, state))
      if (keysym !== 0 && !index.has(keysym)) {
        index.set(keysym, keycode)
      }
    }
    return index
  }
}
