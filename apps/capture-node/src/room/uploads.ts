import { randomBytes } from 'node:crypto'
import { type FileHandle, mkdir, open, rename, rm } from 'node:fs/promises'
import { extname, join } from 'node:path'
import { type Clock, errorCode, messageOf, NekoError, SerialQueue } from '@neko-edge/kit'
import type { Identity } from '@neko-edge/process'
import { checkedName, partPrefix } from './file-name.ts'

/** An upload that nothing was heard of for so long is forgotten: its control plane died, in milliseconds. */
const idleMs = 30_000
/**
 * How long files that were handed to the application stay: a page reads a file when its form is sent, long after it was
 * chosen. In milliseconds.
 */
const handedMs = 60 * 60_000
const maxOpen = 32
const maxFiles = 1_000

export interface UploadsOptions {
  /** The folder whose files the application can read, and the same as it sees it. */
  readonly desktop: { readonly outside: string; readonly inside: string }
  /** The transfer directory, where there is one. */
  readonly transfer: string | undefined
  /** Whose the files are to be. */
  readonly identity: Identity | undefined
  readonly clock: Clock
}

/** Files on their way to the room: written in the order in which they come, and gone again unless they arrive whole. */
export class Uploads implements AsyncDisposable {
  readonly #options: UploadsOptions
  readonly #open = new Map<string, Upload>()

  constructor(options: UploadsOptions) {
    this.#options = options
  }

  /** Gives the name of a new upload. Fails with `tooMany`, or `unavailable` without a transfer directory. */
  async begin(to: 'desktop' | 'transfer'): Promise<string> {
    const { desktop, transfer, identity, clock } = this.#options
    if (this.#open.size >= maxOpen) {
      throw new NekoError('tooMany', 'too many uploads are on their way: try again in a moment')
    }
    if (to === 'transfer' && transfer === undefined) {
      throw new NekoError('unavailable', 'the transfer directory can not be used: see the log of the capture node')
    }
    const id = randomBytes(9).toString('hex')
    const upload = new Upload({
      id,
      ...(to === 'transfer' ? { root: transfer ?? '' } : { root: desktop.outside, inside: desktop.inside }),
      identity,
    })
    await upload.prepare()
    this.#open.set(id, upload)
    const stop = clock.every(idleMs / 2, () => {
      if (this.#open.get(id) !== upload) {
        stop()
      } else if (upload.isIdle()) {
        void this.cancel(id)
      }
    })
    return id
  }

  /** Fails with `notFound` when the upload was given up. */
  find(id: string): Upload {
    const upload = this.#open.get(id)
    if (!upload) {
      throw new NekoError('notFound', 'there is no such upload: it was interrupted for too long')
    }
    return upload
  }

  /** Hands the files, as the application sees them, to `use`; they go at once if it fails, and later if it succeeds. */
  async hand<T>(id: string, use: (files: string[]) => Promise<T>): Promise<T> {
    const upload = this.find(id)
    this.#open.delete(id)
    try {
      const result = await use(await upload.finish())
      this.#options.clock.after(handedMs, () => void upload.remove())
      return result
    } catch (error) {
      await upload.remove()
      throw error
    }
  }

  /** Puts the files into the transfer directory. */
  async keep(id: string): Promise<void> {
    const upload = this.find(id)
    this.#open.delete(id)
    try {
      await upload.finish()
      await upload.moveIn()
    } finally {
      await upload.remove()
    }
  }

  async cancel(id: string): Promise<void> {
    const upload = this.#open.get(id)
    this.#open.delete(id)
    await upload?.remove()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#open.keys()].map((id) => this.cancel(id)))
  }
}

interface UploadParts {
  readonly id: string
  readonly root: string
  /** Set where the files lie in a folder of their own for the application. */
  readonly inside?: string
  readonly identity: Identity | undefined
}

interface Part {
  readonly name: string
  readonly path: string
}

/** The files of one request. What is called at once is done one after the other. */
export class Upload {
  readonly #parts: UploadParts
  readonly #queue = new SerialQueue()
  readonly #files: Part[] = []
  #handle: FileHandle | undefined
  #failure: unknown
  #wasHeard = true

  constructor(parts: UploadParts) {
    this.#parts = parts
  }

  /** Whether nothing was heard since this was asked last. */
  isIdle(): boolean {
    const isIdle = !this.#wasHeard
    this.#wasHeard = false
    return isIdle
  }

  async prepare(): Promise<void> {
    const { root, id, inside } = this.#parts
    if (inside !== undefined) {
      // The application only reads here: the folder stays ours, its files are the application's.
      await mkdir(join(root, id), { mode: 0o755 })
    }
  }

  file(name: string): Promise<void> {
    return this.#do(async () => {
      const { root, id, inside, identity } = this.#parts
      if (this.#files.length >= maxFiles) {
        throw new NekoError('invalid', `at most ${maxFiles} files come at once`)
      }
      await this.#close()
      const free = inside === undefined ? checkedName(name) : this.#freeName(checkedName(name))
      const path = inside === undefined ? join(root, `${partPrefix}${id}-${this.#files.length}`) : join(root, id, free)
      // `wx` never follows a link that the application may have put there.
      this.#handle = await open(path, 'wx', 0o644)
      this.#files.push({ name: free, path })
      if (identity) {
        await this.#handle.chown(identity.uid, identity.gid)
      }
    })
  }

  write(bytes: Uint8Array): Promise<void> {
    return this.#do(async () => {
      if (!this.#handle) {
        throw new NekoError('invalid', 'bytes of no file')
      }
      await this.#handle.writeFile(bytes)
    })
  }

  /** The paths of the files, where the application finds them. */
  finish(): Promise<string[]> {
    return this.#do(async () => {
      await this.#close()
      const { inside, id } = this.#parts
      return this.#files.map(({ name, path }) => (inside === undefined ? path : join(inside, id, name)))
    })
  }

  moveIn(): Promise<void> {
    return this.#do(async () => {
      for (const { path, name } of this.#files) {
        // A link of that name is replaced, not followed; a folder stays and is an error.
        await rename(path, join(this.#parts.root, name))
      }
    })
  }

  /** Takes away what is still there of it. */
  remove(): Promise<void> {
    return this.#queue.run(async () => {
      await this.#close().catch(() => undefined)
      const { root, id, inside } = this.#parts
      const paths = inside === undefined ? this.#files.map(({ path }) => path) : [join(root, id)]
      await Promise.all(paths.map((path) => rm(path, { recursive: true, force: true })))
    })
  }

  async #close(): Promise<void> {
    const handle = this.#handle
    this.#handle = undefined
    await handle?.close()
  }

  /** Two files of one name: the second gets a number, as in a file manager. */
  #freeName(name: string): string {
    const extension = extname(name)
    const stem = name.slice(0, name.length - extension.length)
    let free = name
    for (let number = 2; this.#files.some((file) => file.name === free); number++) {
      free = checkedName(`${stem} (${number})${extension}`)
    }
    return free
  }

  /** After one failure nothing more is done: the bytes that follow belong to a file that is not whole. */
  #do<T>(task: () => Promise<T>): Promise<T> {
    this.#wasHeard = true
    return this.#queue.run(async () => {
      if (this.#failure !== undefined) {
        throw this.#failure
      }
      try {
        return await task()
      } catch (error) {
        this.#failure = fileError(error)
        throw this.#failure
      }
    })
  }
}

const reasons: Readonly<Record<string, string>> = {
  ENOSPC: 'no space is left on the disk of the room',
  EDQUOT: 'the quota of the room is used up',
  EACCES: 'the folder may not be written',
  EROFS: 'the folder may not be written',
  EISDIR: 'a folder has this name',
  ENOTEMPTY: 'a folder has this name',
  EEXIST: 'a folder has this name',
}

/** What went wrong with a file, in words for its sender. */
export function fileError(error: unknown): NekoError {
  if (error instanceof NekoError) {
    return error
  }
  const code = errorCode(error) ?? ''
  return new NekoError('internal', reasons[code] ?? `the file could not be written (${code || messageOf(error)})`, { cause: error })
}
