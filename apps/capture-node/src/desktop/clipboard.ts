import { type Clock, Listeners, messageOf, NekoError } from '@neko-edge/kit'
import type { XConnection } from './connection.ts'
import type { ClipboardContent } from './desktop.ts'
import { type Offer, SelectionOwner } from './selection-owner.ts'
import { SelectionReader } from './selection-reader.ts'

const selection = 'CLIPBOARD'
const setOwnerMask = 1
/** Number of the XFIXES selection event, after the extension's first. */
const fixesSelectionNotify = 0
/** The forms of text that applications ask for, all of them UTF-8 but `STRING`. */
const textTargets = ['UTF8_STRING', 'text/plain;charset=utf-8', 'text/plain', 'TEXT'] as const
const mimeType = /^[\w.+-]+\/[\w.+-]+$/

/** The X selection CLIPBOARD, owned in this process when it is set. */
export class Clipboard {
  readonly #connection: XConnection
  readonly #owner: SelectionOwner
  readonly #reader: SelectionReader
  readonly #listeners = new Listeners<void>()

  private constructor(connection: XConnection, { owner, reader }: { owner: SelectionOwner; reader: SelectionReader }) {
    this.#connection = connection
    this.#owner = owner
    this.#reader = reader
  }

  static async open(connection: XConnection, clock: Clock): Promise<Clipboard> {
    const owner = await SelectionOwner.open(connection, { selection, clock })
    const clipboard = new Clipboard(connection, { owner, reader: await SelectionReader.open(connection) })
    const changed = connection.fixes.firstEvent + fixesSelectionNotify
    connection.onEvent((event) => {
      if (event.name === 'SelectionNotify' && event.type === changed && event.selection === owner.selection) {
        clipboard.#listeners.emit()
      }
    })
    connection.send(() => connection.fixes.SelectSelectionInput(connection.root, owner.selection, setOwnerMask))
    return clipboard
  }

  /** Somebody, we as well, took the clipboard. */
  onChange(listener: () => void): () => void {
    return this.#listeners.add(listener)
  }

  async text(): Promise<string> {
    return (await this.#read('UTF8_STRING')).toString('utf8')
  }

  /** Empty where there is none: most of what is copied has no HTML. */
  async html(): Promise<string> {
    try {
      return decodeHtml(await this.#read('text/html'))
    } catch (error) {
      this.#connection.log.debug({ reason: messageOf(error) }, 'no html on the clipboard')
      return ''
    }
  }

  async data(mime: string): Promise<Uint8Array> {
    return this.#read(checkedMime(mime))
  }

  /** The MIME types on offer; none where nobody owns the clipboard. */
  async targets(): Promise<readonly string[]> {
    const atoms = await this.#read('TARGETS').catch((error: unknown) => {
      if (error instanceof NekoError && error.code === 'notFound') {
        return Buffer.alloc(0)
      }
      throw error
    })
    const count = Math.floor(atoms.length / 4)
    const names = Array.from({ length: count }, (_, i) => this.#connection.atomName(atoms.readUInt32LE(i * 4)))
    return (await Promise.all(names)).filter((name) => name.includes('/'))
  }

  async set({ text, html, image }: ClipboardContent): Promise<void> {
    const offers: Offer[] = []
    if (text !== undefined) {
      const bytes = Buffer.from(text, 'utf8')
      offers.push(...textTargets.map((target) => ({ target, bytes, ...(target === 'TEXT' ? { type: 'UTF8_STRING' } : {}) })))
      // The oldest form knows Latin-1 only; what it lacks becomes a question mark.
      offers.push({ target: 'STRING', bytes: Buffer.from(text.replace(/[^\0-\xff]/gu, '?'), 'latin1') })
    }
    if (html !== undefined) {
      offers.push({ target: 'text/html', bytes: Buffer.from(html, 'utf8') })
    }
    if (image !== undefined) {
      offers.push({ target: checkedMime(image.mime), bytes: image.bytes })
    }
    if (offers.length === 0) {
      this.#owner.disown()
    } else {
      await this.#owner.own(offers)
    }
  }

  /** Our own is not asked for over X. */
  async #read(target: string): Promise<Buffer> {
    return this.#owner.isOwner ? this.#offered(target) : this.#reader.read(selection, target)
  }

  async #offered(target: string): Promise<Buffer> {
    const bytes = await this.#owner.offered(target)
    if (bytes === undefined) {
      throw new NekoError('notFound', `the clipboard has no ${target}`)
    }
    return bytes
  }
}

/** Keeps clients from making atoms, which X never frees, out of anything. */
function checkedMime(mime: string): string {
  if (mime.length > 100 || !mimeType.test(mime)) {
    throw new NekoError('invalid', 'not a MIME type')
  }
  return mime
}

/** Firefox writes its HTML in UTF-16 with a mark at the start, everybody else UTF-8. */
function decodeHtml(bytes: Buffer): string {
  const isUtf16 = bytes[0] === 0xff && bytes[1] === 0xfe
  return isUtf16 ? bytes.subarray(2).toString('utf16le') : bytes.toString('utf8')
}
