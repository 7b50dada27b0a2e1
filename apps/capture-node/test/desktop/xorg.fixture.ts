import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { until } from '@neko-edge/kit'

/** A real X server of one's own, with a cookie, on a display number that nobody else has. */
export interface TestXorg extends AsyncDisposable {
  readonly display: string
  readonly authority: string
  readonly folder: string
  readonly pid: number
  /** kill -9. */
  kill(): void
}

/** Without GLX, which takes most of the time to start, and without devices: input comes through XTEST. */
const config = `
Section "ServerFlags"
  Option "DontVTSwitch" "true"
  Option "AllowMouseOpenFail" "true"
  Option "AutoAddDevices" "false"
  Option "AutoEnableDevices" "false"
  Option "BlankTime" "0"
EndSection
Section "Module"
  Disable "glx"
  Disable "dri"
  Disable "dri2"
EndSection
Section "Device"
  Identifier "card"
  Driver "dummy"
  VideoRam 256000
EndSection
Section "Monitor"
  Identifier "monitor"
  HorizSync 5.0-1000.0
  VertRefresh 5.0-200.0
  Modeline "1920x1080_60.00" 173.00 1920 2048 2248 2576 1080 1083 1088 1120 -hsync +vsync
  Modeline "1280x720_60.00" 74.50 1280 1344 1472 1664 720 723 728 748 -hsync +vsync
  Modeline "1280x720_30.00" 33.75 1280 1296 1408 1536 720 723 728 733 -hsync +vsync
  Modeline "800x600_60.00" 38.25 800 832 912 1024 600 603 607 624 -hsync +vsync
EndSection
Section "Screen"
  Identifier "screen"
  Device "card"
  Monitor "monitor"
  DefaultDepth 24
  SubSection "Display"
    Depth 24
    Modes "1280x720_30.00" "1280x720_60.00" "1920x1080_60.00" "800x600_60.00"
    Virtual 3840 2160
  EndSubSection
EndSection
Section "ServerLayout"
  Identifier "layout"
  Screen "screen"
EndSection
`

/** One entry of an Xauthority file for any host and any display (family 65535). */
function authorityEntry(cookie: Buffer): Buffer {
  const counted = (bytes: Buffer) => Buffer.concat([Buffer.from([bytes.length >> 8, bytes.length & 255]), bytes])
  return Buffer.concat([
    Buffer.from([0xff, 0xff]),
    counted(Buffer.alloc(0)),
    counted(Buffer.alloc(0)),
    counted(Buffer.from('MIT-MAGIC-COOKIE-1')),
    counted(cookie),
  ])
}

async function ended(child: ChildProcess): Promise<void> {
  await until(() => child.exitCode !== null || child.signalCode !== null, { ms: 5_000, what: 'the end of Xorg' })
}

export async function startXorg(): Promise<TestXorg> {
  const folder = await mkdtemp(join(tmpdir(), 'neko-xorg-'))
  const authority = join(folder, 'authority')
  await writeFile(authority, authorityEntry(randomBytes(16)), { mode: 0o600 })
  await writeFile(join(folder, 'xorg.conf'), config)
  // Xorg picks a free display number itself and writes it to descriptor 3.
  const child = spawn(
    '/usr/lib/xorg/Xorg',
    [
      '-displayfd',
      '3',
      '-config',
      join(folder, 'xorg.conf'),
      '-noreset',
      '-nolisten',
      'tcp',
      '-logfile',
      join(folder, 'log'),
      '-auth',
      authority,
    ],
    { stdio: ['ignore', 'ignore', 'ignore', 'pipe'] },
  )
  let told = ''
  child.stdio[3]?.on('data', (chunk: Buffer) => {
    told += chunk.toString('latin1')
  })
  try {
    await until(() => told.includes('\n') || child.exitCode !== null, { ms: 15_000, what: 'Xorg (apt install xserver-xorg-video-dummy)' })
  } catch (error) {
    child.kill('SIGKILL')
    throw error
  }
  if (!told.includes('\n')) {
    throw new Error(`Xorg ended: ${(await readFile(join(folder, 'log'), 'utf8')).slice(-2_000)}`)
  }
  return {
    display: `:${told.trim()}`,
    authority,
    folder,
    pid: child.pid ?? 0,
    kill: () => child.kill('SIGKILL'),
    async [Symbol.asyncDispose]() {
      child.kill('SIGTERM')
      await ended(child)
      await rm(folder, { recursive: true, force: true })
    },
  }
}
