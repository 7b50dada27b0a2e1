import { chmod, chown, mkdir, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { NekoError } from '@neko-edge/kit'
import type { Identity } from '@neko-edge/process'

const folderNames = ['xorg', 'pulse', 'sound', 'openbox', 'home', 'cage', 'uploads', 'network'] as const
type FolderName = (typeof folderNames)[number]
const isFolderName = (name: string): boolean => (folderNames as readonly string[]).includes(name)

/** A room's run directory: only the room's user (and root) can look into it. Files for the children are written here; all of it goes on dispose. */
export class RoomFolder implements AsyncDisposable {
  readonly path: string
  /** The room's user, where it has one of its own. */
  readonly identity: Identity | undefined

  private constructor(path: string, identity: Identity | undefined) {
    this.path = path
    this.identity = identity
  }

  /**
   * Makes `path` anew: what an earlier run left there is removed. Throws `invalid` when the path is too long for the sockets in it,
   * when it holds anything but a room's folders, and when `identity` could not reach it because a folder above is closed.
   */
  static async open(path: string, identity: Identity | undefined): Promise<RoomFolder> {
    // A Unix socket's path has at most 107 bytes; the longest name below is sound/native.
    if (Buffer.byteLength(path) > 90) {
      throw new NekoError('invalid', `the run directory ${path} is too long for Unix sockets: at most 90 bytes`)
    }
    const folder = new RoomFolder(path, identity)
    await checkOurs(path)
    await rm(path, { recursive: true, force: true })
    await mkdir(dirname(path), { recursive: true })
    if (identity !== undefined) {
      await checkReachable(dirname(path), identity)
    }
    await mkdir(path)
    await folder.#own(path, 0o700)
    return folder
  }

  /** Makes a folder below, owned by the room's user; gives its path. */
  async folder(name: FolderName | `${FolderName}/${string}`): Promise<string> {
    const path = join(this.path, name)
    await mkdir(path)
    await this.#own(path, 0o700)
    return path
  }

  /** Writes a file below that only the room's user and root can read; gives its path. */
  async file(name: string, content: string | Uint8Array): Promise<string> {
    const path = join(this.path, name)
    await writeFile(path, content, { mode: 0o600, flag: 'wx' })
    await this.#own(path, 0o600)
    return path
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.path, { recursive: true, force: true, maxRetries: 3 })
  }

  async #own(path: string, mode: number): Promise<void> {
    await chmod(path, mode)
    if (this.identity !== undefined) {
      await chown(path, this.identity.uid, this.identity.gid)
    }
  }
}

/** A run directory set to a folder with somebody's files must not cost them those. */
async function checkOurs(path: string): Promise<void> {
  const entries = await readdir(path).catch(() => [])
  const foreign = entries.find((name) => !isFolderName(name))
  if (foreign !== undefined) {
    throw new NekoError('invalid', `the run directory ${path} holds files of somebody else (${foreign}); name another`)
  }
}

async function checkReachable(path: string, { uid }: Identity): Promise<void> {
  const { mode, uid: owner } = await stat(path)
  const isOpen = (mode & 0o001) !== 0 || (owner === uid && (mode & 0o100) !== 0)
  if (!isOpen) {
    throw new NekoError('invalid', `the room's user ${uid} can not reach its run directory: allow it with: chmod o+x ${path}`)
  }
  if (path !== '/') {
    await checkReachable(dirname(path), { uid, gid: uid })
  }
}
