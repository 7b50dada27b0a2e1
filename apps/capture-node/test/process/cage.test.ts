import { execFileSync } from 'node:child_process'
import { chmod, readFile, readlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { silentLog, systemClock, until } from '@neko-edge/kit'
import { spawnChild } from '@neko-edge/process'
import { roomUser, tempFolder } from '@neko-edge/testing/process'
import { describe, expect, it } from 'vitest'
import { openRoomDesktop } from '../../src/process/room-desktop.ts'

/** What a shell script wrote, run as a room's application. `hidden` as in the room's options. */
async function runCaged(script: string, { hidden = [] }: { hidden?: readonly string[] } = {}): Promise<string> {
  await using above = await tempFolder()
  const identity = roomUser()
  await using desktop = await openRoomDesktop({
    runFolder: join(above.path, 'room'),
    ...(identity && { identity }),
    screen: { width: 640, height: 480, rate: 25 },
    application: { is: 'command', line: `{ ${script}\n} >~/unfinished 2>&1; mv ~/unfinished ~/report; exec sleep 60` },
    hidden,
    clock: systemClock,
    log: silentLog,
  })
  expect(desktop.display).toMatch(/^:\d+$/)
  return await until(() => readFile(join(above.path, 'room/home/report'), 'utf8').catch(() => undefined), { ms: 10_000, what: 'report' })
}

describe('the cage', () => {
  it("[PRC-40] hides the node's files, whatever their mode", async () => {
    await using data = await tempFolder()
    await chmod(data.path, 0o755)
    for (const mode of [0o600, 0o644]) {
      await writeFile(join(data.path, `secret-${mode}`), 'swordfish')
      await chmod(join(data.path, `secret-${mode}`), mode)
    }
    const repository = new URL('../../../../', import.meta.url).pathname
    const report = await runCaged(`
      cat ${data.path}/secret-*; cat ${data.path}/secret-384 ${data.path}/secret-420
      cat ${repository}package.json; cat ${import.meta.filename}
      cat /etc/shadow; ls /root /var/lib /srv /opt /mnt /run/user /sys; ls /home; cat /etc/passwd
      echo tmp: $(ls -A /tmp /tmp/.X11-unix); echo top: $(ls /)`)
    expect(report).not.toMatch(/swordfish|neko-edge|PRC-40|root:/)
    expect(report.match(/No such file or directory/g)?.length).toBeGreaterThanOrEqual(12)
    expect(report).toMatch(/^neko$/m)
    expect(report).toMatch(/^tmp: \/tmp: \.X11-unix \/tmp\/\.X11-unix: X\d+$/m)
    expect(report).toMatch(/^top: bin dev etc home lib( lib32)?( lib64)?( libx32)? proc run sbin tmp usr( var)?$/m)
  })

  it('[PRC-41] shows and reaches no process of the machine', async () => {
    const report = await runCaged(`
      for p in /proc/[0-9]*; do echo process: $(tr '\\0' ' ' <$p/cmdline); done
      cat /proc/1/environ | tr '\\0' '\\n'
      kill -0 ${process.pid}; grep NSpid /proc/self/status; hostname`)
    const processes = report.split('\n').filter((line) => line.startsWith('process: '))
    expect(processes.length).toBeGreaterThan(0)
    // bwrap's own command line holds no path of the node's either.
    expect(
      processes.filter(
        (line) => !/^process: (bwrap --args 3 --|\/usr\/bin\/bwrap --args 3 --|\/bin\/sh -c|sh -c|cat|tr|$)/.test(line.trim()),
      ),
    ).toEqual([])
    expect(report).not.toMatch(/node |vitest|neko-prc-|VITEST|HOME=\/root/)
    expect(report).toMatch(/kill: .*[Nn]o such process/)
    expect(report).toMatch(/^neko$/m)
  })

  it('[PRC-42] has a read-only system and writable home, /tmp and /dev/shm of its own', async () => {
    const report = await runCaged(`
      for f in /usr/x /etc/x /x /usr/bin/x /run/x; do touch $f && echo wrote $f; done
      for f in ~/x /tmp/x /dev/shm/x "$XDG_RUNTIME_DIR/x"; do touch $f && echo can $f; done
      grep -E 'CapEff|CapPrm|NoNewPrivs' /proc/self/status; env`)
    expect(report).not.toMatch(/^wrote/m)
    expect(report.match(/^can /gm)).toHaveLength(4)
    expect(report).toMatch(/CapEff:\s+0+$/m)
    expect(report).toMatch(/NoNewPrivs:\s+1$/m)
    const names = report.split('\n').flatMap((line) => /^([A-Z_]+)=/.exec(line)?.[1] ?? [])
    expect(names.filter((name) => !['PWD', 'OLDPWD', 'SHLVL', '_'].includes(name)).sort()).toEqual(
      ['DBUS_SESSION_BUS_ADDRESS', 'DISPLAY', 'HOME', 'LANG', 'LOGNAME', 'NO_AT_BRIDGE', 'PATH', 'PULSE_COOKIE', 'PULSE_SERVER'].concat([
        'SHELL',
        'USER',
        'XAUTHORITY',
        'XDG_RUNTIME_DIR',
      ]),
    )
  })

  it('[PRC-43] shares memory with its own X server only', async () => {
    const id = /\d+/.exec(execFileSync('ipcmk', ['-M', '4096', '-p', '0666'], { encoding: 'utf8' }))?.[0] ?? expect.fail('no segment')
    try {
      const report = await runCaged('cat /proc/sysvipc/shm')
      expect(report.trim().split('\n').slice(1)).toEqual([])
    } finally {
      execFileSync('ipcrm', ['-m', id])
    }
  })

  it('[PRC-44] keeps hidden what the node says, also below /usr', async () => {
    const report = await runCaged('ls -A /usr/share/fonts; echo end', {
      hidden: ['/usr/share/fonts', '/does/not/matter', '/usr/share/no-such-folder'],
    })
    expect(report.trim()).toBe('end')
  })

  it('[PRC-45] reaches its display and its sound', async () => {
    const report = await runCaged(`
      gst-launch-1.0 -q videotestsrc num-buffers=2 ! ximagesink && echo picture
      gst-launch-1.0 -q audiotestsrc num-buffers=2 ! pulsesink && echo sound`)
    expect(report).toMatch(/^picture$/m)
    expect(report).toMatch(/^sound$/m)
  })

  it('[PRC-47] gives the capture the picture of the room, through memory shared in the room only', async () => {
    await using above = await tempFolder()
    const identity = roomUser()
    await using desktop = await openRoomDesktop({
      runFolder: join(above.path, 'room'),
      ...(identity && { identity }),
      screen: { width: 640, height: 480, rate: 25 },
      application: { is: 'command', line: 'exec gst-launch-1.0 -q videotestsrc pattern=red ! video/x-raw,framerate=25/1 ! ximagesink' },
      clock: systemClock,
      log: silentLog,
    })
    expect(desktop.captureChild.ipc).toBeDefined()
    expect(await readlink(`/proc/${desktop.pids().xServer}/ns/ipc`)).not.toBe(await readlink('/proc/self/ns/ipc'))
    const middle = async (): Promise<string> => {
      const pipeline = 'ximagesrc show-pointer=false use-damage=false num-buffers=1 ! videoconvert ! video/x-raw,format=RGB ! fdsink'
      await using capture = spawnChild({
        name: 'capture',
        command: ['gst-launch-1.0', '-q', ...pipeline.split(' ')],
        stdout: 'pipe',
        log: silentLog,
        ...desktop.captureChild,
      })
      const frame = await buffer(capture.stdout ?? expect.fail('no stdout'))
      const start = (240 * 640 + 320) * 3
      return frame.subarray(start, start + 3).toString('hex')
    }
    await until(async () => /^f[a-f0-9]0[0-9]0[0-9]$/.test(await middle()), { ms: 10_000, what: 'red picture' })
  })

  it('[PRC-46] has nothing of another room', async () => {
    await using other = await tempFolder()
    const identity = roomUser()
    await using desktop = await openRoomDesktop({
      runFolder: join(other.path, 'room'),
      ...(identity && { identity }),
      screen: { width: 640, height: 480, rate: 25 },
      application: { is: 'command', line: 'exec sleep 60' },
      clock: systemClock,
      log: silentLog,
    })
    const report = await runCaged(`ls ${other.path}; ls /tmp/.X11-unix/X${desktop.displayNumber}; ls /tmp/.X11-unix`)
    expect(report.match(/No such file or directory/g)).toHaveLength(2)
    expect(report.match(/^X\d+$/gm)).toHaveLength(1)
  })
})
