import type { Clock } from '@neko-edge/kit'
import type { XEvent } from 'x11'
import type { XConnection } from './connection.ts'
import { propertyChangeMask } from './masks.ts'
import { serverTime } from './server-time.ts'

/** What is bigger goes in pieces of this size (INCR): one fits into a request of any server. */
const pieceBytes = 65_536
/** A requestor that takes no piece for so long has gone away. */
const stalledMs = 10_000
const replace = 0
const propertyDeleted = 1
const atomType = 4
const integerType = 19
const none = 0

/** One thing that a selection offers: bytes by the name of the target, and the property's type where it is not the target. */
export interface Offer {
  readonly target: string
  readonly type?: string
  readonly bytes: Uint8Array
}

interface Served {
  readonly type: number
  readonly format: 8 | 32
  readonly bytes: Buffer
}

interface Transfer {
  readonly requestor: number
  readonly property: number
  readonly served: Served
  offset: number
  cancel: () => void
}

type Request = Extract<XEvent, { name: 'SelectionRequest' }>

/**
 * Owns one X selection and hands it out: several targets at once, TARGETS and TIMESTAMP, and INCR for what is big
 * (ICCCM 2.0, sections 2.2 to 2.7).
 */
export class SelectionOwner {
  readonly selection: number
  readonly window: number
  readonly #connection: XConnection
  readonly #clock: Clock
  readonly #incr: number
  readonly #transfers = new Set<Transfer>()
  #served: ReadonlyMap<number, Served> = new Map()

  private constructor(connection: XConnection, { selection, incr, clock }: { selection: number; incr: number; clock: Clock }) {
    this.#connection = connection
    this.#clock = clock
    this.#incr = incr
    this.selection = selection
    this.window = connection.createHiddenWindow(propertyChangeMask)
  }

  static async open(connection: XConnection, { selection, clock }: { selection: string; clock: Clock }): Promise<SelectionOwner> {
    const incr = await connection.atom('INCR')
    const owner = new SelectionOwner(connection, { selection: await connection.atom(selection), incr, clock })
    connection.onEvent((event) => {
      if (event.name === 'SelectionRequest' && event.owner === owner.window) {
        owner.#serve(event)
      } else if (event.name === 'SelectionClear' && event.owner === owner.window && event.selection === owner.selection) {
        owner.#served = new Map()
      } else if (event.name === 'PropertyNotify' && event.state === propertyDeleted) {
        owner.#continue(event.wid, event.atom)
      }
    })
    return owner
  }

  get isOwner(): boolean {
    return this.#served.size > 0
  }

  /** Takes the selection and offers this; the time of the X server since when. */
  async own(offers: readonly Offer[]): Promise<number> {
    const { TARGETS: targets, TIMESTAMP: timestamp } = await this.#connection.atoms('TARGETS', 'TIMESTAMP')
    const since = await serverTime(this.#connection, this.window)
    const served = new Map<number, Served>()
    for (const offer of offers) {
      const target = await this.#connection.atom(offer.target)
      const type = offer.type === undefined ? target : await this.#connection.atom(offer.type)
      served.set(target, { type, format: 8, bytes: Buffer.from(offer.bytes) })
    }
    served.set(timestamp, { type: integerType, format: 32, bytes: Buffer.from(Uint32Array.of(since).buffer) })
    const list = Uint32Array.of(targets, ...served.keys())
    served.set(targets, { type: atomType, format: 32, bytes: Buffer.from(list.buffer) })
    this.#connection.send((x) => x.SetSelectionOwner(this.window, this.selection, since))
    await this.#connection.settle()
    this.#served = served
    return since
  }

  /** Gives the selection up. */
  disown(): void {
    if (this.isOwner) {
      this.#served = new Map()
      this.#connection.send((x) => x.SetSelectionOwner(none, this.selection, 0))
    }
  }

  /** What is offered as `target` right now, without asking X; `undefined` where it is not ours or not offered. */
  async offered(target: string): Promise<Buffer | undefined> {
    return this.#served.get(await this.#connection.atom(target))?.bytes
  }

  #serve(request: Request): void {
    const served = request.selection === this.selection ? this.#served.get(request.target) : undefined
    // Clients from before ICCCM name no property and mean the target.
    const property = request.property === none ? request.target : request.property
    if (served !== undefined && served.bytes.length <= pieceBytes) {
      this.#write(request.requestor, property, served)
    } else if (served !== undefined) {
      this.#begin({ requestor: request.requestor, property, served, offset: 0, cancel: () => undefined })
    }
    this.#connection.send((x) =>
      x.SendEvent(request.requestor, 0, 0, {
        name: 'SelectionNotify',
        time: request.time,
        requestor: request.requestor,
        selection: request.selection,
        target: request.target,
        property: served === undefined ? none : property,
      }),
    )
  }

  #write(requestor: number, property: number, { type, format, bytes }: Served): void {
    this.#connection.send((x) => x.ChangeProperty(replace, requestor, property, type, format, bytes))
  }

  #begin(transfer: Transfer): void {
    this.#transfers.add(transfer)
    this.#await(transfer)
    // That the requestor deletes the property, telling it wants the next piece, must be heard from now on.
    this.#connection.send((x) => x.ChangeWindowAttributes(transfer.requestor, { eventMask: propertyChangeMask }))
    const size = Buffer.from(Uint32Array.of(transfer.served.bytes.length).buffer)
    this.#write(transfer.requestor, transfer.property, { type: this.#incr, format: 32, bytes: size })
  }

  #await(transfer: Transfer): void {
    transfer.cancel()
    transfer.cancel = this.#clock.after(stalledMs, () => this.#end(transfer))
  }

  #continue(requestor: number, property: number): void {
    const transfer = [...this.#transfers].find((one) => one.requestor === requestor && one.property === property)
    if (transfer === undefined) {
      return
    }
    const piece = transfer.served.bytes.subarray(transfer.offset, transfer.offset + pieceBytes)
    transfer.offset += piece.length
    this.#write(requestor, property, { ...transfer.served, bytes: piece })
    if (piece.length === 0) {
      // The empty piece was the end of it.
      this.#end(transfer)
    } else {
      this.#await(transfer)
    }
  }

  #end(transfer: Transfer): void {
    transfer.cancel()
    this.#transfers.delete(transfer)
    if (![...this.#transfers].some((other) => other.requestor === transfer.requestor)) {
      this.#connection.send((x) => x.ChangeWindowAttributes(transfer.requestor, { eventMask: 0 }))
    }
  }
}
