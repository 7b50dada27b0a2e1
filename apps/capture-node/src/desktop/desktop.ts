/** A picture size in pixels with its refresh rate in Hz. */
export interface ScreenSize {
  readonly width: number
  readonly height: number
  readonly rate: number
}

/** What the pointer looks like: a PNG, the hot spot inside it in pixels, and the X server's number for the shape. */
export interface CursorImage {
  readonly width: number
  readonly height: number
  readonly hotX: number
  readonly hotY: number
  readonly png: Uint8Array
  readonly serial: number
}

export interface Position {
  readonly x: number
  readonly y: number
}

/** An XKB layout and variant by their names in xkeyboard-config, such as `de` and `nodeadkeys`; a variant may be empty. */
export interface KeyboardMap {
  readonly layout: string
  readonly variant: string
}

/** Which modifiers are in force; `true` also for one that is held by a key. */
export interface Modifiers {
  readonly shift: boolean
  readonly capslock: boolean
  readonly control: boolean
  readonly alt: boolean
  readonly numlock: boolean
  readonly meta: boolean
  readonly super: boolean
  readonly altgr: boolean
}

/** What to put on the clipboard; every given kind is offered at once, so the application that pastes may choose. */
export interface ClipboardContent {
  readonly text?: string
  readonly html?: string
  readonly image?: { readonly mime: string; readonly bytes: Uint8Array }
}

export interface Touch {
  readonly kind: 'begin' | 'update' | 'end'
  /** The finger, 0…65535. */
  readonly id: number
  /** Pixels of the current screen. */
  readonly x: number
  readonly y: number
  /** 0…255. */
  readonly pressure: number
}

/**
 * One X desktop: its input, screen, cursor, keyboard and clipboard.
 *
 * Input calls return at once and are applied in the order they came. After the X connection is lost they do nothing,
 * everything that answers fails with `unavailable`, and `onClosed` has told so.
 */
export interface Desktop extends AsyncDisposable {
  /** Pointer to a pixel of the screen; outside of it X takes the nearest one. */
  move(x: number, y: number): void
  /** An X button (1 left, 2 middle, 3 right, 4–7 wheel, 8 back, 9 forward); saying what is already so is ignored. */
  button(code: number, isDown: boolean): void
  /** Clicks of the wheel, positive is up and left, at most 100 each; with Control held where asked (zoom). */
  scroll(deltaX: number, deltaY: number, withControl: boolean): void
  /** A key by its X keysym; one that the layout lacks borrows a spare keycode. Saying what is already so is ignored. */
  key(keysym: number, isDown: boolean): void
  /** A finger on the touch screen. `false` when there is none, or the finger is not one that can do this now. */
  touch(touch: Touch): boolean
  /** Whether `touch` reaches applications. */
  readonly isTouchSupported: boolean
  /** Releases everything, presses all, releases all. */
  press(...keysyms: readonly number[]): Promise<void>
  /** Releases everything, clicks a button. */
  pressButton(code: number): void
  /** Lets go of every key, button and finger that is down. */
  releaseAll(): void
  /** Where the pointer is. */
  pointer(): Promise<Position>

  /** The size in force. */
  screen(): ScreenSize
  /**
   * Changes the size, making the mode where it is new; gives what came of it (the width is rounded down to a multiple of 8, rate 0 is 60).
   * `unprocessable` where the X server cannot.
   */
  setScreen(size: ScreenSize): Promise<ScreenSize>
  /** The sizes known at the start, largest first, without rates above 60 or odd ones above 30. */
  configurations(): readonly ScreenSize[]
  /** Tells each new size, whoever changed it. */
  onScreen(listener: (size: ScreenSize) => void): () => void
  /** The whole screen as JPEG; `quality` 1…100. */
  screenshot(quality: number): Promise<Uint8Array>

  /** The last known cursor; `undefined` only where X gave none yet. */
  cursor(): CursorImage | undefined
  onCursor(listener: (image: CursorImage) => void): () => void

  keyboardMap(): Promise<KeyboardMap>
  /** `invalid` where the names are malformed, `unprocessable` where X does not know them. */
  setKeyboardMap(map: KeyboardMap): Promise<void>
  modifiers(): Promise<Modifiers>
  /** Locks (or unlocks) the given modifiers. */
  setModifiers(modifiers: Partial<Modifiers>): Promise<void>

  /** The clipboard as text; `notFound` where there is none. */
  clipboardText(): Promise<string>
  /** The clipboard as HTML; empty where there is none. */
  clipboardHtml(): Promise<string>
  /** The clipboard's bytes in one of its kinds, such as `image/png`; `notFound` where it has none of that. */
  clipboardData(mime: string): Promise<Uint8Array>
  /** The MIME types on offer. */
  clipboardTargets(): Promise<readonly string[]>
  setClipboard(content: ClipboardContent): Promise<void>
  /** Somebody (we as well) took the clipboard. */
  onClipboard(listener: () => void): () => void

  /** Drops files (absolute paths) on what is at a pixel; `false` when nothing there takes files. */
  drop(files: readonly string[], x: number, y: number): Promise<boolean>

  /** Whether a GTK "Open File" dialog is open; told only with the option `fileChooser`. */
  readonly isFileChooserOpen: boolean
  onFileChooser(listener: (isOpen: boolean) => void): () => void
  /** Chooses files, all of one folder, in the open dialog: `notFound` without a dialog, `unprocessable` when it stays open. */
  chooseFiles(files: readonly string[]): Promise<void>
  closeFileChooser(): Promise<void>

  /** The X server is gone. Told once; at once if it already is. */
  onClosed(listener: (reason: string) => void): () => void
}
