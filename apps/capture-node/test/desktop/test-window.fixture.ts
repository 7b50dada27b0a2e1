import { silentLog } from '@neko-edge/kit'
import type { XEvent } from 'x11'
import { XConnection } from '../../src/desktop/connection.ts'
import { EventInbox } from '../../src/desktop/event-inbox.ts'
import { readKeymap } from '../../src/desktop/xkb-map.ts'
import type { TestXorg } from './xorg.fixture.ts'

const inputMask = 0b100_1111
const structureMask = 0x2_0000
const propertyMask = 0x40_0000
const inputOutput = 1
const answerMs = 2_000

type Key = Extract<XEvent, { name: 'KeyPress' | 'KeyRelease' }>
type Button = Extract<XEvent, { name: 'ButtonPress' | 'ButtonRelease' | 'MotionNotify' }>

/** Another application: its own X connection and a window that covers the screen and has the focus. */
export class TestWindow implements AsyncDisposable {
  readonly connection: XConnection
  readonly id: number
  readonly #keys: EventInbox<Key>
  readonly #buttons: EventInbox<Button>

  private constructor(connection: XConnection, id: number) {
    this.connection = connection
    this.id = id
    this.#keys = new EventInbox(connection, (event): event is Key => event.name === 'KeyPress' || event.name === 'KeyRelease')
    this.#buttons = new EventInbox(
      connection,
      (event): event is Button => event.name === 'ButtonPress' || event.name === 'ButtonRelease' || event.name === 'MotionNotify',
    )
  }

  static async open({ display, authority }: TestXorg): Promise<TestWindow> {
    const connection = await XConnection.open({ display, authority, log: silentLog })
    let id = 0
    connection.send((x) => {
      id = x.AllocID()
      const values = { eventMask: inputMask | structureMask | propertyMask, overrideRedirect: true, backgroundPixel: 0x20_40_80 }
      x.CreateWindow(id, connection.root, 0, 0, 3_000, 2_000, 0, 0, inputOutput, 0, values)
      x.MapWindow(id)
    })
    await connection.settle()
    const window = new TestWindow(connection, id)
    connection.send((x) => x.SetInputFocus(id, 1))
    await connection.settle()
    return window
  }

  /** The next key event, with what the key means to this application when it gets to it. */
  async nextKey(): Promise<{ is: 'down' | 'up'; keysym: number; mods: number }> {
    const event = await this.#keys.next(answerMs, 'a key')
    const state = { mods: event.buttons & 0xff, group: (event.buttons >> 13) & 3 }
    const keymap = await readKeymap(this.connection)
    return { is: event.name === 'KeyPress' ? 'down' : 'up', keysym: keymap.keysym(event.keycode, state), mods: state.mods }
  }

  /** The keysyms of the next key presses, releases left out. */
  async nextPresses(count: number): Promise<number[]> {
    const presses: number[] = []
    while (presses.length < count) {
      const { is, keysym } = await this.nextKey()
      if (is === 'down') {
        presses.push(keysym)
      }
    }
    return presses
  }

  /** The next button or motion event. */
  async nextButton(): Promise<{ is: string; code: number; x: number; y: number; mods: number }> {
    const event = await this.#buttons.next(answerMs, 'a button')
    return { is: event.name, code: event.keycode, x: event.rootx, y: event.rooty, mods: event.rawData.readUInt16LE(28) & 0xff }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#keys[Symbol.dispose]()
    this.#buttons[Symbol.dispose]()
    await this.connection[Symbol.asyncDispose]()
  }
}
