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
/** Of "Open": Chromium's dialog takes Return for Cancel. Where there is none, Return is "Open". */
const mnemonic = [keysyms.altLeft, ...keysymsOf('o')]
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

/** What a dialog is handled with. */
interface Hands {
  /** Presses keys together and lets go of them. */
  readonly press: (...keysyms: readonly number[]) => Promise<void>
  /** Drops files on the middle of a window; whether they were taken. */
  readonly drop: (files: readonly string[], window: number) => Promise<boolean>
}

/**
 * GTK's "Open File" dialog, which would show the server's files to everybody: it is pushed below the other windows, and
 * files that a user uploads are chosen in it by keys. Needs SubstructureNotify on the root window.
 */
export class FileChooser {
  readonly #connection: XConnection
  readonly #atoms: Atoms
  readonly #press: Hands['press']
  readonly #drop: Hands['drop']
  readonly #listeners = new Listeners<boolean>()
  readonly #queue = new SerialQueue()
  #dialog: number | undefined

  private constructor(connection: XConnection, { atoms, press, drop }: Hands & { atoms: Atoms }) {
    this.#connection = connection
    this.#atoms = atoms
    this.#press = press
    this.#drop = drop
  }

  static async open(connection: XConnection, hands: Hands): Promise<FileChooser> {
    const chooser = new FileChooser(connection, { atoms: await connection.atoms(...atomNames), ...hands })
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
      await (files.length === 1 ? this.#open(first) : this.#openAll(files))
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
    await this.#accept()
  }

  /** No field takes several names. What is dropped on the dialog brings its list to that folder, all of which is then selected. */
  async #openAll(files: readonly string[]): Promise<void> {
    if (this.#dialog === undefined || !(await this.#drop(files, this.#dialog))) {
      throw new NekoError('unprocessable', unableToSelect)
    }
    await delay(longPauseMs)
    await this.#press(keysyms.controlLeft, ...keysymsOf('a'))
    await this.#accept()
  }

  async #accept(): Promise<void> {
    await this.#press(...mnemonic)
    await until(() => !this.isOpen, { ms: longPauseMs, what: 'the dialog closes' }).catch(() => this.#press(keysyms.returnKey))
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
