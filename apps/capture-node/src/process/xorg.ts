import { join } from 'node:path'
import { Backoff, type Clock, type Log, NekoError, within } from '@neko-edge/kit'
import { type Child, type Identity, type IpcNamespace, Supervised, saysReady, spawnChild } from '@neko-edge/process'
import { claimDisplayNumber } from './display-number.ts'
import type { RoomFolder } from './room-folder.ts'
import { newCookie, xAuthority } from './x-authority.ts'
import { type ScreenMode, xorgConfig } from './xorg-config.ts'

/** The server itself: `/usr/bin/Xorg` may be a wrapper that refuses users without a console. */
const xorgProgram = '/usr/lib/xorg/Xorg'

export interface XServerOptions {
  readonly folder: RoomFolder
  readonly screen: ScreenMode
  /** The number of its display; the first free one where nothing is said. */
  readonly displayNumber?: number | undefined
  /** Whether applications get OpenGL over the display; it costs the server 50 MB and 30 ms of its start. */
  readonly glx: boolean
  readonly identity: Identity | undefined
  readonly clock: Clock
  readonly log: Log
}

/** A room's own X server, kept running under one display number with one cookie. */
export interface XServer extends AsyncDisposable {
  /** As in `DISPLAY`: `:100`. */
  readonly display: string
  readonly displayNumber: number
  /** As in `XAUTHORITY`. */
  readonly authorityFile: string
  readonly supervised: Supervised
  /** The server's IPC namespace, which every client that shares memory with it must run in; `undefined` where the server shares none. */
  readonly ipc: IpcNamespace | undefined
}

/** Starts an X server with the dummy driver in `screen`; resolves when it takes clients. Listens on its socket in /tmp/.X11-unix and nowhere else. */
export async function openXServer(options: XServerOptions): Promise<XServer> {
  await using undo = new AsyncDisposableStack()
  const { number } = undo.use(await claimDisplayNumber(options.displayNumber))
  const { folder, clock, log } = options
  const home = await folder.folder('xorg')
  const authorityFile = await folder.file('xorg/authority', xAuthority(newCookie()))
  const config = await folder.file('xorg/xorg.conf', xorgConfig(options.screen))
  const configFolder = await folder.folder('xorg/conf.d')
  const ownsIpc = await canOwnIpc(log)
  if (!ownsIpc) {
    log.warn({}, 'no IPC namespace of its own for the X server: capture without shared memory costs more')
  }
  const command = [
    xorgProgram,
    ...[`:${number}`, '-auth', authorityFile, '-config', config, '-configdir', configFolder],
    ...['-logfile', join(home, 'xorg.log'), '-verbose', '0', '-logverbose', '3'],
    // `local` is the abstract socket, which is seen from every cage that shares the network namespace.
    ...['-noreset', '-nolisten', 'tcp', '-nolisten', 'local', '-keeptty', '-displayfd', '3'],
    ...(options.glx ? [] : ['-extension', 'GLX']),
    ...(ownsIpc ? [] : ['-extension', 'MIT-SHM']),
  ] as const
  const spawn = (): Child =>
    spawnChild({
      name: 'xorg',
      command,
      env: { HOME: home },
      extraPipes: 1,
      levels: { stdout: 'debug', stderr: 'debug' },
      log,
      aptPackage: 'xserver-xorg-core xserver-xorg-video-dummy',
      ...(options.identity && { identity: options.identity }),
      ...(ownsIpc && { ipc: 'own' as const }),
    })
  const backoff = new Backoff({ firstMs: 20 })
  // Xorg writes its display number to `-displayfd` once it takes clients.
  const supervised = undo.use(await Supervised.start({ name: 'X server', spawn, ready: saysReady, backoff, clock, log }))
  const owned = undo.move()
  return {
    display: `:${number}`,
    displayNumber: number,
    authorityFile,
    supervised,
    ipc: ownsIpc ? { of: () => pidOf(supervised) } : undefined,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

function pidOf({ pid }: Supervised): number {
  if (pid === undefined) {
    throw new NekoError('unavailable', 'the X server is down; it will be back')
  }
  return pid
}

/** Whether children of this process can be given an IPC namespace of their own. */
async function canOwnIpc(log: Log): Promise<boolean> {
  await using probe = spawnChild({ name: 'ipc probe', command: ['true'], env: {}, ipc: 'own', levels: { stderr: 'debug' }, log })
  const { code } = await within(5_000, 'trial of an IPC namespace', probe.exited)
  return code === 0
}
