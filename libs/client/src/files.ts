import { messageOf } from '@neko-edge/kit'
import type { ClientEvent } from '@neko-edge/protocol'
import type { Api } from './api.ts'
import { Cell, type Watchable } from './cell.ts'
import type { SendForm } from './send-form.ts'

/** A file on its way. `share` goes from 0 to 1; `undefined` where the whole is not known. */
export interface Transfer {
  readonly key: number
  readonly name: string
  readonly way: 'up' | 'down'
  readonly share: number | undefined
  /** What went wrong; it stays until it is dismissed. */
  readonly failure?: string
}

/** What the files need of their client. */
export interface FilesOptions {
  api: Api
  sendForm: SendForm
  send: (event: ClientEvent, payload?: unknown) => boolean
}

/** The files of a room: its transfer directory, files dropped on the picture, and its file dialogs. */
export class Files {
  readonly #options: FilesOptions
  readonly #transfers = new Cell<readonly Transfer[]>([])
  readonly #aborts = new Map<number, AbortController>()
  #next = 1

  constructor(options: FilesOptions) {
    this.#options = options
  }

  /** What is under way, and what failed. What arrived is gone from here: the room's list has it. */
  get transfers(): Watchable<readonly Transfer[]> {
    return this.#transfers
  }

  /** Asks for the list anew; it comes with the room. */
  refresh(): void {
    this.#options.send('filetransfer/update')
  }

  /** Uploads files, each on its own, into the transfer directory; one of the same name is replaced. */
  async upload(files: readonly File[]): Promise<void> {
    await Promise.all(files.map((file) => this.#send('api/filetransfer', [file])))
  }

  /** Drops files on the application, at a pixel of the desktop. */
  drop(files: readonly File[], { x, y }: { x: number; y: number }): Promise<void> {
    return this.#send('api/room/upload/drop', files, { x: String(x), y: String(y) })
  }

  /** Answers the file dialog that is open in the desktop. */
  choose(files: readonly File[]): Promise<void> {
    return this.#send('api/room/upload/dialog', files)
  }

  /** Downloads a file; `undefined` where it was cancelled or failed, which `transfers` tells. */
  async download(name: string): Promise<Blob | undefined> {
    let blob: Blob | undefined
    await this.#track({ name, way: 'down' }, async ({ signal, onShare }) => {
      blob = await this.#options.api.download(`api/filetransfer?filename=${encodeURIComponent(name)}`, { signal, onShare })
    })
    return blob
  }

  /** Deletes a file. Rejects with the server's words. */
  async remove(name: string): Promise<void> {
    await this.#options.api.request('DELETE', `api/filetransfer?filename=${encodeURIComponent(name)}`)
    this.refresh()
  }

  /** Stops a transfer, or forgets one that failed. */
  cancel(key: number): void {
    this.#aborts.get(key)?.abort()
    this.#transfers.set(this.#transfers.value.filter((transfer) => transfer.key !== key))
  }

  close(): void {
    for (const { key } of this.#transfers.value) {
      this.cancel(key)
    }
  }

  #send(path: string, files: readonly File[], fields: Readonly<Record<string, string>> = {}): Promise<void> {
    const form = new FormData()
    // The server wants to know where before the files come.
    for (const [name, value] of Object.entries(fields)) {
      form.append(name, value)
    }
    for (const file of files) {
      form.append('files', file)
    }
    const { api, sendForm } = this.#options
    const name = files.map((file) => file.name).join(', ')
    return this.#track({ name, way: 'up' }, (way) => sendForm(api.url(path), { form, token: api.token, ...way }))
  }

  async #track(
    what: Pick<Transfer, 'name' | 'way'>,
    work: (way: { signal: AbortSignal; onShare: (share: number | undefined) => void }) => Promise<void>,
  ): Promise<void> {
    const key = this.#next++
    const abort = new AbortController()
    this.#aborts.set(key, abort)
    this.#transfers.set([...this.#transfers.value, { ...what, key, share: undefined }])
    try {
      await work({ signal: abort.signal, onShare: (share) => this.#change(key, { share }) })
      this.#transfers.set(this.#transfers.value.filter((transfer) => transfer.key !== key))
    } catch (error) {
      this.#change(key, { failure: messageOf(error) })
    } finally {
      this.#aborts.delete(key)
    }
  }

  #change(key: number, change: Partial<Transfer>): void {
    this.#transfers.set(this.#transfers.value.map((transfer) => (transfer.key === key ? { ...transfer, ...change } : transfer)))
  }
}
