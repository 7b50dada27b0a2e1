import { type Clock, delay, type Log, messageOf, NekoError, systemClock, within } from '@neko-edge/kit'
import { Clipboard } from './clipboard.ts'
import { XConnection } from './connection.ts'
import { Cursor } from './cursor.ts'
import type { ClipboardContent, CursorImage, Desktop, KeyboardMap, Modifiers, Position, ScreenSize, Touch } from './desktop.ts'
import { FileChooser } from './file-chooser.ts'
import { InputOrder } from './input-order.ts'
import { Keyboard } from './keyboard.ts'
import { readKeyboardMap, useEvdevKeycodes, writeKeyboardMap } from './keyboard-map.ts'
import { substructureNotifyMask } from './masks.ts'
import { masksFor, modifiersIn } from './modifiers.ts'
import { Pointer } from './pointer.ts'
import { XScreen } from './screen.ts'
import { takeScreenshot } from './screenshot.ts'
import { TouchScreen } from './touch-screen.ts'
import { careForWindows } from './window-care.ts'
import { FileDrop } from './xdnd.ts'

const overduePeriodMs = 1_000
/** Between pressing and releasing a chord: some applications look at the keys only now and then. */
const chordMs = 10
const letGoMs = 1_000

export interface X11DesktopOptions {
  /** Such as `:99`. */
  readonly display: string
  /** An Xauthority file with the display's MIT-MAGIC-COOKIE-1; without one, no proof is offered. */
  readonly authority?: string | undefined
  readonly log: Log
  readonly clock?: Clock
  /** The unix socket of the touch driver `neko`; without one, or where nobody listens, there is no touch. */
  readonly touchSocket?: string | undefined
  /** Whether a minimised window comes straight back. */
  readonly unminimize?: boolean
  /** Whether GTK's "Open File" dialog is hidden and told of. */
  readonly fileChooser?: boolean
}

/** Everything that a desktop is made of. */
interface Parts {
  readonly connection: XConnection
  readonly order: InputOrder
  readonly keyboard: Keyboard
  readonly pointer: Pointer
  readonly touch: TouchScreen | undefined
  readonly screen: XScreen
  readonly cursor: Cursor
  readonly clipboard: Clipboard
  readonly files: FileDrop
  readonly chooser: FileChooser | undefined
  readonly authority: string | undefined
  readonly display: string
}

/** Opens the desktop of a running X server. `unavailable` where it cannot be reached or lacks an extension. */
export async function openX11Desktop(options: X11DesktopOptions): Promise<Desktop> {
  const { display, authority, log, clock = systemClock } = options
  const connection = await XConnection.open({ display, authority, log })
  try {
    return await assemble(connection, { ...options, clock })
  } catch (error) {
    await connection[Symbol.asyncDispose]()
    throw error
  }
}

async function assemble(connection: XConnection, options: X11DesktopOptions & { clock: Clock }): Promise<Desktop> {
  const { display, authority, log, clock, touchSocket, unminimize = true } = options
  const order = new InputOrder()
  await useEvdevKeycodes(connection, { display, authority }).catch((error: unknown) =>
    // Typing works all the same; what suffers is the physical position that applications are told.
    log.warn({ reason: messageOf(error) }, 'keys not numbered as evdev does'),
  )
  const keyboard = await Keyboard.open(connection, { order, clock })
  const screen = await XScreen.open(connection)
  const size = () => screen.size
  const touch = touchSocket === undefined ? undefined : await TouchScreen.open(touchSocket, { clock, log, size })
  const pointer = new Pointer(connection, { order, keyboard, clock })
  connection.send((x) => x.ChangeWindowAttributes(connection.root, { eventMask: substructureNotifyMask }))
  await careForWindows(connection, { unminimize, size })
  const cursor = await Cursor.open(connection)
  const clipboard = await Clipboard.open(connection, clock)
  const files = await FileDrop.open(connection, clock)
  const press = (...keysyms: readonly number[]) => desktop.press(...keysyms)
  const chooser = options.fileChooser
    ? await FileChooser.open(connection, { press, drop: (all, window) => files.dropOn(window, all) })
    : undefined
  const parts = { connection, order, keyboard, pointer, touch, screen, cursor, clipboard, files, chooser, authority, display }
  const desktop: Desktop = new X11Desktop(parts, clock)
  await connection.settle()
  return desktop
}

/** The Desktop over one X connection. */
class X11Desktop implements Desktop {
  readonly #x: Parts
  readonly #stopTicking: () => void

  constructor(parts: Parts, clock: Clock) {
    this.#x = parts
    this.#stopTicking = clock.every(overduePeriodMs, () => this.#releaseOverdue())
  }

  move(x: number, y: number): void {
    this.#x.pointer.move(x, y)
  }

  button(code: number, isDown: boolean): void {
    this.#x.pointer.button(code, isDown)
  }

  scroll(deltaX: number, deltaY: number, withControl: boolean): void {
    this.#x.pointer.scroll(deltaX, deltaY, withControl)
  }

  key(keysym: number, isDown: boolean): void {
    this.#x.keyboard.key(keysym, isDown)
  }

  touch(touch: Touch): boolean {
    return this.#x.touch?.touch(touch) ?? false
  }

  get isTouchSupported(): boolean {
    return this.#x.touch !== undefined
  }

  async press(...keysyms: readonly number[]): Promise<void> {
    this.releaseAll()
    for (const keysym of keysyms) {
      this.key(keysym, true)
    }
    if (keysyms.length > 1) {
      await this.#x.order.idle()
      await delay(chordMs)
    }
    this.releaseAll()
    await this.#x.order.idle()
    await this.#x.connection.settle()
  }

  pressButton(code: number): void {
    this.releaseAll()
    this.button(code, true)
    this.releaseAll()
  }

  releaseAll(): void {
    this.#x.keyboard.releaseAll()
    this.#x.pointer.releaseAll()
    this.#x.touch?.releaseAll()
  }

  pointer(): Promise<Position> {
    return this.#x.pointer.position()
  }

  screen(): ScreenSize {
    return this.#x.screen.size
  }

  setScreen(size: ScreenSize): Promise<ScreenSize> {
    return this.#x.screen.set(size)
  }

  configurations(): readonly ScreenSize[] {
    return this.#x.screen.configurations
  }

  onScreen(listener: (size: ScreenSize) => void): () => void {
    return this.#x.screen.onChange(listener)
  }

  screenshot(quality: number): Promise<Uint8Array> {
    return takeScreenshot(this.#x.connection, this.#x.screen.size, quality)
  }

  cursor(): CursorImage | undefined {
    return this.#x.cursor.current
  }

  onCursor(listener: (image: CursorImage) => void): () => void {
    return this.#x.cursor.onChange(listener)
  }

  keyboardMap(): Promise<KeyboardMap> {
    return readKeyboardMap(this.#x.connection)
  }

  async setKeyboardMap(map: KeyboardMap): Promise<void> {
    await writeKeyboardMap(map, { display: this.#x.display, authority: this.#x.authority })
    // The news of the change came before this answer, so input that follows knows the new map.
    await this.#x.connection.settle()
    await this.#x.order.idle()
  }

  async modifiers(): Promise<Modifiers> {
    await this.#x.order.idle()
    return modifiersIn((await this.#x.keyboard.readState()).mods)
  }

  async setModifiers(modifiers: Partial<Modifiers>): Promise<void> {
    const { affected, locked } = masksFor(modifiers)
    await this.#x.keyboard.lock(affected, locked)
  }

  clipboardText(): Promise<string> {
    return this.#x.clipboard.text()
  }

  clipboardHtml(): Promise<string> {
    return this.#x.clipboard.html()
  }

  clipboardData(mime: string): Promise<Uint8Array> {
    return this.#x.clipboard.data(mime)
  }

  clipboardTargets(): Promise<readonly string[]> {
    return this.#x.clipboard.targets()
  }

  setClipboard(content: ClipboardContent): Promise<void> {
    return this.#x.clipboard.set(content)
  }

  onClipboard(listener: () => void): () => void {
    return this.#x.clipboard.onChange(listener)
  }

  async drop(files: readonly string[], x: number, y: number): Promise<boolean> {
    this.releaseAll()
    // Some toolkits look where the pointer is instead of reading the message; and X has clamped it to the screen.
    this.move(x, y)
    const at = await this.pointer()
    return this.#x.files.drop(files, at.x, at.y)
  }

  get isFileChooserOpen(): boolean {
    return this.#x.chooser?.isOpen ?? false
  }

  onFileChooser(listener: (isOpen: boolean) => void): () => void {
    return this.#x.chooser?.onChange(listener) ?? (() => undefined)
  }

  async chooseFiles(files: readonly string[]): Promise<void> {
    await this.#chooser().choose(files)
  }

  async closeFileChooser(): Promise<void> {
    await this.#x.chooser?.close()
  }

  onClosed(listener: (reason: string) => void): () => void {
    return this.#x.connection.onClosed(listener)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopTicking()
    this.releaseAll()
    // An X server that hangs may keep what it has; one that is gone has nothing.
    await within(letGoMs, 'letting go of the keys', this.#x.order.idle()).catch((error: unknown) => {
      this.#x.connection.log.warn({ reason: messageOf(error) }, 'keys may be down')
    })
    this.#x.touch?.[Symbol.dispose]()
    await this.#x.connection[Symbol.asyncDispose]()
  }

  #chooser(): FileChooser {
    if (this.#x.chooser === undefined) {
      throw new NekoError('notFound', 'file chooser dialogs are not followed: option desktop.file_chooser_dialog')
    }
    return this.#x.chooser
  }

  #releaseOverdue(): void {
    this.#x.keyboard.releaseOverdue()
    this.#x.pointer.releaseOverdue()
    this.#x.touch?.releaseOverdue()
  }
}
