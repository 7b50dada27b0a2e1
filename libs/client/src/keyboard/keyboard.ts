import { isCharacter, type KeyStroke, keysymOf, keysymOfCharacter } from './keysym.ts'

/** A key event as the browser tells it. */
export interface KeyEventLike extends KeyStroke {
  readonly isComposing: boolean
  readonly repeat: boolean
}

export interface KeyboardOptions {
  mac: boolean
  /** Presses or lets go of one keysym in the desktop. */
  press: (keysym: number, down: boolean) => void
  /** Caps and Num Lock as they are now; told when they change. */
  locks: (state: { capslock: boolean; numlock: boolean }) => void
}

const lockKeys = new Set(['CapsLock', 'NumLock'])
const modifierKeys = new Set(['Shift', 'Control', 'Alt', 'Meta', 'OS', 'AltGraph', 'Hyper', 'Super', 'Fn'])

const modifiers = [
  { flag: 'ctrlKey', key: 'Control' },
  { flag: 'shiftKey', key: 'Shift' },
  { flag: 'altKey', key: 'Alt' },
  { flag: 'metaKey', key: 'Meta' },
] as const

/**
 * Turns the keys of a browser into keysyms held in the desktop. A key lets go of the keysym that it pressed, whatever it means by then;
 * modifiers follow the flags of every event, so that none sticks when its release happened elsewhere; `releaseAll` empties the hands.
 */
export class Keyboard {
  readonly #options: KeyboardOptions
  /** The keysym that each held key pressed, by its place on the keyboard. */
  readonly #held = new Map<string, number>()
  #locks: { capslock: boolean; numlock: boolean } | undefined

  constructor(options: KeyboardOptions) {
    this.#options = options
  }

  /** Takes a key going down; gives false where the browser must see it: it composes a character, or means nothing to the desktop. */
  down(event: KeyEventLike): boolean {
    if (event.isComposing) {
      return false
    }
    this.#followLocks(event)
    if (lockKeys.has(event.key)) {
      return true
    }
    const keysym = keysymOf(event, this.#options)
    if (keysym === undefined) {
      return false
    }
    this.#followModifiers(event)
    if (event.key === 'AltGraph') {
      // Windows says Ctrl before every AltGr; nobody pressed it.
      this.#release('ControlLeft')
    } else if (isCharacter(event.key) && this.#makesCharacters(event)) {
      this.#releaseCharacterModifiers()
    }
    const place = placeOf(event)
    if (this.#options.mac && event.metaKey && !modifierKeys.has(event.key)) {
      // macOS never tells of the release of a key while Command is held.
      this.tap(keysym)
    } else if (!this.#held.has(place)) {
      this.#held.set(place, keysym)
      this.#options.press(keysym, true)
    }
    return true
  }

  /** Takes a key coming up; gives false where it was not one of ours. */
  up(event: KeyEventLike): boolean {
    this.#followLocks(event)
    const isOurs = this.#release(placeOf(event))
    if (!modifierKeys.has(event.key)) {
      this.#followModifiers(event)
    }
    return isOurs || lockKeys.has(event.key)
  }

  /** Types text that was composed, dictated or chosen, character by character. */
  type(text: string): void {
    for (const character of text) {
      const keysym = keysymOfCharacter(character)
      if (keysym !== undefined) {
        this.tap(keysym)
      }
    }
  }

  /** Presses and lets go of one keysym. */
  tap(keysym: number): void {
    this.#options.press(keysym, true)
    this.#options.press(keysym, false)
  }

  /** Lets go of everything: the window lost the keyboard, or oneself the controls. */
  releaseAll(): void {
    for (const place of [...this.#held.keys()]) {
      this.#release(place)
    }
  }

  /** The desktop has let go of everything by itself: nothing to send, nothing held. */
  forgetAll(): void {
    this.#held.clear()
  }

  get holdsControl(): boolean {
    return this.#held.has('ControlLeft') || this.#held.has('ControlRight')
  }

  /** The locks of the desktop may have changed: the next event tells them again. */
  forgetLocks(): void {
    this.#locks = undefined
  }

  #followLocks(event: KeyEventLike): void {
    const now = { capslock: event.getModifierState('CapsLock'), numlock: event.getModifierState('NumLock') }
    const before = this.#locks
    if (before?.capslock !== now.capslock || before.numlock !== now.numlock) {
      this.#locks = now
      this.#options.locks(now)
    }
  }

  #release(place: string): boolean {
    const keysym = this.#held.get(place)
    if (keysym === undefined) {
      return false
    }
    this.#held.delete(place)
    this.#options.press(keysym, false)
    return true
  }

  /** AltGr, or Option on a Mac, chose the character: the desktop gets the character without the modifier. */
  #makesCharacters(event: KeyEventLike): boolean {
    return event.getModifierState('AltGraph') || (this.#options.mac && event.altKey)
  }

  #releaseCharacterModifiers(): void {
    for (const place of ['AltRight', ...(this.#options.mac ? ['AltLeft'] : [])]) {
      this.#release(place)
    }
  }

  #followModifiers(event: KeyEventLike): void {
    const isCharacterMaker = this.#makesCharacters(event)
    for (const { flag, key } of modifiers) {
      if (event.key === key) {
        continue
      }
      const places = [`${key}Left`, `${key}Right`]
      const isHeld = places.some((place) => this.#held.has(place))
      if (isHeld && !event[flag] && !isCharacterMaker) {
        for (const place of places) {
          this.#release(place)
        }
      } else if (!isHeld && event[flag] && !isCharacterMaker && !modifierKeys.has(event.key)) {
        this.#pressModifier(key, event)
      }
    }
  }

  #pressModifier(key: string, event: KeyEventLike): void {
    const code = `${key}Left`
    const keysym = keysymOf({ ...plain, key, code }, this.#options)
    // Shift that made a character is in the character already.
    if (keysym !== undefined && !(key === 'Shift' && isCharacter(event.key))) {
      this.#held.set(code, keysym)
      this.#options.press(keysym, true)
    }
  }
}

const plain = { location: 1, ctrlKey: false, shiftKey: false, altKey: false, metaKey: false, getModifierState: () => false }

// Keyboards on a screen have no code.
const placeOf = (event: KeyStroke) => event.code || `key ${event.key}`
