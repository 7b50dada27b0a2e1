import type { Clock } from '@neko-edge/kit'
import type { XConnection } from './connection.ts'
import type { Position } from './desktop.ts'
import { Held } from './held.ts'
import type { InputOrder } from './input-order.ts'
import type { Keyboard } from './keyboard.ts'

const buttonPress = 4
const buttonRelease = 5
const motionNotify = 6
const controlMask = 4
/** One message of a client may not ask for more clicks than this. */
const maxClicks = 100

/** Buttons that are clicks of the wheel. */
const wheel = { up: 4, down: 5, left: 6, right: 7 } as const

const clamp = (value: number, low: number, high: number) => Math.max(low, Math.min(high, Math.trunc(value) || 0))

/** The pointer and its buttons, through XTEST. */
export class Pointer {
  readonly #connection: XConnection
  readonly #order: InputOrder
  readonly #keyboard: Keyboard
  readonly #clock: Clock
  readonly #held = new Held<number, true>()

  constructor(connection: XConnection, { order, keyboard, clock }: { order: InputOrder; keyboard: Keyboard; clock: Clock }) {
    this.#connection = connection
    this.#order = order
    this.#keyboard = keyboard
    this.#clock = clock
  }

  /** To a pixel of the root window; X keeps it inside. */
  move(x: number, y: number): void {
    // INT16 on the wire.
    this.#order.run(() => this.#fake(motionNotify, 0, { x: clamp(x, 0, 32_767), y: clamp(y, 0, 32_767) }))
  }

  button(code: number, isDown: boolean): void {
    if (Number.isInteger(code) && code > 0 && code <= 255) {
      this.#order.run(() => (isDown ? this.#press(code) : this.#release(code)))
    }
  }

  scroll(deltaX: number, deltaY: number, withControl: boolean): void {
    const x = clamp(deltaX, -maxClicks, maxClicks)
    const y = clamp(deltaY, -maxClicks, maxClicks)
    this.#order.run(() => {
      // A Control that is held or locked already is not ours to unlock.
      const locks = withControl && (this.#keyboard.mods & controlMask) === 0
      if (locks) {
        this.#lockControl(controlMask)
      }
      this.#click(y > 0 ? wheel.up : wheel.down, Math.abs(y))
      this.#click(x > 0 ? wheel.left : wheel.right, Math.abs(x))
      if (locks) {
        this.#lockControl(0)
      }
    })
  }

  releaseAll(): void {
    this.#order.run(() => {
      for (const code of this.#held.ids()) {
        this.#release(code)
      }
    })
  }

  /** Releases buttons whose button-up was lost. */
  releaseOverdue(): void {
    for (const code of this.#held.overdue(this.#clock.now())) {
      this.button(code, false)
    }
  }

  /** Where the pointer is, after all input so far. */
  async position(): Promise<Position> {
    await this.#order.idle()
    const { root } = this.#connection
    const { rootX, rootY } = await this.#connection.ask<{ rootX: number; rootY: number }>('the pointer', (x, callback) =>
      x.QueryPointer(root, callback),
    )
    return { x: rootX, y: rootY }
  }

  /** A button that is pressed while it is down was let go where nobody saw it, e.g. outside of the client's window: otherwise the whole click would be lost. */
  #press(code: number): void {
    this.#release(code)
    this.#held.add(code, true, this.#clock.now())
    this.#fake(buttonPress, code)
  }

  #release(code: number): void {
    if (this.#held.take(code)) {
      this.#fake(buttonRelease, code)
    }
  }

  #click(code: number, times: number): void {
    for (let i = 0; i < times; i++) {
      this.#fake(buttonPress, code)
      this.#fake(buttonRelease, code)
    }
  }

  #lockControl(mods: number): void {
    const { xkb } = this.#connection
    this.#connection.send(() => xkb.LatchLockState(xkb.UseCoreKbd, controlMask, mods, false, 0, 0, 0, false, 0))
  }

  #fake(type: number, detail: number, { x, y }: Position = { x: 0, y: 0 }): void {
    // Root 0: the screen that the pointer is on.
    this.#connection.send(() => this.#connection.xtest.FakeInput(type, detail, 0, 0, x, y))
  }
}
