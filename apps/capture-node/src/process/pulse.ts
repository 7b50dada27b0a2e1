import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { Backoff, type Clock, type Log, until } from '@neko-edge/kit'
import { type Child, type Identity, Supervised, spawnChild } from '@neko-edge/process'
import { pulseDaemonConfig, pulseScript } from './pulse-config.ts'
import type { RoomFolder } from './room-folder.ts'
import { refusalOf } from './unix-socket.ts'

export interface AudioServerOptions {
  readonly folder: RoomFolder
  readonly identity: Identity | undefined
  readonly clock: Clock
  readonly log: Log
}

/** A room's own PulseAudio, kept running under one socket with one cookie. */
export interface AudioServer extends AsyncDisposable {
  /** The folder with the socket `native` and the file `cookie`, and nothing else. */
  readonly folder: string
  /** As in `PULSE_SERVER`. */
  readonly server: string
  /** As in `PULSE_COOKIE`: the file whose content lets a client of another user in. */
  readonly cookieFile: string
  readonly supervised: Supervised
}

/** Starts a private PulseAudio with the room's sinks and microphone; resolves when it takes clients. No bus, no system-wide state, one socket. */
export async function openAudioServer({ folder, identity, clock, log }: AudioServerOptions): Promise<AudioServer> {
  const home = await folder.folder('pulse')
  const soundFolder = await folder.folder('sound')
  const socket = join(soundFolder, 'native')
  const cookieFile = await folder.file('sound/cookie', randomBytes(256))
  const script = await folder.file('pulse/default.pa', pulseScript({ socket, cookie: cookieFile }))
  const daemonConfig = await folder.file('pulse/daemon.conf', pulseDaemonConfig)
  const spawn = (): Child =>
    spawnChild({
      name: 'pulseaudio',
      command: ['pulseaudio', '-n', '-F', script, '--log-target=stderr', '--log-level=warn'],
      env: {
        HOME: home,
        USER: 'neko',
        XDG_RUNTIME_DIR: home,
        PULSE_CONFIG: daemonConfig,
        PULSE_RUNTIME_PATH: home,
        PULSE_STATE_PATH: home,
      },
      levels: { stderr: 'debug' },
      log,
      aptPackage: 'pulseaudio',
      ...(identity && { identity }),
    })
  const ready = async (_child: Child, signal: AbortSignal): Promise<void> => {
    await until(async () => signal.aborted || (await refusalOf(socket)) === undefined, {
      ms: 10_000,
      what: 'the socket of PulseAudio',
      everyMs: 5,
    })
  }
  const backoff = new Backoff({ firstMs: 20 })
  const supervised = await Supervised.start({ name: 'audio server', spawn, ready, backoff, clock, log })
  return {
    folder: soundFolder,
    server: `unix:${socket}`,
    cookieFile,
    supervised,
    [Symbol.asyncDispose]: () => supervised[Symbol.asyncDispose](),
  }
}
