/**
 * The cage of an application. Whoever holds the controls of a room holds the powers of the application's process, so it runs as
 * the room's own user, in user, mount, PID, UTS and cgroup namespaces of its own and the IPC namespace of the room: a read-only system without the machine's
 * accounts, configuration and data, a home of its own, and no process but its own. The X socket and the sound's folder are bound in.
 * The network is the room's own (`room-network.ts`) or the machine's.
 */
import { lstatSync, readlinkSync, realpathSync, statSync } from 'node:fs'
import { type Log, NekoError, within } from '@neko-edge/kit'
import { type Child, findProgram, type Identity, type Namespaces, spawnChild } from '@neko-edge/process'
import { displaySocket } from './display-number.ts'

/** The application's home as it sees it; the same in every room. */
export const cageHome = '/home/neko'
const cageRuntime = '/run/neko'
/** Where the application finds files that users sent it: it can read them only. */
export const cageUploads = `${cageRuntime}/uploads`
/** Where a browser puts what it downloads: the room's transfer directory, where it has one. */
const cageTransfer = `${cageHome}/Downloads`

export interface CageOptions {
  /** The folder that becomes the application's home: all that it can write and that outlives its run. */
  readonly home: string
  readonly displayNumber: number
  readonly authorityFile: string
  /** The folder with the sound server's socket `native` and its `cookie`; a folder, so that a new socket shows up after a restart. */
  readonly soundFolder: string
  /** Files and folders shown read-only: path inside → path outside. */
  readonly shown: Readonly<Record<string, string>>
  /** The folder of files that users sent. */
  readonly uploads: string
  /** The transfer directory, which the application can write too. */
  readonly transfer: string | undefined
  /** Folders that stay empty although they lie below something shown, such as the node's own under /usr. */
  readonly hidden: readonly string[]
  /** Whether the cage makes an IPC namespace; not where it is started in the X server's. */
  readonly ownIpc: boolean
}

/** Parts of /etc that applications need: names, fonts, certificates, time zone, libraries. No accounts, no secrets, no services. */
const shownEtc = [
  ...['alternatives', 'ca-certificates', 'drirc', 'fonts', 'gai.conf', 'gtk-2.0', 'gtk-3.0', 'gtk-4.0', 'host.conf', 'hosts'],
  ...['ld.so.cache', 'ld.so.conf', 'ld.so.conf.d', 'locale.alias', 'localtime', 'mime.types', 'nsswitch.conf', 'protocols'],
  ...['resolv.conf', 'services', 'ssl/certs', 'ssl/openssl.cnf', 'timezone', 'vulkan'],
]

/** /bin, /lib and their like: links into /usr on a merged system, folders on an old one. */
function systemFolders(): string[] {
  return ['bin', 'lib', 'lib32', 'lib64', 'libx32', 'sbin'].flatMap((name) => {
    const entry = lstatSync(`/${name}`, { throwIfNoEntry: false })
    if (entry === undefined) {
      return []
    }
    return entry.isSymbolicLink() ? ['--symlink', readlinkSync(`/${name}`), `/${name}`] : ['--ro-bind', `/${name}`, `/${name}`]
  })
}

/** Where a folder really lies; nothing where there is none, since bwrap could not cover it. */
function realFolder(path: string): string[] {
  const isFolder = statSync(path, { throwIfNoEntry: false })?.isDirectory() === true
  return isFolder ? [realpathSync(path)] : []
}

/** The environment of an application in its cage. */
export function cageEnvironment(displayNumber: number): Readonly<Record<string, string>> {
  return {
    HOME: cageHome,
    USER: 'neko',
    LOGNAME: 'neko',
    SHELL: '/bin/sh',
    PATH: '/usr/local/bin:/usr/bin:/bin',
    LANG: 'C.UTF-8',
    DISPLAY: `:${displayNumber}`,
    XAUTHORITY: `${cageRuntime}/authority`,
    XDG_RUNTIME_DIR: cageRuntime,
    PULSE_SERVER: `unix:${cageRuntime}/sound/native`,
    PULSE_COOKIE: `${cageRuntime}/sound/cookie`,
    // Without it GTK and Chromium start a bus of their own and wait for its services.
    DBUS_SESSION_BUS_ADDRESS: 'disabled:',
    NO_AT_BRIDGE: '1',
  }
}

/** The arguments of bwrap up to the command. */
export function cageArgs(options: CageOptions): string[] {
  const socket = displaySocket(options.displayNumber)
  const visible = (path: string): boolean =>
    ['/usr', ...Object.keys(options.shown)].some((top) => path === top || path.startsWith(`${top}/`))
  return [
    ...['--die-with-parent', '--new-session'],
    ...['--unshare-user', '--unshare-pid', '--unshare-uts', '--unshare-cgroup-try', '--hostname', 'neko'],
    ...(options.ownIpc ? ['--unshare-ipc'] : []),
    ...['--ro-bind', '/usr', '/usr', ...systemFolders()],
    ...['--perms', '0755', '--tmpfs', '/etc', ...shownEtc.flatMap((name) => ['--ro-bind-try', `/etc/${name}`, `/etc/${name}`])],
    ...['--ro-bind-try', '/var/cache/fontconfig', '/var/cache/fontconfig'],
    ...['--proc', '/proc', '--dev', '/dev', '--perms', '1777', '--tmpfs', '/dev/shm', '--perms', '1777', '--tmpfs', '/tmp'],
    ...['--perms', '0700', '--tmpfs', cageRuntime, '--bind', options.home, cageHome],
    ...['--ro-bind', socket, socket, '--ro-bind', options.authorityFile, `${cageRuntime}/authority`],
    ...['--ro-bind', options.soundFolder, `${cageRuntime}/sound`, '--ro-bind', options.uploads, cageUploads],
    ...(options.transfer === undefined ? [] : ['--bind', options.transfer, cageTransfer]),
    ...Object.entries(options.shown).flatMap(([inside, outside]) => ['--ro-bind', outside, inside]),
    ...options.hidden
      .flatMap(realFolder)
      .filter(visible)
      .flatMap((path) => ['--tmpfs', path, '--remount-ro', path]),
    ...['--remount-ro', '/etc', '--remount-ro', '/', '--chdir', cageHome, '--clearenv'],
    ...Object.entries(cageEnvironment(options.displayNumber)).flatMap(([name, value]) => ['--setenv', name, value]),
  ]
}

/**
 * Starts `command` in bwrap. The arguments go over a pipe, since the application can read its supervisor's command line
 * and would find the node's paths there. Everything in the cage dies with bwrap, whatever session it moved to.
 */
export function spawnCaged(command: readonly string[], args: readonly string[], child: CagedChild): Child {
  const caged = spawnChild({
    ...child,
    command: ['bwrap', '--args', '3', '--', ...command],
    env: {},
    extraPipes: 1 + (child.morePipes ?? 0),
    aptPackage: 'bubblewrap',
  })
  const [pipe] = caged.pipes
  pipe?.end(args.map((arg) => `${arg}\0`).join(''))
  return caged
}

export interface CagedChild extends Namespaces {
  readonly name: string
  readonly identity?: Identity
  /** Pipes that the command finds at descriptors 4, 5, …; they are `child.pipes` from 1 on. */
  readonly morePipes?: number
  readonly log: Log
  readonly graceMs?: number
  readonly levels?: { readonly stdout?: 'debug'; readonly stderr?: 'debug' }
}

/**
 * Whether applications can be caged here: bwrap works for `identity`, and a browser in it can still make its own sandbox.
 * Throws `unavailable` when bubblewrap is missing; gives what stands in the way, or `undefined`.
 */
export async function whyNotCaged(identity: Identity | undefined, log: Log): Promise<string | undefined> {
  findProgram('bwrap', 'bubblewrap')
  const nested = ['/usr/bin/unshare', '--user', '--', '/usr/bin/true']
  const args = [
    '--unshare-user',
    '--unshare-pid',
    '--unshare-ipc',
    '--die-with-parent',
    '--ro-bind',
    '/usr',
    '/usr',
    ...systemFolders(),
    '--proc',
    '/proc',
    '--dev',
    '/dev',
  ]
  await using probe = spawnCaged(nested, args, { name: 'cage probe', log, ...(identity && { identity }) })
  const { code } = await within(5_000, 'trial of the cage', probe.exited)
  return code === 0
    ? undefined
    : "unprivileged user namespaces do not work here (see the kernel settings user.max_user_namespaces and kernel.unprivileged_userns_clone, or a container's seccomp profile)"
}

/** The error for a node that can not cage and was not told to accept that. */
export function uncagedError(why: string): NekoError {
  return new NekoError(
    'unavailable',
    `the application can not be caged: ${why}. Whoever holds the controls could read this user's files; accept that with the option allowUncaged`,
  )
}
