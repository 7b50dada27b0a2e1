import { NekoError, SerialQueue } from '@neko-edge/kit'
import type { Property, XEvent } from 'x11'
import type { XConnection } from './connection.ts'
import { EventInbox } from './event-inbox.ts'
import { propertyChangeMask } from './masks.ts'

/** An owner that does not answer for so long has hung. */
const ownerMs = 3_000
const maxBytes = 64 * 1024 * 1024
const selectionNotify = 31
const propertyNewValue = 0
const anyType = 0
/** In words of 4 bytes. */
const wholeProperty = 0x0fff_ffff

type Answer = Extract<XEvent, { name: 'SelectionNotify' }>
type Piece = Extract<XEvent, { name: 'PropertyNotify' }>

/** Reads X selections that other applications own (ICCCM 2.0, sections 2.4 and 2.7), one after the other. */
export class SelectionReader {
  readonly #connection: XConnection
  readonly #window: number
  readonly #property: number
  readonly #incr: number
  readonly #queue = new SerialQueue()

  private constructor(connection: XConnection, { property, incr }: { property: number; incr: number }) {
    this.#connection = connection
    this.#property = property
    this.#incr = incr
    this.#window = connection.createHiddenWindow(propertyChangeMask)
  }

  static async open(connection: XConnection): Promise<SelectionReader> {
    const { NEKO_SELECTION: property, INCR: incr } = await connection.atoms('NEKO_SELECTION', 'INCR')
    return new SelectionReader(connection, { property, incr })
  }

  /**
   * The selection in the form of `target`. `notFound` where nobody owns it or the owner has no such form, `timeout` where
   * the owner does not answer, `tooLarge` above 64 MiB.
   */
  read(selection: string, target: string): Promise<Buffer> {
    return this.#queue.run(async () => {
      const atoms = { selection: await this.#connection.atom(selection), target: await this.#connection.atom(target) }
      using pieces = new EventInbox(this.#connection, (event): event is Piece => this.#isPiece(event))
      await this.#convert(atoms, target)
      // The event of the first property is not one about a piece.
      pieces.clear()
      const first = await this.#take()
      return first.type === this.#incr ? await this.#collect(pieces) : first.data
    })
  }

  #isPiece(event: XEvent): event is Piece {
    return (
      event.name === 'PropertyNotify' && event.wid === this.#window && event.atom === this.#property && event.state === propertyNewValue
    )
  }

  async #convert(atoms: { selection: number; target: number }, name: string): Promise<void> {
    using answers = new EventInbox(
      this.#connection,
      (event): event is Answer =>
        event.name === 'SelectionNotify' &&
        event.type === selectionNotify &&
        event.requestor === this.#window &&
        event.selection === atoms.selection &&
        event.target === atoms.target,
    )
    this.#connection.send((x) => {
      x.DeleteProperty(this.#window, this.#property)
      x.ConvertSelection(this.#window, atoms.selection, atoms.target, this.#property, 0)
    })
    const answer = await answers.next(ownerMs, 'the owner of the selection')
    if (answer.property === 0) {
      throw new NekoError('notFound', `the clipboard has no ${name}`)
    }
  }

  /** Reads and deletes the property, which asks for the next piece. */
  #take(): Promise<Property> {
    return this.#connection.ask('the selection', (x, callback) =>
      x.GetProperty(1, this.#window, this.#property, anyType, 0, wholeProperty, callback),
    )
  }

  async #collect(pieces: EventInbox<Piece>): Promise<Buffer> {
    const all: Buffer[] = []
    let size = 0
    for (;;) {
      await pieces.next(ownerMs, 'the next piece of the selection')
      const { data } = await this.#take()
      if (data.length === 0) {
        return Buffer.concat(all)
      }
      size += data.length
      if (size > maxBytes) {
        throw new NekoError('tooLarge', 'the clipboard holds more than 64 MiB')
      }
      all.push(Buffer.from(data))
    }
  }
}
