import { chmod, mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { createLog, type Log, type LogFields, type LogLevel } from '@neko-edge/kit'
import type { Identity } from '@neko-edge/process'

export interface LogLine {
  readonly level: LogLevel
  readonly message: string
  readonly fields: LogFields
}

/** A log and what it was told. */
export function recordingLog(): { readonly log: Log; readonly lines: readonly LogLine[] } {
  const lines: LogLine[] = []
  return { lines, log: createLog((level, fields, message) => lines.push({ level, message, fields })) }
}

/** Where the tests run as root, an unprivileged user that no other test of the run has. */
export function roomUser(): Identity | undefined {
  if (process.getuid?.() !== 0) {
    return undefined
  }
  // Process ids of the parallel workers differ, and each hands out its own hundred.
  roomUsers += 1
  const uid = 100_000 + (process.pid % 20_000) * 100 + roomUsers
  return { uid, gid: uid }
}
let roomUsers = 0

/** A folder of one's own that other users can pass through; removed with what is in it. */
export async function tempFolder(): Promise<AsyncDisposable & { readonly path: string }> {
  const path = await mkdtemp('/tmp/neko-prc-')
  await chmod(path, 0o711)
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) }
}

/** Ids of the processes that are alive (zombies are not) and fit `test`. */
export async function processesThat(test: (status: string, pid: number) => boolean): Promise<number[]> {
  const pids = (await readdir('/proc')).map(Number).filter(Number.isInteger)
  const found = await Promise.all(
    pids.map(async (pid) => {
      const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '')
      return status !== '' && !/^State:\s+[ZX]/m.test(status) && test(status, pid) ? [pid] : []
    }),
  )
  return found.flat()
}

/** Ids of the processes of a user that are alive. */
export const processesOf = (uid: number): Promise<number[]> => processesThat((status) => new RegExp(`^Uid:\\s+${uid}\\s`, 'm').test(status))

/** Whether a process is there and alive. */
export const isAlive = async (pid: number): Promise<boolean> => (await processesThat((_status, id) => id === pid)).length > 0

/** What of a display is left in the file system: its lock and its socket. */
export async function displayFiles(display: string): Promise<string[]> {
  const number = display.slice(1)
  const [locks, sockets] = await Promise.all([readdir('/tmp'), readdir('/tmp/.X11-unix')])
  return [...locks.filter((name) => name === `.X${number}-lock`), ...sockets.filter((name) => name === `X${number}`)].map((name) =>
    join('/tmp', name),
  )
}
