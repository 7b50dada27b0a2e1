import type { Log } from '@neko-edge/kit'
import { type Child, findProgram, type Identity, spawnChild } from '@neko-edge/process'
import { cageArgs, cageEnvironment, cageHome, cageUploads, spawnCaged, uncagedError, whyNotCaged } from './cage.ts'
import { chromiumCommand, chromiumPolicies, chromiumProgram, policyFolder } from './chromium.ts'
import { listeningForLinks, sendLink } from './link-pipe.ts'
import type { AudioServer } from './pulse.ts'
import type { RoomFolder } from './room-folder.ts'
import type { RoomNetwork } from './room-network.ts'
import type { XServer } from './xorg.ts'

/** What a room runs: a preset, or a command line for /bin/sh that finds the read-only system and what is `shown` (path inside → path outside, such as /opt/app). */
export type Application =
  | { readonly is: 'chromium'; readonly url?: string; readonly policies?: Readonly<Record<string, unknown>> }
  | { readonly is: 'command'; readonly line: string; readonly shown?: Readonly<Record<string, string>> }

export interface ApplicationOptions {
  readonly application: Application
  readonly folder: RoomFolder
  readonly xServer: Pick<XServer, 'display' | 'displayNumber' | 'authorityFile' | 'ipc'>
  readonly sound: Pick<AudioServer, 'folder' | 'server' | 'cookieFile'>
  /** The application's own network; without one it has the machine's. */
  readonly network: Pick<RoomNetwork, 'namespace' | 'resolvConf'> | undefined
  readonly identity: Identity | undefined
  /** The transfer directory, where the room has one; the application can write it. */
  readonly transfer: string | undefined
  /** The words of the command that opens a link; none where links are not opened. */
  readonly opener: readonly string[]
  /** Folders of the node that the application must not see, wherever they lie. */
  readonly hidden: readonly string[]
  /** Runs the application outside a cage where cages do not work, instead of refusing. Chromium then runs without its own sandbox and without policies, too. */
  readonly allowUncaged: boolean
  readonly log: Log
}

/** An application that is ready to run. */
export interface PreparedApplication {
  /** Starts one run. */
  readonly spawn: () => Child
  /** The folder for files that users send, and the same as the application sees it. */
  readonly uploads: { readonly outside: string; readonly inside: string }
  /** Opens a link in the present run; `false` where there is none, or links are not opened. */
  readonly openLink: (url: string) => boolean
}

/**
 * The application named by an option's text: a preset's name, or else a command line; `url` is the page a browser starts with. A browser asks
 * for files only where its dialogs are answered by the clients: elsewhere they would show the server's.
 */
export function applicationFrom(text: string, { url, answersDialogs }: { url?: string; answersDialogs: boolean }): Application {
  const policies = { ...chromiumPolicies, AllowFileSelectionDialogs: answersDialogs }
  return text === 'chromium' ? { is: 'chromium', policies, ...(url !== undefined && { url }) } : { is: 'command', line: text }
}

/**
 * Makes the application's home (empty, gone with the room), its folder for files, and its cage.
 * Throws `unavailable` when a program is missing, or when this machine can not cage and `allowUncaged` is not set.
 */
export async function prepareApplication(options: ApplicationOptions): Promise<PreparedApplication> {
  const { application, folder, log, identity } = options
  if (application.is === 'chromium') {
    findProgram(chromiumProgram, 'chromium')
  }
  const why = await whyNotCaged(identity, log)
  const folders = { home: await folder.folder('home'), uploads: await folder.folder('uploads') }
  if (why === undefined) {
    return prepared(await cagedApplication(options, folders), { inside: cageUploads, folders, options })
  }
  if (!options.allowUncaged) {
    throw uncagedError(why)
  }
  log.warn({ why }, 'the application runs without a cage')
  return prepared(uncagedApplication(options, folders.home), { inside: folders.uploads, folders, options })
}

interface Folders {
  readonly home: string
  readonly uploads: string
}

function prepared(
  start: () => Child,
  { inside, folders, options }: { inside: string; folders: Folders; options: ApplicationOptions },
): PreparedApplication {
  let run: Child | undefined
  return {
    spawn() {
      run = start()
      return run
    },
    uploads: { outside: folders.uploads, inside },
    openLink: (url) => options.opener.length > 0 && sendLink(run, url),
  }
}

async function cagedApplication(
  { application, folder, xServer, sound, network, transfer, opener, hidden, identity, log }: ApplicationOptions,
  { home, uploads }: Folders,
): Promise<() => Child> {
  const { ipc } = xServer
  await folder.folder('cage')
  const args = cageArgs({
    home,
    displayNumber: xServer.displayNumber,
    authorityFile: xServer.authorityFile,
    soundFolder: sound.folder,
    uploads,
    transfer,
    shown: {
      ...(await accounts(folder, identity)),
      ...(network && { '/etc/resolv.conf': network.resolvConf }),
      ...(await shownFor(application, folder)),
    },
    hidden,
    ownIpc: ipc === undefined,
  })
  const plain = application.is === 'chromium' ? chromiumCommand(application) : ['/bin/sh', '-c', application.line]
  const command = listeningForLinks(plain, { opener, fd: 4 })
  const child = {
    name: 'application',
    log,
    graceMs: 500,
    levels: { stderr: 'debug' },
    morePipes: opener.length > 0 ? 1 : 0,
    ...(identity && { identity }),
    ...(ipc && { ipc }),
    ...(network && { net: network.namespace }),
  } as const
  return () => spawnCaged(command, args, child)
}

/** The two account files of a cage: its user, under the name and home that it has inside. */
async function accounts(folder: RoomFolder, identity: Identity | undefined): Promise<Record<string, string>> {
  const uid = identity?.uid ?? process.getuid?.() ?? 0
  const gid = identity?.gid ?? process.getgid?.() ?? 0
  return {
    '/etc/passwd': await folder.file('cage/passwd', `neko:x:${uid}:${gid}:neko:${cageHome}:/bin/sh\n`),
    '/etc/group': await folder.file('cage/group', `neko:x:${gid}:\n`),
  }
}

async function shownFor(application: Application, folder: RoomFolder): Promise<Readonly<Record<string, string>>> {
  if (application.is === 'command') {
    return application.shown ?? {}
  }
  const policies = JSON.stringify(application.policies ?? chromiumPolicies, undefined, 2)
  return {
    [`${policyFolder}/policies.json`]: await folder.file('cage/policies.json', policies),
    // `xdg-open` calls Debian's script, which fails where this folder has no file; the machine's own are not the room's business.
    '/etc/chromium.d/none': await folder.file('cage/none', ''),
  }
}

function uncagedApplication(
  { application, xServer, sound, network, opener, identity, log }: ApplicationOptions,
  home: string,
): () => Child {
  const plain: readonly string[] =
    application.is === 'chromium'
      ? [...chromiumCommand({ ...application, profile: `${home}/.config/chromium` }), '--no-sandbox']
      : ['/bin/sh', '-c', application.line]
  const [program = '/bin/sh', ...args] = listeningForLinks(plain, { opener, fd: 3 })
  const env = {
    ...cageEnvironment(xServer.displayNumber),
    HOME: home,
    XDG_RUNTIME_DIR: home,
    XAUTHORITY: xServer.authorityFile,
    PULSE_SERVER: sound.server,
    PULSE_COOKIE: sound.cookieFile,
  }
  const { ipc } = xServer
  return () =>
    spawnChild({
      name: 'application',
      command: [program, ...args],
      extraPipes: opener.length > 0 ? 1 : 0,
      env,
      cwd: home,
      log,
      graceMs: 500,
      levels: { stderr: 'debug' },
      ...(identity && { identity }),
      ...(ipc && { ipc }),
      ...(network && { net: network.namespace }),
    })
}
