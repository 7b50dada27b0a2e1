import { type Clock, delay, messageOf } from '@neko-edge/kit'
import type { XkbState } from 'x11'
import type { XConnection } from './connection.ts'
import { Held } from './held.ts'
import type { InputOrder } from './input-order.ts'
import { Keymap, type KeyState } from './keymap.ts'
import { isModifierKeysym, keysyms } from './keysym.ts'
import { SpareKeycodes } from './spare-keycodes.ts'
import { announceKeyboard } from './xkb-announce.ts'
import { readKeymap } from './xkb-map.ts'

const keyPress = 2
const keyRelease = 3
const shiftMask = 1
const newKeyboardNotify = 0
const mapNotify = 1
/** NewKeyboardNotify, MapNotify and StateNotify as bits, and for MapNotify types and keysyms. */
const watchedEvents = 0b111
const watchedParts = 0b011
/** Applications get this long to read the map after a key was given a new meaning, before it is pressed. */
const newMeaningMs = 10

/**
 * Keys by keysym, pressed through XTEST. The server makes such events come from its "XTEST keyboard" device, so applications
 * that listen to XInput 2 alone (GTK 3, Firefox) get them too.
 */
export class Keyboard {
  readonly #connection: XConnection
  readonly #order: InputOrder
  readonly #clock: Clock
  readonly #announcement: Buffer
  readonly #held = new Held<number, number>()
  readonly #spares = new SpareKeycodes()
  #keymap = new Keymap([], [])
  #state: KeyState = { mods: 0, group: 0 }
  #reading: Promise<void> | undefined
  #isMapStale = false

  private constructor(connection: XConnection, { order, clock, name }: { order: InputOrder; clock: Clock; name: number }) {
    this.#connection = connection
    this.#order = order
    this.#clock = clock
    const { majorOpcode, UseCoreKbd: device } = connection.xkb
    this.#announcement = announceKeyboard({ majorOpcode, device, name })
  }

  /** Reads the map and follows its changes and those of the modifiers. */
  static async open(connection: XConnection, options: { order: InputOrder; clock: Clock }): Promise<Keyboard> {
    const keyboard = new Keyboard(connection, { ...options, name: await connection.atom('neko') })
    connection.onEvent((event) => {
      if (event.name === 'XkbStateNotify') {
        keyboard.#state = event
      } else if (event.name === 'XkbEvent' && (event.xkbType === mapNotify || event.xkbType === newKeyboardNotify)) {
        keyboard.#isMapStale = true
        keyboard.refresh().catch((error: unknown) => connection.log.warn({ error: messageOf(error) }, 'keyboard map not read'))
      }
    })
    connection.send(() => {
      const { xkb } = connection
      xkb.SelectEvents(xkb.UseCoreKbd, watchedEvents, 0, watchedEvents, watchedParts, watchedParts)
    })
    keyboard.#isMapStale = true
    await keyboard.refresh()
    await keyboard.readState()
    return keyboard
  }

  /** Presses or releases a key by keysym, after all input that came before. */
  key(keysym: number, isDown: boolean): void {
    if (Number.isInteger(keysym) && keysym > 0 && keysym <= 0xffff_ffff) {
      this.#order.run(() => (isDown ? this.#press(keysym) : this.#release(keysym)))
    }
  }

  releaseAll(): void {
    this.#order.run(() => {
      for (const keysym of this.#held.ids()) {
        this.#release(keysym)
      }
    })
  }

  /** Releases keys whose key-up was lost. */
  releaseOverdue(): void {
    for (const keysym of this.#held.overdue(this.#clock.now())) {
      this.key(keysym, false)
    }
  }

  /** Asks the server which modifiers are in force; input waits for it. */
  readState(): Promise<XkbState> {
    const { xkb } = this.#connection
    const reading = this.#connection.ask<XkbState>('the keyboard state', (_, callback) => xkb.GetState(xkb.UseCoreKbd, callback))
    const applied = reading.then((state) => {
      this.#state = state
      return state
    })
    this.#order.holdFor(applied)
    return applied
  }

  /** Reads the map again where it changed; input waits for it. */
  refresh(): Promise<void> {
    if (this.#reading === undefined) {
      this.#reading = this.#readMap().finally(() => {
        this.#reading = undefined
      })
      this.#order.holdFor(this.#reading)
    }
    return this.#reading
  }

  /** Locks or unlocks the modifiers in `mask` (X bits) in the order of input; resolves once that is in force. */
  lock(mask: number, locked: number): Promise<void> {
    const { xkb } = this.#connection
    return new Promise((resolve, reject) => {
      this.#order.run(() => {
        this.#connection.send(() => xkb.LatchLockState(xkb.UseCoreKbd, mask, locked, false, 0, 0, 0, false, 0))
        this.readState().then(() => resolve(), reject)
      })
    })
  }

  /** The modifiers that were in force when last heard of. */
  get mods(): number {
    return this.#state.mods
  }

  async #readMap(): Promise<void> {
    while (this.#isMapStale) {
      this.#isMapStale = false
      this.#keymap = await readKeymap(this.#connection)
      this.#spares.adopt(this.#keymap)
    }
  }

  #press(keysym: number): void {
    if (this.#held.has(keysym)) {
      return
    }
    const keycode = this.#keycodeFor(keysym) ?? this.#lend(keysym)
    if (keycode === undefined) {
      this.#connection.log.warn({}, 'no spare keycode for a key')
      return
    }
    this.#spares.use(keycode)
    this.#held.add(keysym, keycode, this.#clock.now())
    this.#order.runNext(() => this.#fake(keyPress, keysym, keycode))
  }

  #release(keysym: number): void {
    // The keycode of the press: modifiers or map may have changed since.
    const keycode = this.#held.take(keysym)
    if (keycode !== undefined) {
      this.#fake(keyRelease, keysym, keycode)
    }
  }

  #fake(type: number, keysym: number, keycode: number): void {
    this.#connection.send(() => this.#connection.xtest.FakeInput(type, keycode, 0, 0, 0, 0))
    if (isModifierKeysym(keysym)) {
      this.readState().catch((error: unknown) => this.#connection.log.debug({ error: messageOf(error) }, 'keyboard state not read'))
    }
  }

  #keycodeFor(keysym: number): number | undefined {
    return this.#keymap.find(keysym, this.#state) ?? this.#alternativeFor(keysym) ?? this.#spares.find(keysym)
  }

  #alternativeFor(keysym: number): number | undefined {
    if (keysym === keysyms.tab && (this.#state.mods & shiftMask) !== 0) {
      return this.#keymap.find(keysyms.isoLeftTab, this.#state)
    }
    // Shift turns the Alt key into Meta on most layouts; for a key that is only held, the one of the plain level will do.
    return isModifierKeysym(keysym) ? this.#keymap.find(keysym, { mods: 0, group: 0 }) : undefined
  }

  #lend(keysym: number): number | undefined {
    const keycode = this.#spares.lend(keysym, (code) => this.#held.some((held) => held === code))
    if (keycode !== undefined) {
      // Twice: the same with and without Shift, so that `A` needs no Shift and a held one does not change `é`.
      this.#connection.send((x) => x.ChangeKeyboardMapping(keycode, 2, [keysym, keysym]))
      this.#connection.sendRaw(this.#announcement)
      this.#order.holdFor(delay(newMeaningMs))
    }
    return keycode
  }
}
