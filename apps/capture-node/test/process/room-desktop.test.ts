import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { access, chown, readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { silentLog, systemClock, until, within } from '@neko-edge/kit'
import { displayFiles, isAlive, processesThat, recordingLog, roomUser, tempFolder } from '@neko-edge/testing/process'
import { describe, expect, it } from 'vitest'
import { openRoomDesktop, type RoomDesktop, type RoomDesktopOptions } from '../../src/process/room-desktop.ts'
import { windowNamed } from './windows.fixture.ts'

/** An application with a window: a test picture of GStreamer, which names its window after itself. */
const picture = { is: 'command', line: 'exec gst-launch-1.0 -q videotestsrc ! video/x-raw,framerate=5/1 ! ximagesink' } as const
const pictureWindow = /gst-launch/

function optionsFor(folder: string, more: Partial<RoomDesktopOptions> = {}): RoomDesktopOptions {
  const identity = roomUser()
  return {
    runFolder: join(folder, 'room'),
    ...(identity && { identity }),
    screen: { width: 1280, height: 720, rate: 30 },
    application: picture,
    clock: systemClock,
    log: silentLog,
    ...more,
  }
}

const pidOf = (desktop: RoomDesktop, part: 'xServer' | 'audioServer' | 'windowManager' | 'application'): number =>
  desktop.pids()[part] ?? expect.fail(`${part} is not up`)

/** Whether a process belongs to a run folder, by its command line or its descent from one that does. */
const commandLines = async (text: string): Promise<number[]> => {
  const pids = await processesThat(() => true)
  const lines = await Promise.all(pids.map(async (pid) => [pid, await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')] as const))
  return lines.filter(([pid, line]) => line.includes(text) && pid !== process.pid).map(([pid]) => pid)
}

describe('openRoomDesktop', () => {
  it('[PRC-50] is ready in well under a second, and shows its application maximised and undecorated', async () => {
    await using folder = await tempFolder()
    const start = performance.now()
    await using desktop = await openRoomDesktop(optionsFor(folder.path))
    const openMs = performance.now() - start
    const window = await until(
      async () => {
        const found = await windowNamed(desktop, pictureWindow)
        return found?.isMaximised ? found : undefined
      },
      { ms: 10_000, what: 'window' },
    )
    console.log(JSON.stringify({ openMs: Math.round(openMs), windowMs: Math.round(performance.now() - start) }))
    expect(openMs).toBeLessThan(3_000)
    expect(window.frame).toEqual([0, 0, 0, 0])
  })

  it('[PRC-51] leaves no process, lock, socket or folder behind, within 3 s', async () => {
    await using folder = await tempFolder()
    const desktop = await openRoomDesktop(optionsFor(folder.path))
    await until(() => windowNamed(desktop, pictureWindow), { ms: 10_000, what: 'window' })
    const pids = Object.values(desktop.pids())
    expect(pids).toHaveLength(4)
    const start = performance.now()
    await desktop[Symbol.asyncDispose]()
    expect(performance.now() - start).toBeLessThan(3_000)
    expect((await Promise.all(pids.map(isAlive))).filter(Boolean)).toEqual([])
    expect(await commandLines(folder.path)).toEqual([])
    expect(await displayFiles(desktop.display)).toEqual([])
    expect(await readdir(folder.path)).toEqual([])
    await desktop[Symbol.asyncDispose]()
  })

  it('[PRC-52] starts an application again that ended, and a window manager that was killed, and nothing else', async () => {
    await using folder = await tempFolder()
    await using desktop = await openRoomDesktop(optionsFor(folder.path))
    await until(() => windowNamed(desktop, pictureWindow), { ms: 10_000, what: 'window' })
    for (const part of ['application', 'windowManager'] as const) {
      const before = desktop.pids()
      const start = performance.now()
      process.kill(pidOf(desktop, part), 'SIGKILL')
      await until(() => desktop.pids()[part] !== before[part] && desktop.pids()[part], { ms: 5_000, what: part })
      await until(async () => (await windowNamed(desktop, pictureWindow))?.isMaximised, { ms: 10_000, what: 'window' })
      console.log(JSON.stringify({ killed: part, gapMs: Math.round(performance.now() - start) }))
      expect(desktop.pids()).toMatchObject({ ...before, [part]: expect.not.toBeOneOf([before[part]]) })
    }
  })

  it('[PRC-53] brings display, window manager and application back when the X server was killed, and tells', async () => {
    await using folder = await tempFolder()
    await using desktop = await openRoomDesktop(optionsFor(folder.path))
    await until(() => windowNamed(desktop, pictureWindow), { ms: 10_000, what: 'window' })
    const before = desktop.pids()
    const told: string[] = []
    desktop.xServer.onDown(() => told.push('down'))
    desktop.xServer.onUp(() => told.push('up'))
    desktop.audioServer.onDown(() => told.push('audio down'))
    const start = performance.now()
    process.kill(pidOf(desktop, 'xServer'), 'SIGKILL')
    await until(() => told.includes('up'), { ms: 5_000, what: 'X server' })
    const upMs = performance.now() - start
    await until(async () => (await windowNamed(desktop, pictureWindow))?.isMaximised, { ms: 10_000, what: 'window' })
    console.log(JSON.stringify({ killed: 'xServer', gapMs: Math.round(upMs), windowMs: Math.round(performance.now() - start) }))
    expect(told).toEqual(['down', 'up'])
    const after = desktop.pids()
    expect(after.audioServer).toBe(before.audioServer)
    expect([after.xServer, after.windowManager, after.application]).not.toContain(undefined)
    expect(await isAlive(before.application ?? 0)).toBe(false)
    expect(await isAlive(before.windowManager ?? 0)).toBe(false)
  })

  it('[PRC-54] restarts only the audio server when that was killed, and tells', async () => {
    await using folder = await tempFolder()
    await using desktop = await openRoomDesktop(optionsFor(folder.path))
    await until(() => desktop.pids().application, { ms: 5_000, what: 'application' })
    const before = desktop.pids()
    const told: string[] = []
    desktop.audioServer.onDown(() => told.push('down'))
    desktop.audioServer.onUp(() => told.push('up'))
    const start = performance.now()
    process.kill(pidOf(desktop, 'audioServer'), 'SIGKILL')
    await until(() => told.includes('up'), { ms: 5_000, what: 'audio server' })
    console.log(JSON.stringify({ killed: 'audioServer', gapMs: Math.round(performance.now() - start) }))
    expect(told).toEqual(['down', 'up'])
    expect(desktop.pids()).toEqual({ ...before, audioServer: pidOf(desktop, 'audioServer') })
  })

  it('[PRC-55] dies with a node that was killed, and the next start takes its display and folder over', async () => {
    await using folder = await tempFolder()
    const { log: _log, clock: _clock, ...options } = optionsFor(folder.path)
    await using node = startNode(options)
    const { display, pids } = await node.said
    node.kill()
    await until(async () => (await Promise.all(Object.values(pids ?? {}).map(isAlive))).every((alive) => !alive), {
      ms: 3_000,
      what: 'end',
    })
    await until(async () => (await commandLines(folder.path)).length === 0, { ms: 3_000, what: 'end of all' })
    await using desktop = await openRoomDesktop({ ...options, clock: systemClock, log: silentLog })
    expect(desktop.display).toBe(display)
  })

  it('[PRC-56] works as an ordinary user, too, with a network of the application’s own', async () => {
    await using folder = await tempFolder()
    const identity = roomUser()
    if (identity !== undefined) {
      await chown(folder.path, identity.uid, identity.gid)
    }
    const {
      identity: _identity,
      log: _log,
      clock: _clock,
      ...options
    } = optionsFor(folder.path, {
      application: { is: 'command', line: `grep -c : /proc/net/dev >~/interfaces; ${picture.line}` },
      network: { deny: [] },
    })
    await using node = startNode(options, asUser(identity))
    const said = await node.said
    expect(said.error).toBeUndefined()
    const at = { display: said.display ?? '', authorityFile: said.authorityFile ?? '' }
    await until(async () => (await windowNamed(at, pictureWindow))?.isMaximised, { ms: 10_000, what: 'window' })
    expect((await readFile(join(folder.path, 'room/home/interfaces'), 'utf8')).trim()).toBe('2')
    await node.end()
    expect(await displayFiles(at.display)).toEqual([])
    await expect(access(join(folder.path, 'room'))).rejects.toThrow()
  })

  it('[PRC-57] refuses where user namespaces are off, unless the risk was accepted by name', async () => {
    await using folder = await tempFolder()
    const identity = roomUser()
    if (identity !== undefined) {
      await chown(folder.path, identity.uid, identity.gid)
    }
    const { identity: _identity, log: _log, clock: _clock, ...options } = optionsFor(folder.path)
    const drop = asUser(identity)
    // A user namespace in which no further one can be made: what the kernel setting does to a whole machine.
    const without = [
      'unshare',
      '--user',
      '--map-current-user',
      '--keep-caps',
      'sh',
      '-c',
      'echo 0 >/proc/sys/user/max_user_namespaces && exec "$@"',
      'sh',
    ]
    await using refused = startNode(options, [...drop, ...without])
    expect((await refused.said).error).toMatch(/can not be caged: .*user namespaces.*allowUncaged/)
    await refused.end()
    expect(await readdir(folder.path)).toEqual([])
    await using accepted = startNode({ ...options, allowUncaged: true }, [...drop, ...without])
    const said = await accepted.said
    expect(said.error).toBeUndefined()
    const at = { display: said.display ?? '', authorityFile: said.authorityFile ?? '' }
    await until(async () => (await windowNamed(at, pictureWindow))?.isMaximised, { ms: 10_000, what: 'window' })
    await accepted.end()
  })

  it('[PRC-58] refuses a node that is root without a user for the room, and says when a path does not work', async () => {
    await using folder = await tempFolder()
    const { identity, ...options } = optionsFor(folder.path)
    if (process.getuid?.() === 0) {
      await expect(openRoomDesktop(options)).rejects.toThrow('must give each room an unprivileged user')
      await expect(openRoomDesktop({ ...options, identity: { uid: 0, gid: 0 } })).rejects.toThrow('unprivileged user')
    } else {
      await expect(openRoomDesktop({ ...options, identity: { uid: 12_345, gid: 12_345 } })).rejects.toThrow('only a node that runs as root')
    }
    const tooLong = { ...options, ...(identity && { identity }), runFolder: join(folder.path, 'x'.repeat(99)) }
    await expect(openRoomDesktop(tooLong)).rejects.toThrow('too long')
    expect(await readdir(folder.path)).toEqual([])
  })

  it('[PRC-59] keeps trying, ever more slowly, with an application that ends at once, and still closes quickly', async () => {
    await using folder = await tempFolder()
    const { log, lines } = recordingLog()
    const desktop = await openRoomDesktop(optionsFor(folder.path, { application: { is: 'command', line: 'exit 4' }, log }))
    const delays = (): number[] =>
      lines
        .filter(({ message, fields }) => message === 'part went down' && fields['part'] === 'application')
        .map(({ fields }) => Number(fields['delayMs']))
    await until(() => delays().length >= 4, { ms: 5_000, what: 'four tries' })
    expect(delays().slice(0, 4)).toEqual([50, 100, 200, 400])
    const start = performance.now()
    await desktop[Symbol.asyncDispose]()
    expect(performance.now() - start).toBeLessThan(2_000)
  })
})

interface Said {
  readonly display?: string
  readonly authorityFile?: string
  readonly pids?: Readonly<Record<string, number>>
  readonly error?: string
}

interface Node extends AsyncDisposable {
  readonly said: Promise<Said>
  /** kill -9. */
  kill(): void
  /** Lets it close; resolves when it has gone. */
  end(): Promise<void>
}

const repository = join(import.meta.dirname, '../../../..')

/**
 * A command that runs the next one as an ordinary user, who finds the repository at /mnt as well: it may lie in a folder that only its owner
 * can enter. Empty for one who is no root to begin with.
 */
const asUser = (identity: RoomDesktopOptions['identity']): readonly string[] =>
  identity === undefined
    ? []
    : [
        ...['unshare', '--mount', '--propagation', 'private', 'sh', '-c', 'mount --rbind "$0" /mnt && exec "$@"', repository],
        ...['setpriv', '--reuid', `${identity.uid}`, '--regid', `${identity.gid}`, '--clear-groups', '--'],
      ]

/** Another process that opens a room's desktop, behind the command `before`. */
function startNode(options: Omit<RoomDesktopOptions, 'log' | 'clock'>, before: readonly string[] = []): Node {
  const program = [process.execPath, join(import.meta.dirname, 'open-desktop.fixture.ts')]
  const reached = program.map((path) => (before.includes(repository) ? path.replace(repository, '/mnt') : path))
  const [first = '', ...rest] = [...before, ...reached, JSON.stringify(options)]
  const node = spawn(first, rest, { stdio: ['pipe', 'pipe', 'inherit'], ...(before.length > 0 && { cwd: '/' }) })
  const gone = once(node, 'exit')
  const said = within(15_000, 'the other node', once(node.stdout, 'data')).then(([line]) => JSON.parse(String(line)) as Said)
  const end = async (): Promise<void> => {
    node.stdin.end()
    await within(5_000, 'end of the other node', gone)
  }
  return {
    said,
    end,
    kill: () => void node.kill('SIGKILL'),
    [Symbol.asyncDispose]: async () => (node.exitCode === null && node.signalCode === null ? end() : undefined),
  }
}
