import { Backoff, type Clock, Listeners, type Log, messageOf, NekoError, until } from '@neko-edge/kit'
import type { CursorImage, Desktop, ScreenSize } from '../desktop/desktop.ts'
import { openX11Desktop, type X11DesktopOptions } from '../desktop/x11-desktop.ts'
import type { RoomDesktop } from '../process/room-desktop.ts'

/** How long an operation waits for a desktop that is being started again, in milliseconds. */
const waitMs = 8_000

export interface DesktopLinkOptions {
  readonly processes: Pick<RoomDesktop, 'xServer' | 'display' | 'authorityFile'>
  readonly screen: ScreenSize
  readonly x11: Pick<X11DesktopOptions, 'touchSocket' | 'unminimize' | 'fileChooser'>
  readonly clock: Clock
  readonly log: Log
}

/** The connection to a room's X server, made again each time that the server comes back: with the screen size that was set last. */
export class DesktopLink implements AsyncDisposable {
  readonly onCursor = new Listeners<CursorImage>()
  readonly onScreen = new Listeners<ScreenSize>()
  readonly onClipboard = new Listeners<void>()
  readonly onFileChooser = new Listeners<boolean>()
  /** A new connection stands: whatever shows the screen must start again. */
  readonly onBack = new Listeners<void>()
  readonly #options: DesktopLinkOptions
  readonly #stop: () => void
  readonly #backoff = new Backoff()
  #desktop: Desktop | undefined
  #screen: ScreenSize
  #isClosed = false
  #isConnecting = false

  private constructor(options: DesktopLinkOptions) {
    this.#options = options
    this.#screen = options.screen
    this.#stop = options.processes.xServer.onUp(() => void this.#connect())
  }

  static async open(options: DesktopLinkOptions): Promise<DesktopLink> {
    const link = new DesktopLink(options)
    await link.#connect()
    return link
  }

  /** The desktop now; `undefined` while its X server is down: what was to be done is then dropped. */
  get now(): Desktop | undefined {
    return this.#desktop
  }

  /** The size in force, or the last one while the X server is down. */
  get screen(): ScreenSize {
    return this.#screen
  }

  /** The desktop, waiting for one that is on its way. Fails with `unavailable`. */
  async ready(): Promise<Desktop> {
    try {
      return await until(() => this.#desktop, { ms: waitMs, what: 'the desktop' })
    } catch (error) {
      throw new NekoError('unavailable', 'the desktop is being started again: try once more in a moment', { cause: error })
    }
  }

  /** Changes the size for this and every later run of the X server. */
  async setScreen(size: ScreenSize): Promise<ScreenSize> {
    const desktop = await this.ready()
    this.#screen = await desktop.setScreen(size)
    return this.#screen
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true
    this.#stop()
    await this.#desktop?.[Symbol.asyncDispose]()
  }

  async #connect(): Promise<void> {
    const { processes, x11, clock, log } = this.#options
    if (this.#desktop || this.#isClosed || this.#isConnecting) {
      return
    }
    this.#isConnecting = true
    const startedAt = clock.now()
    try {
      const desktop = await openX11Desktop({ display: processes.display, authority: processes.authorityFile, log, clock, ...x11 })
      await this.#adopt(desktop)
    } catch (error) {
      log.warn({ error: messageOf(error) }, 'desktop not reached')
      if (processes.xServer.isUp) {
        clock.after(this.#backoff.next(clock.now() - startedAt), () => void this.#connect())
      }
    } finally {
      this.#isConnecting = false
    }
  }

  async #adopt(desktop: Desktop): Promise<void> {
    desktop.onClosed((reason) => {
      this.#options.log.info({ reason }, 'desktop connection closed')
      this.#desktop = undefined
      void this.#connect()
    })
    const { width, height, rate } = desktop.screen()
    const wanted = this.#screen
    if (width !== wanted.width || height !== wanted.height || rate !== wanted.rate) {
      this.#screen = await desktop.setScreen(wanted)
    }
    desktop.onCursor((image) => this.onCursor.emit(image))
    desktop.onScreen((size) => {
      this.#screen = size
      this.onScreen.emit(size)
    })
    desktop.onClipboard(() => this.onClipboard.emit())
    desktop.onFileChooser((isOpen) => this.onFileChooser.emit(isOpen))
    this.#desktop = desktop
    this.onBack.emit()
  }
}
