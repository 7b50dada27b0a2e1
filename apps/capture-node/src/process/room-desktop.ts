import { type Clock, type Log, NekoError } from '@neko-edge/kit'
import type { ChildOptions, Identity, Supervised } from '@neko-edge/process'
import { type Application, type PreparedApplication, prepareApplication } from './application.ts'
import { DisplayClients } from './display-clients.ts'
import { type AudioServer, openAudioServer } from './pulse.ts'
import { RoomFolder } from './room-folder.ts'
import { RoomNetwork } from './room-network.ts'
import { prepareWindowManager } from './window-manager.ts'
import { openXServer, type XServer } from './xorg.ts'
import type { ScreenMode } from './xorg-config.ts'

export interface RoomDesktopOptions {
  /** The room's run directory (at most 90 bytes, reachable by `identity`): made anew, and removed on dispose. */
  readonly runFolder: string
  /** The room's own user; needed where the node runs as root, impossible elsewhere. */
  readonly identity?: Identity
  readonly screen: ScreenMode
  /** The number of the X display; the first free one where nothing is said. */
  readonly displayNumber?: number | undefined
  readonly application: Application
  /** The transfer directory, which the application finds as its folder for downloads. */
  readonly transfer?: string
  /** The words of the command that opens a link; default: links are not opened. */
  readonly opener?: readonly string[]
  /** Folders of the node that the application must not see even when they lie below /usr. */
  readonly hidden?: readonly string[]
  /** Accepts that the application is not caged where the machine can not do it; otherwise opening fails there. */
  readonly allowUncaged?: boolean
  /** A network of the application's own, and what it does not reach besides this machine; default: the machine's network. */
  readonly network?: { readonly deny: readonly string[] }
  readonly clock: Clock
  readonly log: Log
}

/** A server of the room as others see it: whether it takes clients, and when that changes. */
export type ServerState = Pick<Supervised, 'isUp' | 'onUp' | 'onDown'>

/** How to reach a room's servers; none of it changes while the desktop is open. */
export interface Addresses {
  readonly display: string
  readonly displayNumber: number
  readonly authorityFile: string
  readonly pulseServer: string
  readonly pulseCookie: string
  /**
   * What the node's own children that capture from the room must be spawned with: DISPLAY, XAUTHORITY, PULSE_SERVER and PULSE_COOKIE,
   * and the X server's IPC namespace. In any other namespace the picture may be somebody else's memory.
   */
  readonly captureChild: Pick<ChildOptions, 'env' | 'ipc'>
}

/** A room's running desktop: X server, audio server, window manager and application, each kept running. */
export interface RoomDesktop extends Addresses, Pick<PreparedApplication, 'uploads' | 'openLink'>, AsyncDisposable {
  /** After `onUp` every connection to the display must be made again; display and cookie stay the same. */
  readonly xServer: ServerState
  /** After `onUp` every connection to the audio server must be made again; socket and cookie stay the same. */
  readonly audioServer: ServerState
  /** Ends the application; it is started again at once. */
  restartApplication(): Promise<void>
  /** Process ids of the parts that are up, for metrics and tests. */
  pids(): Readonly<Partial<Record<'xServer' | 'audioServer' | 'windowManager' | 'application' | 'network' | 'networkLink', number>>>
}

/**
 * Opens a room's desktop; resolves when X and audio take clients, without waiting for the application's window.
 * Throws `unavailable` (a program or the cage is missing; the message has the remedy) or `invalid`, with nothing left behind.
 */
export async function openRoomDesktop(options: RoomDesktopOptions): Promise<RoomDesktop> {
  const identity = checkedIdentity(options.identity)
  await using undo = new AsyncDisposableStack()
  const folder = undo.use(await RoomFolder.open(options.runFolder, identity))
  const { xServer, sound } = await openServers(options, folder, undo)
  const { hidden = [], allowUncaged = false, transfer, opener = [], application, clock, log } = options
  const { deny } = options.network ?? {}
  const network = deny && (await RoomNetwork.prepare({ folder, identity, ipc: xServer.ipc, deny, clock, log }))
  const prepared = await prepareApplication({
    application,
    folder,
    xServer,
    sound,
    network,
    identity,
    transfer,
    opener,
    hidden,
    allowUncaged,
    log,
  })
  const clients = undo.use(
    new DisplayClients({
      windowManager: await prepareWindowManager({ folder, xServer, identity, log }),
      application: prepared,
      network,
      clock,
      log,
    }),
  )
  await clients.start()
  xServer.supervised.onDown(() => void clients.stop())
  xServer.supervised.onUp(() => void clients.start())
  const owned = undo.move()
  return {
    ...addresses({ xServer, sound }),
    uploads: prepared.uploads,
    openLink: prepared.openLink,
    restartApplication: () => clients.restartApplication(),
    xServer: xServer.supervised,
    audioServer: sound.supervised,
    pids: () => ({
      ...pidOf('xServer', xServer.supervised),
      ...pidOf('audioServer', sound.supervised),
      ...pidOf('windowManager', clients.running?.windowManager),
      ...pidOf('application', clients.running?.application),
      ...network?.pids,
    }),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

function pidOf<Name extends string>(name: Name, part: Supervised | undefined): Partial<Record<Name, number>> {
  // A computed key of a type parameter widens to string; it is exactly Name.
  return part?.pid === undefined ? {} : ({ [name]: part.pid } as Record<Name, number>)
}

function addresses({ xServer, sound }: { xServer: XServer; sound: AudioServer }): Addresses {
  const { display, displayNumber, authorityFile } = xServer
  const { server: pulseServer, cookieFile: pulseCookie } = sound
  const env = { DISPLAY: display, XAUTHORITY: authorityFile, PULSE_SERVER: pulseServer, PULSE_COOKIE: pulseCookie }
  const captureChild = { env, ...(xServer.ipc && { ipc: xServer.ipc }) }
  return { display, displayNumber, authorityFile, pulseServer, pulseCookie, captureChild }
}

function checkedIdentity(identity: Identity | undefined): Identity | undefined {
  const isRoot = process.getuid?.() === 0
  if (isRoot && (identity === undefined || identity.uid === 0 || identity.gid === 0)) {
    throw new NekoError('invalid', 'a node that runs as root must give each room an unprivileged user of its own')
  }
  if (!isRoot && identity !== undefined) {
    throw new NekoError('invalid', 'only a node that runs as root can give a room a user of its own')
  }
  return identity
}

/** Starts both servers side by side; when one fails, `undo` has the other. */
async function openServers(
  { screen, displayNumber, application, clock, log }: RoomDesktopOptions,
  folder: RoomFolder,
  undo: AsyncDisposableStack,
): Promise<{ xServer: XServer; sound: AudioServer }> {
  const identity = folder.identity
  // Chromium draws without OpenGL here; whatever else a user runs may want it.
  const glx = application.is !== 'chromium'
  const [xServer, sound] = await Promise.allSettled([
    openXServer({ folder, screen, displayNumber, glx, identity, clock, log }),
    openAudioServer({ folder, identity, clock, log }),
  ])
  const opened = [xServer, sound].flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []))
  undo.defer(async () => {
    await Promise.all(opened.map((server) => server[Symbol.asyncDispose]()))
  })
  if (xServer.status === 'rejected') {
    throw xServer.reason
  }
  if (sound.status === 'rejected') {
    throw sound.reason
  }
  return { xServer: xServer.value, sound: sound.value }
}
