import type { Log } from '@neko-edge/kit'
import { cageArgs, cageEnvironment, cageHome, spawnCaged, uncagedError, whyNotCaged } from './cage.ts'
import { type Child, type Identity, findProgram, spawnChild } from '@neko-edge/process'
import { chromiumCommand, chromiumPolicies, chromiumProgram, policyFolder } from './chromium.ts'
import type { AudioServer } from './pulse.ts'
import type { RoomFolder } from './room-folder.ts'
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
  readonly identity: Identity | undefined
  /** Folders of the node that the application must not see, wherever they lie. */
  readonly hidden: readonly string[]
  /** Runs the application outside a cage where cages do not work, instead of refusing. Chromium then runs without its own sandbox and without policies, too. */
  readonly allowUncaged: boolean
  readonly log: Log
}

/** The application named by an option's text: a preset's name, or else a command line; `url` is the page a browser starts with. */
export function applicationFrom(text: string, url?: string): Application {
  return text === 'chromium' ? { is: 'chromium', ...(url !== undefined && { url }) } : { is: 'command', line: text }
}

/**
 * Makes the application's home (empty, gone with the room) and its cage; gives the function that starts one run of it.
 * Throws `unavailable` when a program is missing, or when this machine can not cage and `allowUncaged` is not set.
 */
export async function prepareApplication(options: ApplicationOptions): Promise<() => Child> {
  const { application, folder, log, identity } = options
  if (application.is === 'chromium') {
    findProgram(chromiumProgram, 'chromium')
  }
  const why = await whyNotCaged(identity, log)
  const home = await folder.folder('home')
  if (why === undefined) {
    return cagedApplication(options, home)
  }
  if (!options.allowUncaged) {
    throw uncagedError(why)
  }
  log.warn({ why }, 'the application runs without a cage')
  return uncagedApplication(options, home)
}

async function cagedApplication(
  { application, folder, xServer, sound, hidden, identity, log }: ApplicationOptions,
  home: string,
): Promise<() => Child> {
  const { ipc } = xServer
  await folder.folder('cage')
  const args = cageArgs({
    home,
    displayNumber: xServer.displayNumber,
    authorityFile: xServer.authorityFile,
    soundFolder: sound.folder,
    shown: { ...(await accounts(folder, identity)), ...(await shownFor(application, folder)) },
    hidden,
    network: 'shared',
    ownIpc: ipc === undefined,
  })
  const command = application.is === 'chromium' ? chromiumCommand(application) : ['/bin/sh', '-c', application.line]
  const child = {
    name: 'application',
    log,
    graceMs: 500,
    levels: { stderr: 'debug' },
    ...(identity && { identity }),
    ...(ipc && { ipc }),
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
  return { [`${policyFolder}/policies.json`]: await folder.file('cage/policies.json', policies) }
}

function uncagedApplication({ application, xServer, sound, identity, log }: ApplicationOptions, home: string): () => Child {
  const command: [string, ...string[]] =
    application.is === 'chromium'
      ? [...chromiumCommand({ ...application, profile: `${home}/.config/chromium` }), '--no-sandbox']
      : ['/bin/sh', '-c', application.line]
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
      command,
      env,
      cwd: home,
      log,
      graceMs: 500,
      levels: { stderr: 'debug' },
      ...(identity && { identity }),
      ...(ipc && { ipc }),
    })
}
