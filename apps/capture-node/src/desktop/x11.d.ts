/** What this folder uses of the untyped package `x11` 4.2.2, and no more. */
declare module 'x11' {
  /** Answers one request. Giving back `true` says that the error is dealt with; otherwise the client emits it as well. */
  export type Callback<T> = (error: Error | null | undefined, value: T) => boolean

  export type XEvent =
    | {
        readonly name: 'KeyPress' | 'KeyRelease'
        readonly wid: number
        readonly keycode: number
        readonly buttons: number
        readonly rawData: Buffer
      }
    | {
        readonly name: 'ButtonPress' | 'ButtonRelease' | 'MotionNotify'
        readonly wid: number
        readonly keycode: number
        readonly rootx: number
        readonly rooty: number
        readonly rawData: Buffer
      }
    | { readonly name: 'MapNotify' | 'UnmapNotify' | 'DestroyNotify' | 'ReparentNotify'; readonly wid: number; readonly rawData: Buffer }
    /** `wid` is where the event was reported, `wid1` the window that it is about. */
    | { readonly name: 'ConfigureNotify'; readonly wid: number; readonly wid1: number; readonly rawData: Buffer }
    | {
        readonly name: 'PropertyNotify'
        readonly wid: number
        readonly atom: number
        readonly time: number
        readonly state: number
        readonly rawData: Buffer
      }
    | {
        readonly name: 'SelectionClear'
        readonly owner: number
        readonly selection: number
        readonly time: number
        readonly rawData: Buffer
      }
    | {
        readonly name: 'SelectionRequest'
        readonly owner: number
        readonly requestor: number
        readonly selection: number
        readonly target: number
        readonly property: number
        readonly time: number
        readonly rawData: Buffer
      }
    /** The core answer to ConvertSelection (type 31); XFIXES has an event of the same name. */
    | {
        readonly name: 'SelectionNotify'
        readonly type: number
        readonly selection: number
        readonly requestor: number
        readonly target: number
        readonly property: number
        readonly rawData: Buffer
      }
    | {
        readonly name: 'ClientMessage'
        readonly wid: number
        readonly format: number
        readonly message_type: number
        readonly data: readonly number[]
        readonly rawData: Buffer
      }
    | { readonly name: 'CursorNotify'; readonly cursorSerial: number; readonly rawData: Buffer }
    | { readonly name: 'RRScreenChangeNotify'; readonly width: number; readonly height: number; readonly rawData: Buffer }
    | {
        readonly name: 'XkbStateNotify'
        readonly mods: number
        readonly lockedMods: number
        readonly group: number
        readonly rawData: Buffer
      }
    | { readonly name: 'XkbEvent'; readonly xkbType: number; readonly rawData: Buffer }
    | { readonly name: 'MappingNotify'; readonly request: number; readonly rawData: Buffer }
    | { readonly name?: undefined; readonly type: number; readonly rawData: Buffer }

  /** What `SendEvent` packs. */
  export interface SelectionNotifyOut {
    readonly name: 'SelectionNotify'
    readonly time: number
    readonly requestor: number
    readonly selection: number
    readonly target: number
    readonly property: number
  }

  export interface Property {
    readonly type: number
    readonly format: number
    readonly bytesAfter: number
    readonly data: Buffer
  }

  export interface CursorPixels {
    readonly width: number
    readonly height: number
    readonly xhot: number
    readonly yhot: number
    readonly cursorSerial: number
    readonly cursorImage: Buffer
  }

  export interface Extension {
    readonly majorOpcode: number
    readonly firstEvent: number
  }

  export interface Xtest extends Extension {
    FakeInput(type: number, detail: number, time: number, window: number, x: number, y: number): void
  }

  export interface Fixes extends Extension {
    SelectSelectionInput(window: number, selection: number, mask: number): void
    SelectCursorInput(window: number, mask: number): void
    GetCursorImage(callback: Callback<CursorPixels>): void
  }

  export interface XkbState {
    readonly mods: number
    readonly lockedMods: number
    readonly group: number
  }

  export interface Xkb extends Extension {
    readonly UseCoreKbd: number
    GetState(device: number, callback: Callback<XkbState>): void
    LatchLockState(
      device: number,
      affectModLocks: number,
      modLocks: number,
      lockGroup: boolean,
      groupLock: number,
      affectModLatches: number,
      modLatches: number,
      latchGroup: boolean,
      groupLatch: number,
    ): void
    SelectEvents(device: number, affectWhich: number, clear: number, selectAll: number, affectMap: number, map: number): void
  }

  export interface RandrMode {
    readonly id: number
    readonly width: number
    readonly height: number
    readonly dot_clock: number
    readonly h_sync_start: number
    readonly h_sync_end: number
    readonly h_total: number
    readonly v_sync_start: number
    readonly v_sync_end: number
    readonly v_total: number
    readonly modeflags: number
    readonly name: string
  }

  export interface ScreenInfo {
    readonly config_timestamp: number
    readonly timestamp: number
    readonly sizeID: number
    readonly rate: number
    readonly screens: readonly { readonly px_width: number; readonly px_height: number }[]
    /** For each size in turn: how many rates it has, and then those. */
    readonly rates: readonly number[]
  }

  export interface ScreenResources {
    readonly outputs: readonly number[]
    readonly modeinfos: readonly RandrMode[]
  }

  export interface Randr extends Extension {
    SelectInput(window: number, mask: number): void
    GetScreenInfo(window: number, callback: Callback<ScreenInfo>): void
    GetScreenResourcesCurrent(window: number, callback: Callback<ScreenResources>): void
    GetOutputInfo(output: number, timestamp: number, callback: Callback<{ readonly connection: number }>): void
    CreateMode(window: number, mode: Omit<RandrMode, 'id'>, callback: Callback<number>): void
    AddOutputMode(output: number, mode: number): void
  }

  export interface Extensions {
    xtest: Xtest
    fixes: Fixes
    randr: Randr
    xkb: Xkb
  }

  export interface Screen {
    readonly root: number
    readonly pixel_width: number
    readonly pixel_height: number
    readonly root_depth: number
    readonly root_visual: number
  }

  export interface XDisplay {
    readonly client: XClient
    readonly screen: readonly Screen[]
    readonly min_keycode: number
    readonly max_keycode: number
  }

  export interface XClient {
    on(event: 'event', listener: (event: XEvent) => void): this
    on(event: 'error', listener: (error: Error & XProtocolError) => void): this
    on(event: 'end', listener: () => void): this

    /** The package's own way to send what it has no function for, as its extensions do. */
    seq_num: number
    readonly replies: Record<number, [(body: Buffer, detail: number) => unknown, Callback<never>]>
    readonly pack_stream: { put(packet: Buffer): void; submit(expectsReply?: boolean): void }

    require<Name extends keyof Extensions>(
      name: Name,
      callback: (error: Error | null | undefined, extension: Extensions[Name]) => void,
    ): void
    terminate(): void
    AllocID(): number
    CreateWindow(
      id: number,
      parent: number,
      x: number,
      y: number,
      width: number,
      height: number,
      borderWidth: number,
      depth: number,
      windowClass: number,
      visual: number,
      values: {
        readonly eventMask?: number
        readonly overrideRedirect?: boolean
        readonly backgroundPixel?: number
        readonly cursor?: number
      },
    ): void
    ChangeWindowAttributes(window: number, values: { readonly eventMask?: number; readonly cursor?: number }): void
    DestroyWindow(window: number): void
    MapWindow(window: number): void
    UnmapWindow(window: number): void
    QueryTree(window: number, callback: Callback<{ readonly children: readonly number[] }>): void
    TranslateCoordinates(
      from: number,
      to: number,
      x: number,
      y: number,
      callback: Callback<{ readonly child: number; readonly destX: number; readonly destY: number }>,
    ): void
    GetGeometry(drawable: number, callback: Callback<{ readonly width: number; readonly height: number }>): void
    QueryPointer(window: number, callback: Callback<{ readonly rootX: number; readonly rootY: number; readonly keyMask: number }>): void
    GetProperty(
      remove: number,
      window: number,
      property: number,
      type: number,
      offset: number,
      length: number,
      callback: Callback<Property>,
    ): void
    ChangeProperty(
      mode: number,
      window: number,
      property: number,
      type: number,
      format: number,
      data: Buffer | readonly number[],
      callback?: Callback<null>,
    ): void
    DeleteProperty(window: number, property: number): void
    SetSelectionOwner(owner: number, selection: number, time: number): void
    GetSelectionOwner(selection: number, callback: Callback<number>): void
    ConvertSelection(requestor: number, selection: number, target: number, property: number, time: number): void
    SendEvent(destination: number, propagate: number, mask: number, event: SelectionNotifyOut | Buffer): void
    SendClientMessage(destination: number, window: number, type: number, format: number, data: readonly number[], mask: number): void
    GetImage(
      format: number,
      drawable: number,
      x: number,
      y: number,
      width: number,
      height: number,
      planes: number,
      callback: Callback<{ readonly data: Buffer }>,
    ): void
    ChangeKeyboardMapping(firstKeycode: number, perKeycode: number, keysyms: readonly number[]): void
    SetInputFocus(window: number, revertTo: number): void
    GetInputFocus(callback: Callback<{ readonly focus: number }>): void
  }

  export interface XProtocolError {
    /** The X error code; absent where the socket failed. */
    readonly error?: number
    readonly badParam?: number
    readonly majorOpcode?: number
    readonly minorOpcode?: number
  }

  export function createClient(
    options: {
      readonly display: string
      readonly auth: { readonly name: string; readonly data: string }
      readonly bufferRequests?: boolean
      readonly shm?: false
    },
    callback: (error: Error | null | undefined, display: XDisplay) => void,
  ): XClient
}
