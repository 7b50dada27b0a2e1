import { constants } from 'node:fs'
import { access, mkdir, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { errorCode, messageOf, NekoError } from '@neko-edge/kit'

const prefix = 'neko-edge-'

/** Makes the folder for what must survive a restart, and makes sure that it can be written. */
export async function openDataFolder(folder: string): Promise<string> {
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 })
    await access(folder, constants.W_OK | constants.X_OK)
  } catch (error) {
    throw new NekoError(
      'unavailable',
      `the data directory ${folder} can not be written (${messageOf(error)}): give this user a directory with NEKO_DATA_DIR`,
    )
  }
  return folder
}

/**
 * Where this process keeps its sockets and locks: short enough for the path of a socket, and entered by the users of rooms.
 * Folders of processes that were killed are removed on the way.
 */
export async function runFolder(): Promise<string> {
  const base = process.getuid?.() === 0 ? '/run' : (process.env['XDG_RUNTIME_DIR'] ?? tmpdir())
  for (const name of await readdir(base).catch(() => [])) {
    const pid = name.startsWith(prefix) ? Number(name.slice(prefix.length)) : 0
    if (pid > 0 && !isAlive(pid)) {
      await rm(join(base, name), { recursive: true, force: true }).catch(() => undefined)
    }
  }
  const folder = join(base, `${prefix}${process.pid}`)
  await mkdir(folder, { recursive: true, mode: 0o711 })
  return folder
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    // EPERM: it is there, and somebody else's.
    return errorCode(error) === 'EPERM'
  }
}
