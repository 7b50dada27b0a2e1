/**
 * Which display number is ours. X servers mark theirs with /tmp/.XN-lock, which holds a process id; so do we, with the id of
 * this process, and hold it over restarts of our X server. Xorg's own way (`-displayfd` without a number) is no use here: it
 * writes no lock, and without the abstract socket it takes over the socket of a server that is running.
 */
import { randomUUID } from 'node:crypto'
import { access, chmod, link, mkdir, readFile, rename, rm, unlink, writeFile } from 'node:fs/promises'
import { errorCode, NekoError } from '@neko-edge/kit'
import { refusalOf } from './unix-socket.ts'

/** Low numbers belong to real screens and ssh forwarding (10 up). */
const firstNumber = 100
const lastNumber = 9_999
const socketFolder = '/tmp/.X11-unix'

const lockFile = (number: number): string => `/tmp/.X${number}-lock`

/** The socket that a display's clients connect to. */
export const displaySocket = (number: number): string => `${socketFolder}/X${number}`

/** A display number that no other X server will take until it is disposed of. */
export interface DisplayNumber extends AsyncDisposable {
  readonly number: number
}

/** Claims this display number, or the lowest free one from 100 up. Throws `unavailable` when it is taken, or none is free. */
export async function claimDisplayNumber(wanted?: number): Promise<DisplayNumber> {
  await makeSocketFolder()
  if (wanted !== undefined) {
    if (!(await claim(wanted))) {
      throw new NekoError('unavailable', `X display :${wanted} is taken: stop what has it, or leave desktop.display empty for a free one`)
    }
    return { number: wanted, [Symbol.asyncDispose]: () => release(wanted) }
  }
  for (let number = firstNumber; number <= lastNumber; number += 1) {
    if (await claim(number)) {
      return { number, [Symbol.asyncDispose]: () => release(number) }
    }
  }
  throw new NekoError('unavailable', `no X display number from ${firstNumber} to ${lastNumber} is free; remove stale /tmp/.X*-lock files`)
}

async function claim(number: number): Promise<boolean> {
  if (!(await lock(number))) {
    return false
  }
  if (await socketIsFree(number)) {
    return true
  }
  await rm(lockFile(number), { force: true })
  return false
}

async function release(number: number): Promise<void> {
  await rm(displaySocket(number), { force: true })
  await rm(lockFile(number), { force: true })
}

async function makeSocketFolder(): Promise<void> {
  const made = await mkdir(socketFolder, { recursive: true })
  if (made !== undefined) {
    // Not through mkdir's mode, which the umask would narrow.
    await chmod(socketFolder, 0o1777)
  }
}

/** Takes the lock file of a number, also from a server that is dead. */
async function lock(number: number): Promise<boolean> {
  // Ten digits and a line end: what X servers write and expect.
  const content = `${String(process.pid).padStart(10)}\n`
  if (await created(lockFile(number), content)) {
    return true
  }
  return (await removeStale(number)) && (await created(lockFile(number), content))
}

async function created(file: string, content: string): Promise<boolean> {
  try {
    await writeFile(file, content, { flag: 'wx', mode: 0o444 })
    return true
  } catch (error) {
    if (hasCode(error, 'EEXIST')) {
      return false
    }
    throw error
  }
}

async function removeStale(number: number): Promise<boolean> {
  if (await ownerIsAlive(lockFile(number))) {
    return false
  }
  // Renamed and read again before it is removed: between reading and removing somebody else may have claimed the number.
  const aside = `/tmp/.X${number}-${randomUUID()}`
  try {
    await rename(lockFile(number), aside)
    if (await ownerIsAlive(aside)) {
      await link(aside, lockFile(number))
      return false
    }
    return true
  } catch (error) {
    // Gone meanwhile, or (sticky /tmp) another user's.
    if (hasCode(error, 'ENOENT', 'EPERM', 'EACCES', 'EEXIST')) {
      return false
    }
    throw error
  } finally {
    await rm(aside, { force: true })
  }
}

async function ownerIsAlive(file: string): Promise<boolean> {
  try {
    const pid = Number((await readFile(file, 'utf8')).trim())
    if (!Number.isInteger(pid) || pid <= 0) {
      return true
    }
    process.kill(pid, 0)
    return true
  } catch (error) {
    // EPERM: alive, under another user. ENOENT: whoever held it let go; the caller tries the next number.
    return !hasCode(error, 'ESRCH')
  }
}

/** Whether no server listens on the number's socket; what a dead one left is removed. */
async function socketIsFree(number: number): Promise<boolean> {
  const path = displaySocket(number)
  if (
    !(await access(path).then(
      () => true,
      () => false,
    ))
  ) {
    return true
  }
  if (await answers(path)) {
    return false
  }
  return unlink(path).then(
    () => true,
    () => false,
  )
}

/** True as well where a server may be that does not let us in. */
const answers = async (path: string): Promise<boolean> => !hasCode(await refusalOf(path), 'ECONNREFUSED', 'ENOENT')

function hasCode(error: unknown, ...codes: string[]): boolean {
  return codes.includes(errorCode(error) ?? '')
}
