import { randomBytes } from 'node:crypto'
import { readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { silentLog, systemClock, until, within } from '@neko-edge/kit'
import { spawnChild } from '@neko-edge/process'
import { displayFiles, roomUser, tempFolder } from '@neko-edge/testing/process'
import { describe, expect, it } from 'vitest'
import { XConnection } from '../../src/desktop/connection.ts'
import { claimDisplayNumber } from '../../src/process/display-number.ts'
import { type AudioServer, openAudioServer } from '../../src/process/pulse.ts'
import { RoomFolder } from '../../src/process/room-folder.ts'
import { xAuthority } from '../../src/process/x-authority.ts'
import { openXServer, type XServer } from '../../src/process/xorg.ts'

const screen = { width: 1280, height: 720, rate: 30 }
const identity = roomUser()

/** A room's folder below a temporary one. */
async function roomFolder(): Promise<AsyncDisposable & { readonly folder: RoomFolder }> {
  await using stack = new AsyncDisposableStack()
  const above = stack.use(await tempFolder())
  const folder = stack.use(await RoomFolder.open(join(above.path, 'room'), identity))
  const owned = stack.move()
  return { folder, [Symbol.asyncDispose]: () => owned.disposeAsync() }
}

const openX = (folder: RoomFolder): Promise<XServer> =>
  openXServer({ folder, identity, screen, glx: false, clock: systemClock, log: silentLog })

describe('openXServer', () => {
  it('[PRC-20] takes a client with the cookie, none without it and none with another', async () => {
    await using room = await roomFolder()
    await using x = await openX(room.folder)
    await using connection = await XConnection.open({ display: x.display, authority: x.authorityFile, log: silentLog })
    expect(connection.isOpen).toBe(true)
    await expect(XConnection.open({ display: x.display, log: silentLog })).rejects.toThrow()
    const wrong = join(room.folder.path, 'wrong')
    await writeFile(wrong, xAuthority(randomBytes(16)))
    await expect(XConnection.open({ display: x.display, authority: wrong, log: silentLog })).rejects.toThrow()
  })

  it('[PRC-21] listens on its socket in the file system only, not on the abstract one and not on TCP', async () => {
    await using room = await roomFolder()
    await using x = await openX(room.folder)
    const sockets = (await readFile('/proc/net/unix', 'utf8'))
      .split('\n')
      .filter((line) => line.endsWith(`/tmp/.X11-unix/X${x.displayNumber}`))
    expect(sockets.length).toBeGreaterThan(0)
    expect(sockets.filter((line) => line.includes('@'))).toEqual([])
    const port = (6_000 + x.displayNumber).toString(16).toUpperCase().padStart(4, '0')
    const tcp = (await Promise.all(['/proc/net/tcp', '/proc/net/tcp6'].map((file) => readFile(file, 'utf8').catch(() => '')))).join('')
    expect(tcp).not.toMatch(new RegExp(`^\\s*\\d+: [0-9A-F]+:${port} `, 'm'))
  })

  it('[PRC-22] comes back under its number after kill -9, with the same cookie, and leaves nothing', async () => {
    await using room = await roomFolder()
    const x = await openX(room.folder)
    const { display, authorityFile } = x
    const first = x.supervised.pid ?? expect.fail('not up')
    process.kill(first, 'SIGKILL')
    await until(() => x.supervised.isUp && x.supervised.pid !== first, { ms: 5_000, what: 'the second X server' })
    const connection = await XConnection.open({ display, authority: authorityFile, log: silentLog })
    await connection[Symbol.asyncDispose]()
    await x[Symbol.asyncDispose]()
    expect(await displayFiles(display)).toEqual([])
  })

  it('[PRC-23] gives servers that start together displays of their own', async () => {
    await using one = await roomFolder()
    await using two = await roomFolder()
    const [a, b] = await Promise.all([openX(one.folder), openX(two.folder)])
    expect(a.display).not.toBe(b.display)
    await Promise.all([a[Symbol.asyncDispose](), b[Symbol.asyncDispose]()])
  })

  it('[PRC-24] starts in the screen size it was given, whatever it is', async () => {
    for (const size of [
      { width: 1234, height: 567, rate: 10 },
      { width: 3840, height: 2160, rate: 60 },
    ]) {
      await using room = await roomFolder()
      await using x = await openXServer({ folder: room.folder, identity, screen: size, glx: false, clock: systemClock, log: silentLog })
      await using connection = await XConnection.open({ display: x.display, authority: x.authorityFile, log: silentLog })
      const request = Buffer.from([14, 0, 2, 0, 0, 0, 0, 0])
      request.writeUInt32LE(connection.root, 4)
      const [width, height] = await connection.askRaw('GetGeometry', request, (body) => [body.readUInt16LE(8), body.readUInt16LE(10)])
      expect([width, height]).toEqual([size.width, size.height])
    }
  })
})

describe('claimDisplayNumber', () => {
  it('[PRC-25] passes over a number whose holder lives, and takes one whose holder is dead', async () => {
    const first = await claimDisplayNumber()
    await using second = await claimDisplayNumber()
    expect(second.number).toBeGreaterThan(first.number)
    await first[Symbol.asyncDispose]()
    // No process has this id: it is beyond the largest that Linux gives.
    await writeFile(`/tmp/.X${first.number}-lock`, `${4_194_305}`.padStart(10), { flag: 'wx' })
    await using third = await claimDisplayNumber()
    expect(third.number).toBe(first.number)
  })
})

describe('RoomFolder', () => {
  it("[PRC-27] takes over what an earlier run left, and never removes somebody else's files", async () => {
    await using above = await tempFolder()
    const path = join(above.path, 'room')
    const left = await RoomFolder.open(path, identity)
    await left.folder('home')
    await left.file('home/old', 'old')
    await using again = await RoomFolder.open(path, identity)
    expect(await readdir(again.path)).toEqual([])
    await writeFile(join(path, 'thesis.txt'), 'mine')
    await expect(RoomFolder.open(path, identity)).rejects.toThrow('holds files of somebody else (thesis.txt)')
  })

  it('[PRC-26] refuses a path that is too long for sockets, and one that its user could not reach', async () => {
    await using above = await tempFolder()
    await expect(RoomFolder.open(join(above.path, 'x'.repeat(90)), identity)).rejects.toThrow('too long for Unix sockets')
    const closed = await RoomFolder.open(join(above.path, 'closed'), undefined)
    await expect(RoomFolder.open(join(closed.path, 'room'), { uid: 99_999, gid: 99_999 })).rejects.toThrow(
      `allow it with: chmod o+x ${closed.path}`,
    )
  })
})

/** Plays or records with GStreamer, as the node's own user. */
async function gst(
  pipeline: string,
  { server, cookieFile }: Pick<AudioServer, 'server' | 'cookieFile'>,
): Promise<{ code: number | null; bytes: Buffer }> {
  await using child = spawnChild({
    name: 'gst',
    command: ['gst-launch-1.0', '-q', ...pipeline.split(' ')],
    env: { PULSE_SERVER: server, PULSE_COOKIE: cookieFile, HOME: '/nonexistent', GST_REGISTRY: '/tmp/neko-prc-gst-registry.bin' },
    stdout: 'pipe',
    log: silentLog,
  })
  const [bytes, exit] = await within(20_000, 'GStreamer', Promise.all([buffer(child.stdout ?? expect.fail('no stdout')), child.exited]))
  return { code: exit.code, bytes }
}

/** Whether what is played into `sink` is heard at `source`; empty names are the server's defaults. */
async function isHeard(sound: AudioServer, { sink, source }: { sink: string; source: string }): Promise<boolean> {
  const device = (name: string): string => (name === '' ? '' : ` device=${name}`)
  await using player = spawnChild({
    name: 'player',
    command: ['gst-launch-1.0', '-q', ...`audiotestsrc is-live=true ! pulsesink${device(sink)}`.split(' ')],
    env: {
      PULSE_SERVER: sound.server,
      PULSE_COOKIE: sound.cookieFile,
      HOME: '/nonexistent',
      GST_REGISTRY: '/tmp/neko-prc-gst-registry.bin',
    },
    log: silentLog,
  })
  expect(player.isRunning).toBe(true)
  const record = async (): Promise<boolean> => {
    const { bytes } = await gst(`pulsesrc${device(source)} num-buffers=20 ! audio/x-raw,format=S16LE ! fdsink`, sound)
    return bytes.some((byte) => byte !== 0)
  }
  // Awaited here: the player plays until this function is left.
  return await until(record, { ms: 10_000, what: `sound from ${sink} at ${source}` })
}

describe('openAudioServer', () => {
  it('[PRC-30] carries what applications play to the capture, and what the capture plays to the microphone', async () => {
    await using room = await roomFolder()
    await using sound = await openAudioServer({ folder: room.folder, identity, clock: systemClock, log: silentLog })
    expect(await isHeard(sound, { sink: '', source: 'audio_output.monitor' })).toBe(true)
    expect(await isHeard(sound, { sink: 'audio_input', source: '' })).toBe(true)
    // Nothing plays any more: what was heard came from the player.
    const { bytes } = await gst('pulsesrc device=audio_output.monitor num-buffers=5 ! audio/x-raw,format=S16LE ! fdsink', sound)
    expect(bytes.length).toBeGreaterThan(0)
    expect(bytes.every((byte) => byte === 0)).toBe(true)
  })

  it('[PRC-31] refuses another user without the cookie, and shows its socket to nobody else', async () => {
    await using room = await roomFolder()
    await using sound = await openAudioServer({ folder: room.folder, identity, clock: systemClock, log: silentLog })
    expect((await stat(sound.folder)).mode & 0o777).toBe(0o700)
    expect((await stat(sound.cookieFile)).mode & 0o777).toBe(0o600)
    const wrong = join(room.folder.path, 'wrong')
    await writeFile(wrong, randomBytes(256))
    const record = 'pulsesrc device=audio_output.monitor num-buffers=1 ! fakesink'
    expect((await gst(record, sound)).code).toBe(0)
    if (identity !== undefined) {
      // PulseAudio lets its own user in without one; this process is another user only where it is root.
      expect((await gst(record, { server: sound.server, cookieFile: wrong })).code).not.toBe(0)
    }
  })

  it('[PRC-32] comes back at its socket after kill -9', async () => {
    await using room = await roomFolder()
    await using sound = await openAudioServer({ folder: room.folder, identity, clock: systemClock, log: silentLog })
    const first = sound.supervised.pid ?? expect.fail('not up')
    process.kill(first, 'SIGKILL')
    await until(() => sound.supervised.isUp && sound.supervised.pid !== first, { ms: 5_000, what: 'the second PulseAudio' })
    expect((await gst('pulsesrc device=audio_output.monitor num-buffers=1 ! fakesink', sound)).code).toBe(0)
  })
})
