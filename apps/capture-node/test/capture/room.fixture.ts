/** A real desktop for capture tests: X server, PulseAudio with upstream's devices, a moving picture, a tone. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createLog, type Log, silentLog, systemClock, until } from '@neko-edge/kit'
import { GstInstallation } from '../../src/capture/gst-installation.ts'
import type { PipelineEnvironment } from '../../src/capture/pipeline-process.ts'
import { startXorg, type TestXorg } from '../desktop/xorg.fixture.ts'

/**
 * Upstream's devices, on a socket of our own. `norewinds` makes the idle sink look up every 50 ms instead of every 2 s,
 * which is how long the first sound would otherwise take; suspended, it costs nothing at all.
 */
const pulseScript = (socket: string) => `
load-module module-null-sink sink_name=audio_output norewinds=1 rate=48000 sink_properties=device.description="audio_output"
load-module module-null-sink sink_name=audio_input norewinds=1 rate=48000 sink_properties=device.description="audio_input"
load-module module-virtual-source source_name=microphone master=audio_input.monitor
load-module module-suspend-on-idle timeout=1
load-module module-native-protocol-unix auth-anonymous=1 socket=${socket}
`

/** Shared by all tests of a machine: looking at the plugins takes seconds. */
const gstFolder = join(tmpdir(), 'neko-test-gstreamer')

export interface TestRoom extends AsyncDisposable {
  readonly xorg: TestXorg
  readonly display: string
  readonly gst: GstInstallation
  readonly environment: PipelineEnvironment
  /** Runs a program in the room and gives its output. */
  run(program: string, ...args: readonly string[]): string
  /** Starts a pipeline in the room; it ends with the room, or when the returned function is called. */
  play(pipeline: string): () => void
}

async function stopped(child: ChildProcess): Promise<void> {
  child.kill('SIGKILL')
  await until(() => child.exitCode !== null || child.signalCode !== null, { ms: 5_000, what: `the end of ${child.spawnfile}` })
}

/** NEKO_TEST_LOG=1 prints what the children say. */
const testLog: Log = createLog((level, fields, message) => console.error(level, message, JSON.stringify(fields)))

export async function startRoom({ sound = true, log = silentLog }: { sound?: boolean; log?: Log | 'print' } = {}): Promise<TestRoom> {
  await using stack = new AsyncDisposableStack()
  const folder = await mkdtemp(join(tmpdir(), 'neko-capture-'))
  stack.defer(() => rm(folder, { recursive: true, force: true }))
  const xorg = stack.use(await startXorg())
  const socket = join(folder, 'native.socket')
  const gst = await GstInstallation.open(gstFolder)
  const env = { ...gst.env, DISPLAY: xorg.display, XAUTHORITY: xorg.authority, PULSE_SERVER: `unix:${socket}`, HOME: folder }
  const childEnv = { PATH: '/usr/bin:/bin', ...env }
  if (sound) {
    await writeFile(join(folder, 'default.pa'), pulseScript(socket))
    const pulse = spawn(
      'pulseaudio',
      ['-n', '-F', join(folder, 'default.pa'), '--exit-idle-time=-1', '--daemonize=no', '--use-pid-file=no'],
      {
        env: { ...childEnv, XDG_RUNTIME_DIR: folder },
        stdio: 'ignore',
      },
    )
    stack.defer(() => stopped(pulse))
    const answers = () => spawnOk('pactl', ['info'], childEnv)
    await until(answers, { ms: 10_000, what: 'PulseAudio (apt-get install pulseaudio)', everyMs: 50 })
  }
  const room = stack.move()
  return {
    xorg,
    gst,
    display: xorg.display,
    environment: { child: { env }, log: log === 'print' ? testLog : log, clock: systemClock },
    run: (program, ...args) => execFileSync(program, args, { env: childEnv, encoding: 'utf8' }),
    play(pipeline) {
      const player = spawn('gst-launch-1.0', ['-q', ...pipeline.split(' ')], { env: childEnv, stdio: 'ignore' })
      room.defer(() => stopped(player))
      return () => player.kill('SIGKILL')
    },
    [Symbol.asyncDispose]: () => room.disposeAsync(),
  }
}

function spawnOk(program: string, args: readonly string[], env: Record<string, string>): boolean {
  try {
    execFileSync(program, args, { env, stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}
