import { constants, type FSWatcher, watch } from 'node:fs'
import { chown, type FileHandle, lstat, mkdir, open, readdir, realpath, stat, unlink } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { type Clock, errorCode, type Log, messageOf, NekoError, SerialQueue } from '@neko-edge/kit'
import type { Identity } from '@neko-edge/process'
import { chunkBytes, type FileItem, type FoundFile, type NodeArgs } from '@neko-edge/protocol'
import { base64 } from './blobs.ts'
import { checkedName, partPrefix } from './file-name.ts'

/** How soon after the first sign of a change the directory is read: a download is many changes, in milliseconds. */
const settleMs = 100

export interface TransferFolderOptions {
  readonly path: string
  readonly identity: Identity | undefined
  readonly refreshMs: number
  /** The list after each change of a name or a size. */
  readonly onList: (files: FileItem[]) => Promise<void>
  readonly clock: Clock
  readonly log: Log
}

/**
 * The transfer directory: one flat folder, which the application can write too. Whatever it puts there is not to be trusted:
 * only plain files are touched, and no link is followed.
 */
export class TransferFolder implements AsyncDisposable {
  readonly path: string
  /** Whether the application can have it, too. */
  readonly isReachable: boolean
  readonly #options: TransferFolderOptions
  readonly #queue = new SerialQueue()
  readonly #stopTimer: () => void
  #watcher: FSWatcher | undefined
  #list: string | undefined
  #isDue = false

  private constructor(options: TransferFolderOptions, isReachable: boolean) {
    this.path = options.path
    this.isReachable = isReachable
    this.#options = options
    this.#stopTimer = options.clock.every(options.refreshMs, () => void this.refresh())
  }

  /** Makes the directory where it is missing and begins to watch it. Fails as the file system does. */
  static async open(options: TransferFolderOptions): Promise<TransferFolder> {
    const { path, identity } = options
    const made = await mkdir(path, { recursive: true, mode: 0o755 })
    if (made !== undefined && identity) {
      await chown(path, identity.uid, identity.gid)
    }
    await readdir(path)
    const folder = new TransferFolder(options, await isReachable(options))
    folder.#watch()
    return folder
  }

  /** Reads the directory, and tells the list where it is another one than before. */
  refresh(): Promise<void> {
    return this.#queue.run(async () => {
      this.#isDue = false
      const { onList, log } = this.#options
      try {
        const files = await this.#read()
        const list = JSON.stringify(files)
        if (list !== this.#list) {
          this.#list = list
          await onList(files)
        }
      } catch (error) {
        log.warn({ error: messageOf(error) }, 'transfer directory not read')
      }
    })
  }

  /** Fails with `notFound` where there is no such plain file. */
  async find(name: string): Promise<FoundFile> {
    await using file = await this.#open(name)
    return file.found
  }

  /** Some bytes of a file as it was found. Fails with `conflict` when it is another one now. */
  async read({ name, version, offset, length }: NodeArgs<'files.read'>): Promise<{ data: string }> {
    await using file = await this.#open(name)
    if (file.found.version !== version) {
      throw new NekoError('conflict', 'the file has changed meanwhile')
    }
    const bytes = Buffer.alloc(Math.min(length, chunkBytes))
    const { bytesRead } = await file.handle.read(bytes, 0, bytes.length, offset)
    return { data: base64(bytes.subarray(0, bytesRead)) }
  }

  /** Fails with `notFound` where there is no such plain file. */
  async delete(name: string): Promise<void> {
    const path = join(this.path, checkedName(name))
    try {
      if ((await lstat(path)).isDirectory()) {
        throw new NekoError('internal', 'a folder is not deleted')
      }
      await unlink(path)
    } catch (error) {
      throw isMissing(error) ? notThere() : error
    }
    await this.refresh()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopTimer()
    this.#watcher?.close()
  }

  #watch(): void {
    const { clock, log } = this.#options
    this.#watcher = watch(this.path, { persistent: false }, () => {
      if (!this.#isDue) {
        this.#isDue = true
        clock.after(settleMs, () => void this.refresh())
      }
    })
    // The timer still looks.
    this.#watcher.on('error', (error) => log.warn({ error: messageOf(error) }, 'transfer directory not watched'))
  }

  async #read(): Promise<FileItem[]> {
    const entries = await readdir(this.path, { withFileTypes: true })
    const items = entries
      .filter((entry) => (entry.isFile() || entry.isDirectory()) && !entry.name.startsWith(partPrefix))
      .map(async (entry): Promise<FileItem[]> => {
        if (entry.isDirectory()) {
          return [{ name: entry.name, type: 'dir' }]
        }
        try {
          return [{ name: entry.name, type: 'file', size: (await lstat(join(this.path, entry.name))).size }]
        } catch {
          // Gone since the directory was read.
          return []
        }
      })
    return (await Promise.all(items)).flat().toSorted((a, b) => (a.name < b.name ? -1 : 1))
  }

  async #open(name: string): Promise<OpenFile> {
    const path = join(this.path, checkedName(name))
    let handle: FileHandle
    try {
      handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
    } catch (error) {
      throw isMissing(error) ? notThere() : error
    }
    const facts = await handle.stat({ bigint: true })
    if (!facts.isFile()) {
      await handle.close()
      throw notThere()
    }
    const version = [facts.ino, facts.size, facts.mtimeNs].join('-')
    const found = { version, size: Number(facts.size), modified: Number(facts.mtimeMs) }
    return { handle, found, [Symbol.asyncDispose]: () => handle.close() }
  }
}

/** A directory that somebody else made, or one above it, may be shut for the application: that is said, and left to him. */
async function isReachable({ path, identity, log }: TransferFolderOptions): Promise<boolean> {
  if (identity === undefined) {
    return true
  }
  const { uid, mode } = await stat(path)
  for (let above = dirname(await realpath(path)); above !== dirname(above); above = dirname(above)) {
    if (!(await opensFor(identity, above))) {
      log.warn(
        { path, remedy: `chmod o+x ${above}` },
        'the application of the room can not reach its transfer directory, and goes without it',
      )
      return false
    }
  }
  if (uid !== identity.uid && (mode & 0o007) !== 0o007) {
    log.warn({ path, remedy: `chown ${identity.uid} ${path}` }, 'the application of the room can not write its transfer directory')
  }
  return true
}

/** Whether that user can pass a directory on the way to what is in it. */
async function opensFor(identity: Identity, path: string): Promise<boolean> {
  const { uid, gid, mode } = await stat(path)
  return (mode & (uid === identity.uid ? 0o100 : gid === identity.gid ? 0o010 : 0o001)) !== 0
}

interface OpenFile extends AsyncDisposable {
  readonly handle: FileHandle
  readonly found: FoundFile
}

const notThere = () => new NekoError('notFound', 'file not found')

/** Not there, or a link, which is as good as not there. */
const isMissing = (error: unknown): boolean => ['ENOENT', 'ELOOP', 'ENOTDIR', 'ENXIO'].includes(errorCode(error) ?? '')
