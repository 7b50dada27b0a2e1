import { dirname } from 'node:path'
import { delay, Listeners, messageOf, NekoError, SerialQueue, until } from '@neko-edge/kit'
import type { Property, XEvent } from 'x11'
import type { XConnection } from './connection.ts'
import { keysyms, keysymsOf } from './keysym.ts'
import { structureNotifyMask, substructureNotifyMask, substructureRedirectMask } from './masks.ts'

const dialogRole = 'GtkFileChooserDialog'
const dialogTitle = 'Open File'
const closeMs = 2_000
/** The dialog reads its folder and moves its focus without telling anybody. */
const pauseMs = 200
const longPauseMs = 400
const sourcePager = 2
const stateAdd = 1
const unableToSelect = 'unable to select files in dialog'
const atomNames = [
  'WM_WINDOW_ROLE',
  'WM_NAME',
  '_NET_WM_NAME',
  'WM_TRANSIENT_FOR',
  'WM_PROTOCOLS',
  'WM_DELETE_WINDOW',
  '_NET_WM_STATE',
  '_NET_WM_STATE_BELOW',
  '_NET_ACTIVE_WINDOW',
] as const

type Atoms = Readonly<Record<(typeof atomNames)[number], number>>

/** Presses keys together and lets go of them. */
type Press = (...keysyms: readonly number[]) => Promise<void>

/**
 * GTK's "Open File" dialog, which would show the server's files to everybody: it is pushed below the other windows, and
 * files that a user uploads are chosen in it by keys. Needs SubstructureNotify on the root window.
 */
export class FileChooser {
  readonly #connection: XConnection
  readonly #atoms: Atoms
  readonly #press: Press
  readonly #listeners = new Listeners<boolean>()
  readonly #queue = new SerialQueue()
  #dialog: number | undefined

  private constructor(connection: XConnection, { atoms, press }: { atoms: Atoms; press: Press }) {
    this.#connection = connection
    this.#atoms = atoms
    this.#press = press
  }

  static async open(connection: XConnection, press: Press): Promise<FileChooser> {
    const chooser = new FileChooser(connection, { atoms: await connection.atoms(...atomNames), press })
    connection.onEvent((event) => chooser.#follow(event))
    return chooser
  }

  get isOpen(): boolean {
    return this.#dialog !== undefined
  }

  onChange(listener: (isOpen: boolean) => void): () => void {
    return this.#listeners.add(listener)
  }

  /** Chooses files of one folder, which holds nothing else where there are several. */
  choose(files: readonly string[]): Promise<void> {
    return this.#queue.run(async () => {
      const [first] = files
      if (first === undefined || files.some((file) => dirname(file) !== dirname(first))) {
        throw new NekoError('invalid', 'the files of a dialog come from one folder, at least one')
      }
      await this.#focus()
      await (files.length === 1 ? this.#open(first) : this.#openAllOf(dirname(first)))
      await this.#untilClosed(unableToSelect)
    })
  }

  close(): Promise<void> {
    return this.#queue.run(async () => {
      const dialog = this.#dialog
      if (dialog !== undefined) {
        const { WM_PROTOCOLS, WM_DELETE_WINDOW } = this.#atoms
        this.#connection.send((x) => x.SendClientMessage(dialog, dialog, WM_PROTOCOLS, 32, [WM_DELETE_WINDOW, 0], 0))
        await this.#untilClosed('unable to close the dialog')
      }
    })
  }

  #follow(event: XEvent): void {
    switch (event.name) {
      case 'MapNotify':
      case 'ReparentNotify':
        if (event.wid === this.#dialog) {
          // A window manager heeds wishes only about windows that it manages, which this one may not have been before.
          this.#hide(event.wid)
        } else {
          this.#inspect(event.wid)
        }
        break
      case 'ConfigureNotify':
        // The package names the window that the event is about `wid1` here.
        if (event.wid1 !== this.#dialog) {
          this.#inspect(event.wid1)
        }
        break
      case 'UnmapNotify':
      case 'DestroyNotify':
        if (event.wid === this.#dialog) {
          this.#dialog = undefined
          this.#listeners.emit(false)
        }
        break
      default:
        break
    }
  }

  #inspect(window: number): void {
    this.#adopt(window).catch((error: unknown) =>
      // Windows come and go faster than they can be asked.
      this.#connection.log.debug({ reason: messageOf(error) }, 'window not read'),
    )
  }

  async #adopt(window: number): Promise<void> {
    const { WM_WINDOW_ROLE, _NET_WM_NAME, WM_NAME } = this.#atoms
    if ((await this.#readText(window, WM_WINDOW_ROLE)) !== dialogRole) {
      return
    }
    const name = (await this.#readText(window, _NET_WM_NAME)) || (await this.#readText(window, WM_NAME))
    if (!name.startsWith(dialogTitle) || window === this.#dialog) {
      return
    }
    const isFirst = this.#dialog === undefined
    this.#dialog = window
    this.#hide(window)
    if (isFirst) {
      this.#listeners.emit(true)
    }
  }

  #hide(window: number): void {
    const { WM_TRANSIENT_FOR, _NET_WM_STATE, _NET_WM_STATE_BELOW } = this.#atoms
    this.#connection.send((x) => {
      // So that its end is heard of inside a window manager's frame as well.
      x.ChangeWindowAttributes(window, { eventMask: structureNotifyMask })
      x.DeleteProperty(window, WM_TRANSIENT_FOR)
    })
    this.#tellManager(window, _NET_WM_STATE, [stateAdd, _NET_WM_STATE_BELOW])
  }

  async #focus(): Promise<void> {
    if (this.#dialog === undefined) {
      throw new NekoError('notFound', 'no file chooser dialog is open')
    }
    this.#tellManager(this.#dialog, this.#atoms._NET_ACTIVE_WINDOW, [sourcePager, 0, 0])
    await delay(pauseMs)
  }

  async #open(file: string): Promise<void> {
    await this.#enter(file)
    // The mnemonic of "Open": Chromium's dialog takes Return for Cancel. Where there is none, Return is "Open".
    await this.#press(keysyms.altLeft, ...keysymsOf('o'))
    await until(() => !this.isOpen, { ms: longPauseMs, what: 'the dialog closes' }).catch(() => this.#press(keysyms.returnKey))
  }

  async #openAllOf(folder: string): Promise<void> {
    await this.#enter(`${folder}/`)
    await this.#press(keysyms.returnKey)
    await delay(longPauseMs)
    if (!this.isOpen) {
      // Chromium's dialog takes Return for Cancel. The keys below would reach what was behind it.
      throw new NekoError('unprocessable', unableToSelect)
    }
    await this.#press(keysyms.down)
    await this.#press(keysyms.controlLeft, ...keysymsOf('a'))
    await this.#press(keysyms.returnKey)
  }

  /** Types a path into the location field. */
  async #enter(path: string): Promise<void> {
    await this.#press(keysyms.controlLeft, ...keysymsOf('l'))
    await delay(pauseMs)
    for (const keysym of keysymsOf(path)) {
      await this.#press(keysym)
    }
    await delay(pauseMs)
    // Takes away what the field completed by itself.
    await this.#press(keysyms.delete)
    await delay(pauseMs)
  }

  async #untilClosed(failure: string): Promise<void> {
    await until(() => !this.isOpen, { ms: closeMs, what: failure }).catch((error: unknown) => {
      throw new NekoError('unprocessable', failure, { cause: error })
    })
  }

  #tellManager(window: number, type: number, data: readonly number[]): void {
    this.#connection.send((x) =>
      x.SendClientMessage(this.#connection.root, window, type, 32, data, substructureRedirectMask | substructureNotifyMask),
    )
  }

  async #readText(window: number, property: number): Promise<string> {
    const { data } = await this.#connection.ask<Property>('a window property', (x, callback) =>
      x.GetProperty(0, window, property, 0, 0, 256, callback),
    )
    return data.toString('utf8')
  }
}
