import { pathToFileURL } from 'node:url'
import { type Clock, NekoError, SerialQueue } from '@neko-edge/kit'
import type { Property, XEvent } from 'x11'
import type { XConnection } from './connection.ts'
import { EventInbox } from './event-inbox.ts'
import { SelectionOwner } from './selection-owner.ts'

const version = 5
/** How long a target may take to say whether it wants the files, and then to have taken them. */
const acceptMs = 1_500
const finishMs = 3_000
/** Between two positions: a page in a browser says only after some of them that it accepts. */
const positionMs = 100
const accepts = 1
const atomNames = [
  'XdndAware',
  'XdndProxy',
  'XdndEnter',
  'XdndPosition',
  'XdndStatus',
  'XdndDrop',
  'XdndFinished',
  'XdndLeave',
  'XdndActionCopy',
  'text/uri-list',
  'text/plain',
] as const

type Atoms = Readonly<Record<(typeof atomNames)[number], number>>
type Message = Extract<XEvent, { name: 'ClientMessage' }>

interface Target {
  readonly window: number
  /** Where messages go: the window, or the one that it names as its proxy. */
  readonly receiver: number
  readonly version: number
}

/** The source's side of dragging files onto an application (XDND protocol, version 5). No pointer button is involved. */
export class FileDrop {
  readonly #connection: XConnection
  readonly #owner: SelectionOwner
  readonly #atoms: Atoms
  readonly #queue = new SerialQueue()

  private constructor(connection: XConnection, { owner, atoms }: { owner: SelectionOwner; atoms: Atoms }) {
    this.#connection = connection
    this.#owner = owner
    this.#atoms = atoms
  }

  static async open(connection: XConnection, clock: Clock): Promise<FileDrop> {
    const atoms = await connection.atoms(...atomNames)
    return new FileDrop(connection, { owner: await SelectionOwner.open(connection, { selection: 'XdndSelection', clock }), atoms })
  }

  /** Drops files (absolute paths) on what is at a pixel of the screen; whether they were taken. One drop at a time. */
  drop(files: readonly string[], x: number, y: number): Promise<boolean> {
    return this.#queue.run(async () => this.#dropAll(await this.#targetAt(x, y), files, { x, y }))
  }

  /** Drops files on the middle of a window, also of one that is behind others; whether they were taken. */
  dropOn(window: number, files: readonly string[]): Promise<boolean> {
    return this.#queue.run(async () => {
      const { width, height } = await this.#connection.ask<{ width: number; height: number }>('the size of a window', (x, callback) =>
        x.GetGeometry(window, callback),
      )
      const { destX, destY } = await this.#connection.ask<{ destX: number; destY: number }>('the place of a window', (x, callback) =>
        x.TranslateCoordinates(window, this.#connection.root, width >> 1, height >> 1, callback),
      )
      return this.#dropAll(await this.#asTarget(window), files, { x: destX, y: destY })
    })
  }

  async #dropAll(target: Target | undefined, files: readonly string[], at: { x: number; y: number }): Promise<boolean> {
    if (target === undefined || files.length === 0) {
      return false
    }
    try {
      return await this.#dropOn(target, files, at)
    } finally {
      this.#owner.disown()
    }
  }

  async #dropOn(target: Target, files: readonly string[], at: { x: number; y: number }): Promise<boolean> {
    const uris = files.map((file) => pathToFileURL(file).href)
    const time = await this.#owner.own([
      { target: 'text/uri-list', bytes: Buffer.from(uris.map((uri) => `${uri}\r\n`).join('')) },
      { target: 'text/plain', bytes: Buffer.from(uris[0] ?? '') },
    ])
    const { XdndEnter, XdndDrop, XdndLeave } = this.#atoms
    using replies = new EventInbox(this.#connection, (event): event is Message => this.#isReply(event))
    this.#tell(target, XdndEnter, [target.version << 24, this.#atoms['text/uri-list'], this.#atoms['text/plain'], 0])
    const isWanted = await this.#isWanted(target, replies, { ...at, time }).catch(falseWhenLate)
    if (!isWanted) {
      this.#tell(target, XdndLeave, [0, 0, 0, 0])
      return false
    }
    this.#tell(target, XdndDrop, [0, time, 0, 0])
    // Awaited here, while the inbox is open.
    return await this.#isFinished(target, replies).catch(falseWhenLate)
  }

  #isReply(event: XEvent): event is Message {
    return event.name === 'ClientMessage' && event.wid === this.#owner.window
  }

  /** Says where the files hover until the target answers that it would take them. */
  async #isWanted(target: Target, replies: EventInbox<Message>, { x, y, time }: { x: number; y: number; time: number }): Promise<boolean> {
    const { XdndPosition, XdndStatus, XdndActionCopy } = this.#atoms
    const end = performance.now() + acceptMs
    for (;;) {
      this.#tell(target, XdndPosition, [0, (x << 16) | y, time, XdndActionCopy])
      const reply = await replies.next(Math.max(1, end - performance.now()), 'the target of a drop')
      if (reply.message_type === XdndStatus && ((reply.data[1] ?? 0) & accepts) !== 0) {
        return true
      }
      if (performance.now() + positionMs > end) {
        return false
      }
      await new Promise((resolve) => setTimeout(resolve, positionMs))
    }
  }

  async #isFinished(target: Target, replies: EventInbox<Message>): Promise<boolean> {
    for (;;) {
      const reply = await replies.next(finishMs, 'the end of a drop')
      if (reply.message_type === this.#atoms.XdndFinished) {
        // Before version 5 there was no word about success.
        return target.version < 5 || ((reply.data[1] ?? 0) & accepts) !== 0
      }
    }
  }

  #tell({ window, receiver }: Target, type: number, data: readonly number[]): void {
    this.#connection.send((x) => x.SendClientMessage(receiver, window, type, 32, [this.#owner.window, ...data], 0))
  }

  /** The outermost window under a pixel that takes drops; window managers put frames around it. */
  async #targetAt(x: number, y: number): Promise<Target | undefined> {
    let window = this.#connection.root
    for (let depth = 0; depth < 32; depth++) {
      const from = window
      const { child } = await this.#connection.ask<{ child: number }>('the window under the pointer', (client, callback) =>
        client.TranslateCoordinates(this.#connection.root, from, x, y, callback),
      )
      if (child === 0) {
        return undefined
      }
      window = child
      const target = await this.#asTarget(window)
      if (target !== undefined) {
        return target
      }
    }
    return undefined
  }

  async #asTarget(window: number): Promise<Target | undefined> {
    const proxy = await this.#readNumber(window, this.#atoms.XdndProxy)
    const receiver = proxy ?? window
    const spoken = await this.#readNumber(receiver, this.#atoms.XdndAware)
    return spoken === undefined ? undefined : { window, receiver, version: Math.min(version, spoken) }
  }

  async #readNumber(window: number, property: number): Promise<number | undefined> {
    const { data } = await this.#connection.ask<Property>('a window property', (x, callback) =>
      x.GetProperty(0, window, property, 0, 0, 1, callback),
    )
    return data.length >= 4 ? data.readUInt32LE(0) : undefined
  }
}

/** An application that does not answer in time did not take the files. */
function falseWhenLate(error: unknown): false {
  if (error instanceof NekoError && error.code === 'timeout') {
    return false
  }
  throw error
}
